package web

import (
	"slices"

	"smtp-proxy/inspect"
)

// example is a filter that the help shows.
type example struct{ Filter, About string }

func examples() []example {
	return []example{
		{"outcome:failed", "sessions that never got as far as a message"},
		{"cause:tls.*", "everything about TLS; * stands for anything"},
		{"cause:auth.* since:2h", "refused sign-ins of the last two hours; all words must hold"},
		{"to:bob@example.net", "mail to one recipient; to:example.net for a whole domain"},
		{"from:*@example.com code:550", "a sender's domain and a reply code; code:5xx for all of them, code:5.1.1 for an enhanced one"},
		{"upstream:smtp.gmail.com -outcome:delivered", "one smarthost, without what went well; - turns a word round"},
		{`"mailbox full"`, "these words anywhere: subjects, addresses, replies, ids"},
		{"before:2026-11-20T15:04 tls:1.2", "up to a moment, with that version of TLS on either leg"},
		{"outcome:open", "sessions that are running now"},
	}
}

// completions are the words that may come next: the keys, and the values that
// are known.
func (s *Site) completions(rows []sessionRow) []string {
	var all []string
	for _, key := range inspect.FilterKeys() {
		all = append(all, key+":")
	}
	for _, o := range []inspect.Outcome{inspect.Delivered, inspect.Partial, inspect.Rejected, inspect.Failed, inspect.Aborted, inspect.NoMail, inspect.Open} {
		all = append(all, "outcome:"+string(o))
	}
	for _, span := range []string{"15m", "2h", "1d", "7d"} {
		all = append(all, "since:"+span)
	}
	for _, v := range []string{"4xx", "5xx"} {
		all = append(all, "code:"+v)
	}
	for _, v := range []string{"1.2", "1.3", inspect.Passthrough} {
		all = append(all, "tls:"+v)
	}
	return append(append(all, s.routeWords()...), s.causeWords()...)
}

// routeWords name the routes and where they lead.
func (s *Site) routeWords() (all []string) {
	if s.Setup == nil {
		return nil
	}
	for _, r := range s.Setup().Routes {
		all = append(all, inspect.Term{Key: "route", Value: visible(r.Name)}.String())
		if !r.Sandbox {
			all = append(all, inspect.Term{Key: "upstream", Value: visible(r.Upstream)}.String())
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (s *Site) causeWords() (all []string) {
	if s.Rules == nil {
		return nil
	}
	for _, c := range s.Rules.Causes() {
		all = append(all, "cause:"+c.ID)
	}
	return all
}
