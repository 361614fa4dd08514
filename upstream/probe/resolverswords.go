package probe

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// slowAnswer is the time from which on an answer of the DNS is worth a word.
const slowAnswer = time.Second

// lines are what a check says about DNS servers: one for all of them, then one
// for each trouble.
func (list dnsOpinions) lines(host string) []Line {
	var took time.Duration
	for _, o := range list {
		took = max(took, o.took)
	}
	first := Line{Status: StatusOK, Took: took, Text: agreement(list, host)}
	if !slices.ContainsFunc(list, dnsOpinion.settled) {
		first.Status = StatusFail
		first.Text = fmt.Sprintf("no DNS server has an answer: %s", troubleWords(list))
		return []Line{first}
	}
	lines := []Line{first}
	switch {
	case list.disagree():
		lines[0] = Line{Status: StatusWarn, Took: took, Text: disagreement(list, host) + ": sessions fail or not by which of them is asked"}
	case list.apart():
		lines[0] = Line{Status: StatusWarn, Took: took, Text: differing(list, host) + "; one of them has local data, and which is asked decides where sessions go"}
	case list.differ():
		lines[0] = Line{Status: StatusOK, Took: took, Text: differing(list, host) + "; that is usual where it has many and they take turns"}
	}
	return append(lines, list.troubles()...)
}

// troubles are a line for each server that does not do its duty.
func (list dnsOpinions) troubles() (lines []Line) {
	for _, o := range list {
		text := ""
		switch {
		case !o.settled():
			text = fmt.Sprintf("%s: %s; %s", o.server, o.why, o.cost())
		case o.result == resolverKnows && o.why != "":
			text = fmt.Sprintf("%s answers for one address family only: %s", o.server, o.why)
		case o.took > slowAnswer:
			text = fmt.Sprintf("%s takes %s to answer: every connection whose address is not remembered waits as long", o.server, rounded(o.took))
		default:
			continue
		}
		lines = append(lines, Line{Status: StatusWarn, Took: o.took, Text: text})
	}
	return lines
}

// cost says what a server without an answer does to look-ups.
func (o dnsOpinion) cost() string {
	if o.result == resolverSilent {
		return "when it is asked first, every look-up waits for it"
	}
	return "when it is asked first, another has to be asked behind it"
}

// apart reports whether two servers give addresses of different kinds, as a
// private one and one of the internet.
func (list dnsOpinions) apart() bool {
	kinds := map[addressKind]bool{}
	for _, o := range list.of(resolverKnows) {
		kinds[kindOf(o.addrs[0])] = true
	}
	return len(kinds) > 1
}

// differ reports whether two servers know addresses and not the same.
func (list dnsOpinions) differ() bool {
	known := list.of(resolverKnows)
	return slices.ContainsFunc(known, func(o dnsOpinion) bool { return !slices.Equal(o.addrs, known[0].addrs) })
}

// agreement words what those say that answer.
func agreement(list dnsOpinions, host string) string {
	var times []string
	for _, o := range list {
		if o.settled() {
			times = append(times, fmt.Sprintf("%s in %s", o.server, rounded(o.took)))
		}
	}
	said := "know " + host
	if len(list.of(resolverKnows)) == 0 {
		said = "say that " + host + " has no address"
	}
	if len(times) == 1 {
		verb, what, _ := strings.Cut(said, " ")
		return fmt.Sprintf("the DNS server %ss %s (%s)", verb, what, times[0])
	}
	return fmt.Sprintf("%d DNS servers %s alike (%s)", len(times), said, strings.Join(times, ", "))
}

func disagreement(list dnsOpinions, host string) string {
	return fmt.Sprintf("the DNS servers disagree about %s: %s has %s, and %s", host,
		list.of(resolverKnows).servers(), addrWords(list.of(resolverKnows)[0].addrs), troubleWords(list.of(resolverDenies)))
}

func differing(list dnsOpinions, host string) string {
	var each []string
	for _, o := range list.of(resolverKnows) {
		each = append(each, fmt.Sprintf("%s says %s", o.server, addrWords(o.addrs)))
	}
	return fmt.Sprintf("the DNS servers give different addresses of %s: %s", host, strings.Join(each, "; "))
}

func troubleWords(list dnsOpinions) string {
	var each []string
	for _, o := range list {
		if strings.Contains(o.why, o.server) {
			each = append(each, o.why)
			continue
		}
		each = append(each, o.server+": "+o.why)
	}
	return strings.Join(each, "; ")
}

// maxAddrsShown bounds the addresses in one line.
const maxAddrsShown = 6

func addrWords(addrs []netip.Addr) string {
	var words []string
	for _, a := range addrs[:min(len(addrs), maxAddrsShown)] {
		words = append(words, a.String())
	}
	if more := len(addrs) - len(words); more > 0 {
		words = append(words, fmt.Sprintf("%d more", more))
	}
	return strings.Join(words, ", ")
}
