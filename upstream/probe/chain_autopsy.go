package probe

import (
	"fmt"
	"slices"
	"time"

	"smtp-proxy/proxy/session"
)

// autopsy reads the facts of a chain, in the order in which it was sent. The
// links between certificates are told by their names; whether the signatures
// hold has been judged before.
type autopsy struct {
	facts *session.TLS
	host  string
	now   time.Time
}

// lines are the rungs of the ladder.
func (a autopsy) lines() (lines []Line) {
	path := walk(a.facts.Chain)
	for i := range a.facts.Chain {
		lines = append(lines, a.certificate(i, path))
	}
	if !slices.IsSorted(path) {
		lines = append(lines, Line{Status: StatusWarn, Text: "not in order: each certificate's issuer should follow it (RFC 5246, section 7.4.2), and strict apps refuse it"})
	}
	lines = append(lines, a.whole()...)
	return append(lines, a.staple()...)
}

// walk follows the chain from the leaf to its issuers, and returns the places
// of the certificates that it meets.
func walk(chain []session.Certificate) []int {
	path := []int{0}
	for {
		last := &chain[path[len(path)-1]]
		next := slices.IndexFunc(chain, func(c session.Certificate) bool { return c.Subject == last.Issuer })
		if next < 0 || slices.Contains(path, next) {
			return path
		}
		path = append(path, next)
	}
}

// certificate is the line of one certificate.
func (a autopsy) certificate(i int, path []int) Line {
	c := &a.facts.Chain[i]
	l := Line{Status: StatusOK, Text: fmt.Sprintf("%d: %s, issued by %s, %s, %s",
		i+1, subjectOf(c), issuerOf(c), c.Key, lifeLeft(c, a.now))}
	note := func(s Status, text string) {
		if l.Status != StatusFail && s != StatusOK {
			l.Status = s
		}
		l.Text += "; " + text
	}
	if twin := a.twin(i); twin >= 0 {
		note(StatusWarn, fmt.Sprintf("the same as %d: sent twice for nothing", twin+1))
		return l
	}
	switch {
	case !slices.Contains(path, i):
		note(StatusWarn, "does not belong to this chain: it has issued nothing of it")
		return l
	case i > 0 && c.Subject == c.Issuer:
		note(StatusOK, "a root, which need not be sent: an app has it or does not trust it")
	}
	if s, text := a.dates(c); text != "" {
		note(s, text)
	}
	if s, text := strength(c); text != "" {
		note(s, text)
	}
	return l
}

// twin is the place of an earlier certificate that is the same; -1 without one.
func (a autopsy) twin(i int) int {
	return slices.IndexFunc(a.facts.Chain[:i], func(c session.Certificate) bool { return sameCertificate(&c, &a.facts.Chain[i]) })
}

// lifeLeft says how long a certificate is still good for.
func lifeLeft(c *session.Certificate, now time.Time) string {
	switch left := c.NotAfter.Sub(now); {
	case left < 0:
		return "ended on " + c.NotAfter.UTC().Format(time.DateOnly)
	case left < 48*time.Hour:
		return fmt.Sprintf("%d hours left", int(left.Hours()))
	default:
		return fmt.Sprintf("%d days left", int(left.Hours()/24))
	}
}

// The measures of what ends soon, those of the notes in sessions: a month, or
// the last third of a life that is short by design.
const (
	soon       = 30 * 24 * time.Hour
	shortLived = 10 * 24 * time.Hour
)

// dates judges the time for which a certificate is good.
func (a autopsy) dates(c *session.Certificate) (s Status, text string) {
	limit := soon
	if life := c.NotAfter.Sub(c.NotBefore); life <= shortLived {
		limit = life / 3
	}
	switch {
	case a.now.After(c.NotAfter):
		return StatusFail, "expired: it has to be renewed"
	case a.now.Before(c.NotBefore):
		return StatusFail, "not valid before " + c.NotBefore.UTC().Format("2006-01-02 15:04 UTC") + ": it was installed too early, or this machine's clock is behind"
	case c.NotAfter.Sub(a.now) <= limit:
		return StatusWarn, "ends soon: whatever renews it is late"
	}
	return StatusOK, ""
}

// strength judges key and signature. Nobody relies on a root's signature.
func strength(c *session.Certificate) (s Status, text string) {
	var bits int
	if n, _ := fmt.Sscanf(c.Key, "RSA %d", &bits); n == 1 && bits < 2048 {
		if bits < 1024 {
			return StatusFail, "so short a key is refused"
		}
		return StatusWarn, "the key is short: 2048 bits are the least that is sound today"
	}
	switch c.Signature {
	case "SHA1-RSA", "ECDSA-SHA1", "DSA-SHA1", "MD5-RSA", "MD2-RSA":
		if c.Subject != c.Issuer {
			return StatusFail, "signed with " + c.Signature + ", which is refused as too weak"
		}
	}
	return StatusOK, ""
}

// staple tells what the OCSP answer says that came with the chain, if one did
// or should have.
func (a autopsy) staple() []Line {
	switch a.facts.Stapled {
	case "good":
		return []Line{{Status: StatusOK, Text: "not revoked, says the issuer's OCSP answer that came with it"}}
	case "revoked":
		return []Line{{Status: StatusFail, Text: "revoked, says the issuer's OCSP answer that came with it: it has to be replaced"}}
	case "unknown":
		return []Line{{Status: StatusWarn, Text: "the OCSP answer that came with it says nothing: it is out of date, not from the issuer, or does not know the certificate"}}
	case "missing":
		return []Line{{Status: StatusWarn, Text: "the certificate demands an OCSP answer with it (must-staple), and none came: strict apps refuse it"}}
	}
	return nil
}
