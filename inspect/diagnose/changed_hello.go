package diagnose

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/wire"
)

// maxKeywords bounds the sentences about one EHLO reply.
const maxKeywords = 12

// helloFacet compares EHLO replies that were given on equal terms: in clear (0)
// or under TLS (1).
func helloFacet(secure int) facet {
	of := func(p *profile) string { return p.hello[secure] }
	return facet{
		of:   of,
		same: func(a, b string) bool { return maps.Equal(keywords(a), keywords(b)) },
		tell: func(old, now *profile) []change { return tellHello(keywords(of(old)), keywords(of(now))) },
	}
}

// tellHello words what an EHLO reply lost, then what it won or says otherwise.
func tellHello(was, is map[string]string) (all []change) {
	for _, word := range slices.Sorted(maps.Keys(was)) {
		if _, kept := is[word]; !kept {
			all = append(all, change{fmt.Sprintf("the upstream's EHLO reply lists no %s any more, before: %s", shown(word), shown(offer(word, was))), explainedBy(word)})
		}
	}
	for _, word := range slices.Sorted(maps.Keys(is)) {
		switch before, listed := was[word]; {
		case !listed:
			all = append(all, change{fmt.Sprintf("the upstream's EHLO reply lists %s, before it did not", shown(offer(word, is))), newKeyword(word)})
		case before != is[word]:
			all = append(all, change{fmt.Sprintf("the upstream's EHLO reply says %s, before: %s", shown(offer(word, is)), shown(offer(word, was))), explainedBy(word)})
		}
	}
	return all[:min(len(all), maxKeywords)]
}

// offer writes a keyword with its parameters.
func offer(word string, in map[string]string) string { return strings.TrimSpace(word + " " + in[word]) }

// keywords reads the lines of an EHLO reply behind the first. The order of
// parameters means nothing.
func keywords(hello string) map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(hello) {
		line = strings.TrimRight(line, "\r\n")
		if len(line) < 5 {
			continue
		}
		word, params := wire.Keyword([]byte(line[4:]))
		list := append(strings.Fields(all[word]), strings.Fields(params)...)
		slices.Sort(list)
		all[word] = strings.Join(slices.Compact(list), " ")
	}
	return all
}

// explainedBy returns the causes for which it matters that a keyword is gone
// or says something else.
func explainedBy(word string) []string {
	switch word {
	case "STARTTLS":
		return []string{"tls.stripped", "tls.not-offered", "tls.required", "auth.encryption-required", "auth.mechanism-unsupported", "auth.required"}
	case "AUTH":
		return []string{"auth.", "relay.denied", "protocol.command-unsupported", "protocol.bad-sequence"}
	case "SIZE":
		return []string{"message.too-large"}
	case "8BITMIME", "SMTPUTF8", "BINARYMIME":
		return []string{"message.encoding-unsupported", "protocol.parameter-unsupported"}
	case "CHUNKING", "DSN", "PIPELINING":
		return []string{"protocol."}
	}
	return nil
}

// newKeyword returns the causes for which it matters that a keyword is new:
// what a firewall writes over STARTTLS.
func newKeyword(word string) []string {
	if strings.HasPrefix(word, "XXX") {
		return []string{"tls.stripped", "tls.not-offered"}
	}
	return nil
}

// sizeLimit is what the latest EHLO reply announces, 0 when it announces none.
func (p *profile) sizeLimit() int64 {
	n, _ := strconv.ParseInt(keywords(or(p.hello[1], p.hello[0]))["SIZE"], 10, 64)
	return n
}

// offeredOnce finds STARTTLS removed where it is missing now and was on offer
// when the upstream last said in clear what it can do. That the upstream has
// changed its mind stays the second reading.
func (f *facts) offeredOnce(missing symptom) []symptom {
	for _, g := range slices.Backward(f.past().good) {
		if g.hello[0] == "" {
			continue
		}
		if _, offered := keywords(g.hello[0])["STARTTLS"]; !offered {
			break
		}
		removed := missing
		removed.cause, removed.certainty = "tls.stripped", inspect.Likely
		missing.certainty, missing.weight = inspect.Possible, missing.weight-1
		return []symptom{removed, missing}
	}
	return []symptom{missing}
}
