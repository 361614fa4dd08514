package web

import (
	"fmt"
	"net/url"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/store"
)

// upstreamCard is what became of the sessions to one smarthost.
type upstreamCard struct {
	Name, Provider string
	Link           string // to its own overview
	N              string
	Sessions       string // link to them
	Totals         []outcomeTotal
	Good, Failed   *seenSession
	Certificate    *expiry
	Changed        []string
	Throttled      string // what it bears, when it refused for the rate
}

// seenSession is a session to look at.
type seenSession struct {
	Link  string
	Ago   string
	When  string // machine readable
	At    string
	Cause string
	Title string
}

// expiry is how long a certificate is good for.
type expiry struct {
	badge
	Text  string
	Until string
}

func (v overviewer) upstreams() []upstreamCard {
	var all []upstreamCard
	for i := range v.overview.Upstreams {
		all = append(all, v.upstream(&v.overview.Upstreams[i]))
	}
	if others := &v.overview.Others; others.Sessions > 0 {
		all = append(all, upstreamCard{N: sessionsText(others.Sessions), Totals: v.totals(others, nil)})
	}
	return all
}

func (v overviewer) upstream(u *store.Upstream) upstreamCard {
	words := append(between(v.overview.Since, v.overview.Until), filterWord("upstream", u.Name))
	return upstreamCard{
		Name: u.Name, Provider: v.site.providerName(u.Provider), N: sessionsText(u.Sessions),
		Link: overviewLink(v.span.Name, u.Name), Sessions: sessionsLink(words...), Totals: v.totals(u, words),
		Good: v.seen(u.LastGood), Failed: v.seen(u.LastFailed),
		Certificate: expiryOf(u.Certificate, v.site.Now(), v.site.Zone), Changed: u.Changed, Throttled: v.throttled(u.Throttled),
	}
}

// totals are the outcomes at one upstream; without words of a filter that
// selects its sessions they lead nowhere.
func (v overviewer) totals(u *store.Upstream, words []string) []outcomeTotal {
	var all []outcomeTotal
	for _, outcome := range shownOutcomes(u.Outcomes) {
		n := u.Outcomes[outcome]
		t := outcomeTotal{badge: badgeOf(outcome), Outcome: outcome, N: grouped(n), Share: shareOf(n, u.Sessions)}
		if words != nil {
			t.Link = sessionsLink(append(words[:len(words):len(words)], "outcome:"+string(outcome))...)
		}
		all = append(all, t)
	}
	return all
}

// throttled says how much was asked of an upstream when it refused for the
// rate: what to stay below.
func (v overviewer) throttled(t *store.Throttled) string {
	if t == nil {
		return ""
	}
	text := "refused in " + grouped(t.Minutes) + " of the minutes since " + t.Since.In(v.site.Zone).Format("15:04") +
		", at " + rate(t.Then) + " a minute"
	if t.Else > 0 {
		text += "; took " + rate(t.Else) + " a minute otherwise, " + grouped(t.Most) + " at most"
	}
	if t.AtOnce > 0 {
		text += "; " + inspect.Count(t.AtOnce, "session") + " open at the latest refusal"
	}
	return text
}

// rate writes how many sessions begin in a minute, on average.
func rate(f float64) string {
	if f >= 9.95 {
		return sessionsText(int(f + .5))
	}
	if n := svgNumber(f); n != "1" {
		return n + " sessions"
	}
	return "1 session"
}

func (s *Site) providerName(id string) string {
	if s.Rules == nil {
		return id
	}
	if p, ok := s.Rules.ProviderByID(id); ok {
		return p.Name
	}
	return id
}

func (v overviewer) seen(x *inspect.Session) *seenSession {
	if x == nil {
		return nil
	}
	out := &seenSession{
		Link: "/sessions/" + url.PathEscape(x.ID), Ago: agoText(v.site.Now().Sub(x.Started)),
		When: x.Started.UTC().Format(time.RFC3339), At: stamp(x.Started, v.site.Zone),
	}
	if len(x.Findings) > 0 {
		out.Cause, out.Title = x.Findings[0].Cause, x.Findings[0].Title
	}
	return out
}

// Days before the end of a certificate from which the page warns: those who
// renew by machine do so at thirty.
const (
	certificateWarns  = 21
	certificateUrgent = 7
)

// expiryOf judges the end of a certificate; nil when there is none.
func expiryOf(until, now time.Time, zone *time.Location) *expiry {
	if until.IsZero() {
		return nil
	}
	e := &expiry{Until: day(until, zone), Text: inspect.Count(int(until.Sub(now)/oneDay), "day") + " left", badge: badge{Glyph: "✓", Tone: "good", Word: "valid"}}
	switch days := until.Sub(now) / oneDay; {
	case until.Before(now):
		e.badge, e.Text = badge{Glyph: "✕", Tone: "bad", Word: "expired"}, agoText(now.Sub(until))
	case days < certificateUrgent:
		e.badge = badge{Glyph: "✕", Tone: "bad", Word: "renew now"}
	case days < certificateWarns:
		e.badge = badge{Glyph: "!", Tone: "warn", Word: "renew soon"}
	}
	return e
}

// agoText says how long something is past.
func agoText(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", d/time.Minute)
	case d < 2*oneDay:
		return fmt.Sprintf("%d h ago", d/time.Hour)
	}
	return inspect.Count(int(d/oneDay), "day") + " ago"
}
