package store

import (
	"net"
	"strings"

	"smtp-proxy/inspect"
)

// wordsOf returns sets of words: of each, every session that a term selects has
// one. There are none for a term that does not name a value, or one that is not
// posted.
func wordsOf(t inspect.Term) [][]word {
	switch {
	case t.Not:
		return notDelivered(t)
	case t.Key == "cause" && strings.IndexByte(t.Value, '*') == len(t.Value)-1:
		return familyOf(t.Value[:len(t.Value)-1])
	case strings.Contains(t.Value, "*"):
		return nil
	}
	switch t.Key {
	case "from", "to":
		return addressWords(kindLocal, kindDomain, t.Value)
	case "user":
		return addressWords(kindUser, kindRealm, t.Value)
	case "cause":
		return one(kindCause, t.Value)
	case "code":
		return codeWords(t.Value)
	case "outcome":
		if t.Value != string(inspect.Delivered) {
			return one(kindOutcome, t.Value)
		}
	case "upstream":
		return one(kindHost, t.Value)
	case "provider":
		return one(kindProvider, t.Value)
	case "route":
		return one(kindRoute, t.Value)
	case "tls":
		return one(kindTLS, strings.TrimPrefix(t.Value, "tls "))
	case "app":
		if _, _, err := net.SplitHostPort(t.Value); err != nil { // a port is not posted
			return one(kindApp, t.Value)
		}
	}
	return nil
}

func one(kind byte, text string) [][]word { return [][]word{{wordOf(kind, text)}} }

// notDelivered returns the other outcomes.
func notDelivered(t inspect.Term) [][]word {
	if t.Key != "outcome" || t.Value != string(inspect.Delivered) {
		return nil
	}
	var list []word
	for _, o := range []inspect.Outcome{inspect.Partial, inspect.Rejected, inspect.Failed, inspect.Aborted, inspect.NoMail, inspect.Open} {
		list = append(list, wordOf(kindOutcome, string(o)))
	}
	return [][]word{list}
}

// familyOf returns the word of "tls.", which all its causes have.
func familyOf(prefix string) [][]word {
	if !strings.HasSuffix(prefix, ".") {
		return nil
	}
	return one(kindCause, prefix)
}

// addressWords returns both halves of an address. A name without an @ may be
// either.
func addressWords(first, second byte, addr string) (list [][]word) {
	if !strings.Contains(addr, "@") {
		return [][]word{{wordOf(first, addr), wordOf(second, addr)}}
	}
	local, domain := halves(addr)
	if local != "" {
		list = append(list, []word{wordOf(first, local)})
	}
	if domain != "" {
		list = append(list, []word{wordOf(second, domain)})
	}
	return list
}

// codeWords knows refusals only, and no classes but 4xx and 5xx.
func codeWords(code string) [][]word {
	if !refusal(code) || strings.Contains(code[1:], "xx") && len(code) != 3 {
		return nil
	}
	return one(kindCode, code)
}
