package store

import (
	"net"
	"strings"

	"smtp-proxy/inspect"
)

// wordsOf returns the words that every session has which a term selects: none
// when it does not name a value, or one that is not posted.
func wordsOf(t inspect.Term) []word {
	switch {
	case t.Not:
		return nil
	case t.Key == "cause" && strings.IndexByte(t.Value, '*') == len(t.Value)-1:
		return familyOf(t.Value[:len(t.Value)-1])
	case strings.Contains(t.Value, "*"):
		return nil
	}
	switch t.Key {
	case "from", "to":
		return addressWords(kindAddress, t.Value)
	case "user":
		return addressWords(kindUser, t.Value)
	case "cause":
		return []word{wordOf(kindCause, t.Value)}
	case "code":
		return codeWords(t.Value)
	case "outcome":
		if t.Value != string(inspect.Delivered) {
			return []word{wordOf(kindOutcome, t.Value)}
		}
	case "upstream":
		return []word{wordOf(kindHost, t.Value)}
	case "provider":
		return []word{wordOf(kindProvider, t.Value)}
	case "route":
		return []word{wordOf(kindRoute, t.Value)}
	case "tls":
		return []word{wordOf(kindTLS, strings.TrimPrefix(t.Value, "tls "))}
	case "app":
		if _, _, err := net.SplitHostPort(t.Value); err != nil { // a port is not posted
			return []word{wordOf(kindApp, t.Value)}
		}
	}
	return nil
}

// familyOf returns the word of "tls.", which all its causes have.
func familyOf(prefix string) []word {
	if !strings.HasSuffix(prefix, ".") {
		return nil
	}
	return []word{wordOf(kindCause, prefix)}
}

func addressWords(kind byte, addr string) (list []word) {
	for _, half := range halves(addr) {
		if half != "" {
			list = append(list, wordOf(kind, half))
		}
	}
	return list
}

// codeWords knows refusals only, and no classes but 4xx and 5xx.
func codeWords(code string) []word {
	if !refusal(code) || strings.Contains(code[1:], "xx") && len(code) != 3 {
		return nil
	}
	return []word{wordOf(kindCode, code)}
}
