package web

import (
	"fmt"
	"net/url"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/store"
	"smtp-proxy/proxy/session"
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
	return all
}

func (v overviewer) upstream(u *store.Upstream) upstreamCard {
	o := v.overview
	words := between(o.Since, o.Until)
	if u.Name != "" {
		words = append(words, filterWord("upstream", u.Name))
	}
	c := upstreamCard{
		Name: u.Name, Provider: v.site.providerName(u.Provider), N: inspect.Count(u.Sessions, "session"),
		Link: overviewLink(v.span.Name, u.Name), Sessions: sessionsLink(words...),
		Good: v.seen(u.LastGood), Failed: v.seen(u.LastFailed), Certificate: v.expiry(u.LastGood),
	}
	for _, outcome := range shownOutcomes(u.Outcomes) {
		n := u.Outcomes[outcome]
		c.Totals = append(c.Totals, outcomeTotal{
			badge: badgeOf(outcome), Outcome: outcome, N: grouped(n), Share: shareOf(n, u.Sessions),
			Link: sessionsLink(append(words[:len(words):len(words)], "outcome:"+string(outcome))...),
		})
	}
	if u.LastFailed != nil && len(u.LastFailed.Findings) > 0 {
		c.Changed = u.LastFailed.Findings[0].Changed
	}
	return c
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

// expiry reads the certificate that the upstream showed last.
func (v overviewer) expiry(x *inspect.Session) *expiry {
	if x == nil || x.Upstream.TLS == nil || len(x.Upstream.TLS.Chain) == 0 {
		return nil
	}
	return expiryOf(&x.Upstream.TLS.Chain[0], v.site.Now(), v.site.Zone)
}

func expiryOf(c *session.Certificate, now time.Time, zone *time.Location) *expiry {
	e := &expiry{Until: day(c.NotAfter, zone), Text: validity(c.NotBefore, c.NotAfter, now), badge: badge{Glyph: "✓", Tone: "good", Word: "valid"}}
	switch days := c.NotAfter.Sub(now) / oneDay; {
	case c.NotAfter.Before(now):
		e.badge, e.Text = badge{Glyph: "✕", Tone: "bad", Word: "expired"}, "expired "+agoText(now.Sub(c.NotAfter))
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
