package web

import (
	"strings"
	"time"

	"smtp-proxy/proxy/session"
)

// link509 is one certificate in the picture of a chain.
type link509 struct {
	Subject  string
	From     string
	Until    string
	Validity string
	State    string // what is wrong with it, or where it comes from
	Tone     string // bad, missing, quiet
	Glyph    string
	Bar      *validityBar // nil where the dates are not known
}

// validityBar is a span of time in a picture 120 wide: the certificate is
// valid from 10 to 110, and the session began at At.
type validityBar struct {
	At   int
	Used int // width of what had passed of it
	Past int // width of what lies between its end and the session
}

// pictureOf puts a chain together: what was sent, what should have been, and
// the root that was found for it.
func pictureOf(h *session.TLS, at time.Time, zone *time.Location) []link509 {
	var all []link509
	for i := range h.Chain {
		l := chained(&h.Chain[i], at, zone)
		l.judge(h, i, at)
		all = append(all, l)
	}
	for i := range h.Repaired {
		l := chained(&h.Repaired[i], at, zone)
		l.State, l.Tone, l.Glyph = "not sent by the upstream", "missing", "✕"
		all = append(all, l)
	}
	if len(h.Chain) > 0 && len(h.Repaired) == 0 && h.Verify == session.VerifyIncomplete {
		all = append(all, link509{Subject: h.RootHint, State: "not sent by the upstream", Tone: "missing", Glyph: "✕"})
	}
	if n := len(h.Path); n > 0 && len(h.Chain) > 0 && !sent(h, &h.Path[n-1]) {
		l := chained(&h.Path[n-1], at, zone)
		l.State = join509(l.State, "from the trust store")
		all = append(all, l)
	}
	return all
}

func sent(h *session.TLS, c *session.Certificate) bool {
	for i := range h.Chain {
		if h.Chain[i].Subject == c.Subject && h.Chain[i].Serial == c.Serial {
			return true
		}
	}
	return false
}

func chained(c *session.Certificate, at time.Time, zone *time.Location) link509 {
	l := link509{
		Subject: c.Subject, From: day(c.NotBefore, zone), Until: day(c.NotAfter, zone), Tone: "quiet", Glyph: "●",
		Validity: validity(c.NotBefore, c.NotAfter, at), Bar: barOf(c.NotBefore, c.NotAfter, at),
	}
	if c.Issuer == c.Subject {
		l.State = "signs itself"
	}
	return l
}

// judge marks the certificate for which verification failed. Dates speak for
// themselves; all else that can be wrong is said of the leaf or the last.
func (l *link509) judge(h *session.TLS, i int, at time.Time) {
	leaf, last := i == 0, i == len(h.Chain)-1
	c := &h.Chain[i]
	switch dated := h.Verify == session.VerifyExpired || h.Verify == session.VerifyNotYetValid; {
	case at.Before(c.NotBefore) || c.NotAfter.Before(at):
		l.State = l.Validity
	case dated || h.Verify == session.VerifyOK || h.Verify == session.VerifyIncomplete:
		return
	case leaf && h.Verify == session.VerifyName:
		l.State = "is for " + strings.Join(c.Names, ", ")
	case leaf && h.Verify == session.VerifySelfSigned, last && h.Verify == session.VerifyUntrusted:
		l.State = join509(l.State, "not trusted")
	case leaf && h.Verify != session.VerifyUntrusted && h.Verify != session.VerifySelfSigned:
		l.State = strings.ReplaceAll(string(h.Verify), "-", " ")
	default:
		return
	}
	l.Tone, l.Glyph = "bad", "✕"
}

func join509(state, more string) string {
	if state == "" {
		return more
	}
	return state + ", " + more
}

func barOf(from, until, at time.Time) *validityBar {
	whole := until.Sub(from)
	if whole <= 0 {
		return nil
	}
	b := &validityBar{At: 10 + int(100*min(max(float64(at.Sub(from))/float64(whole), -0.08), 1.08))}
	b.Used = min(max(b.At-10, 0), 100)
	b.Past = max(b.At-110, 0)
	return b
}
