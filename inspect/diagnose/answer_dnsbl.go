package diagnose

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

const (
	probeBlocklists = "dnsbl"

	blocklisted   = "reputation.ip-blocklisted"
	poor          = "reputation.poor"
	noReverse     = "reputation.no-reverse-dns"
	resultListed  = "listed"
	resultClear   = "clear"
	maxListsNamed = 3 // in the steps
)

// smells finds the words of reputation in a refusal that gives another reason,
// or none.
var smells = regexp.MustCompile(`(?i)\b(?:black|block|deny)-?list|\bdnsbl\b|\brbl\b|\bblocked\b|reputation|\blisted (?:in|by|on|at)\b|\bspamhaus\b|\bspamcop\b|\bbarracuda(?:central)?\b|\babus(?:e|ive)\b`)

// DnsblUse: the blocklists are asked about the address that a refusal names,
// or this machine's, if the refusal smells of reputation.
func (uses) DnsblUse() use {
	return use{
		probe: probeBlocklists,
		wants: func(f *facts) (Question, bool) {
			for _, e := range f.refusals() {
				if at := addressIn(e.Text); listable(e.cause, e.Text) && f.abroad(at) {
					return Question{Addr: at}, true
				}
			}
			return Question{}, false
		},
		weigh: func(f *facts, answer *session.Entry, all []symptom) {
			for i := range all {
				s := &all[i]
				if about := f.listsOn(s.text, answer); about != nil && listable(s.cause, s.text) {
					readLists(about).sharpen(s)
				}
			}
		},
	}
}

// listsOn returns what the lists said of the address that a refusal names: of
// this machine's, a check may have asked them before. Where it names none, the
// latest answer counts.
func (f *facts) listsOn(text string, latest *session.Entry) *session.Entry {
	at := addressIn(text)
	if !at.IsValid() {
		return latest
	}
	for _, e := range f.probes {
		if p := e.Probe; p.Name == probeBlocklists && p.Result != "skip" && p.Target == at.String() {
			return e
		}
	}
	return nil
}

// listable reports a cause that a blocklist may be behind: one of reputation,
// or one that says little, with words of reputation.
func listable(cause, text string) bool {
	switch cause {
	case blocklisted, poor, noReverse:
		return true
	case "connect.rejected", "message.rejected", "message.spam", "relay.denied", "unclassified.permanent", "unclassified.temporary":
		return smells.MatchString(text)
	}
	return false
}

// lists is what the blocklists said of an address.
type lists struct {
	answer *session.Entry
	on     []session.Found // those that have it
	clear  []string        // the zones of those that have not
}

func readLists(answer *session.Entry) *lists {
	l := &lists{answer: answer}
	for _, found := range answer.Probe.Found {
		switch found.Result {
		case resultListed:
			l.on = append(l.on, found)
		case resultClear:
			l.clear = append(l.clear, found.What)
		}
	}
	return l
}

// sharpen says of a refusal what the lists say.
func (l *lists) sharpen(s *symptom) {
	named := s.values["list"]
	s.values = maps.Clone(s.values)
	if s.values == nil {
		s.values = map[string]string{}
	}
	s.values["egress"] = l.answer.Probe.Target
	if len(l.on) == 0 {
		s.proof(l.answer, l.clearWords(named))
		return
	}
	if l.answer.Probe.Cause == blocklisted && s.cause != blocklisted && s.cause != noReverse {
		s.what = "The reply names no list. Receivers ask the DNS blocklists, and {egress} is on one that many heed."
		s.cause, s.certainty, s.rule = blocklisted, inspect.Likely, nil
	}
	s.values["list"] = or(named, l.on[0].What)
	s.proof(l.answer, l.listedWords())
	s.first = append(l.pages(), s.first...)
}

// listedWords say which lists have the address, and why.
func (l *lists) listedWords() string {
	var on []string
	for _, found := range l.on {
		on = append(on, fmt.Sprintf("%s (%s)", found.What, strings.TrimRight(reasonOf(found.Text), " .;")))
	}
	text := fmt.Sprintf("Asked by the proxy, {egress} is listed by %s", listed(on))
	if len(l.clear) > 0 {
		text += ", and not by " + listed(l.clear)
	}
	return text + "."
}

// clearWords say that no list has the address, which is no less worth knowing.
func (l *lists) clearWords(named string) string {
	text := fmt.Sprintf("Asked by the proxy, none of the lists that answered has %s: %s.", l.answer.Probe.Target, listed(l.clear))
	if slices.Contains(l.clear, named) {
		text += fmt.Sprintf(" The refusal names %s all the same: the listing is over and remembered by the receiver for some hours, or the receiver takes the list's refusal to answer it for a listing.", named)
	}
	return text
}

// pages are the steps to get off the lists.
func (l *lists) pages() (steps []string) {
	for _, found := range l.on[:min(len(l.on), maxListsNamed)] {
		step := "Look {egress} up at " + found.What + ", stop what it is listed for, and have it removed"
		if links := linkInReply.FindAllString(found.Text, -1); len(links) > 0 {
			step += ": " + strings.TrimRight(links[len(links)-1], ".,;")
		}
		steps = append(steps, step+".")
	}
	return steps
}

// reasonOf leaves the page out of what is known of a listing: it is a step.
func reasonOf(text string) string {
	reason, _, _ := strings.Cut(text, "; look up")
	return reason
}
