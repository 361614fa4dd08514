package replay

import (
	"fmt"

	"smtp-proxy/proxy/session"
)

// diffOffers compares the greeting and what EHLO offered in clear and under
// TLS, as the upstream said it: what the proxy changes of it is an edit.
func diffOffers(a, b Recording) []Difference {
	x, y := offersOf(a.Entries), offersOf(b.Entries)
	var all []Difference
	if x.greeting != nil && y.greeting != nil {
		if why := sideBySide.compare(*x.greeting, *y.greeting); why != "" {
			all = append(all, Difference{refusedOr(RankOffer, x.greeting, y.greeting), "greeting", said(x.greeting), said(y.greeting), why})
		}
		all = append(all, slower(session.PhaseGreeting, "greeting", x.greeting.Wait, y.greeting.Wait)...)
	}
	for i, where := range []string{"EHLO in clear", "EHLO under TLS"} {
		if x.ehlo[i] == nil || y.ehlo[i] == nil {
			continue // that the one was never under TLS is told elsewhere
		}
		for _, d := range sideBySide.keywordChanges(keywords(x.ehlo[i].Text), keywords(y.ehlo[i].Text)) {
			d.Rank, d.Where = RankOffer, where
			all = append(all, d)
		}
	}
	return all
}

// offers are the last replies with which the upstream told what it can do.
type offers struct {
	greeting *session.Entry
	ehlo     [2]*session.Entry // in clear, under TLS
}

func offersOf(entries []session.Entry) (o offers) {
	for i := range entries {
		e := &entries[i]
		switch {
		case e.Kind == session.KindGreeting && o.greeting == nil:
			o.greeting = e
		case e.Kind == session.KindReply && e.From == session.FromUpstream && e.Verb == "EHLO" && e.Code == 250:
			if e.Secure {
				o.ehlo[1] = e
			} else {
				o.ehlo[0] = e
			}
		}
	}
	return o
}

// diffSignIn compares the last AUTH exchange: mechanism, user, and the shape
// of the secret, which shows that it was another one.
func diffSignIn(a, b Recording) []Difference {
	return compareFacts(RankSignIn, signInFacts(a.Entries), signInFacts(b.Entries))
}

func signInFacts(entries []session.Entry) (all facts) {
	var last *session.Auth
	for i := range entries {
		if e := &entries[i]; e.Auth != nil && e.Kind != session.KindProbe {
			last = e.Auth
		}
	}
	if last == nil {
		return nil
	}
	all = facts{
		{"AUTH mechanism", last.Mechanism},
		{"AUTH user", last.Username},
		{"AUTH on behalf of", last.Authzid},
		{"AUTH, what is wrong with it", last.Malformed},
	}
	if s := last.Secret; s != nil {
		all = append(all, fact{"AUTH secret", fmt.Sprintf("%d octets, %s", s.Length, s.Alphabet)})
	}
	return all
}
