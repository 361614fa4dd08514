package upstream

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"smtp-proxy/proxy/session"
)

// The measures of the notes on a certificate that is accepted.
const (
	expirySoon = 30 * 24 * time.Hour
	// shortLived is the longest life of a certificate that is renewed every few
	// days by design (CA/Browser Forum, Baseline Requirements, section 1.6.1): a
	// month's notice would never be silent.
	shortLived = 10 * 24 * time.Hour
	soundRSA   = 2048 // bits (NIST SP 800-57, part 1, table 2)
)

// ExpiryNote says which certificate of a trusted chain ends soon: from 30 days
// before, with a short-lived one from the last third of its life. It is a
// note, no fault: the chain is in order today. A chain that is not trusted has
// a failure to tell, so none is due.
func ExpiryNote(facts *session.TLS, now time.Time) (text string, due bool) {
	if facts == nil || !facts.Verified {
		return "", false
	}
	path := facts.Path[:max(0, len(facts.Path)-1)] // the root is this machine's own
	if len(path) == 0 {
		path = facts.Chain[:min(1, len(facts.Chain))]
	}
	first := -1
	for i := range path {
		if endsSoon(&path[i], now) && (first < 0 || path[i].NotAfter.Before(path[first].NotAfter)) {
			first = i
		}
	}
	if first < 0 {
		return "", false
	}
	what := "the smarthost's certificate"
	if first > 0 {
		what = fmt.Sprintf("the certificate of its issuer, %s,", path[first].Subject)
	}
	end := path[first].NotAfter
	return fmt.Sprintf("%s ends on %s, in %s: renewed by then, nothing fails", what, day(end), span(end.Sub(now))), true
}

func endsSoon(c *session.Certificate, now time.Time) bool {
	soon := expirySoon
	if life := c.NotAfter.Sub(c.NotBefore); life <= shortLived {
		soon = life / 3
	}
	return c.NotAfter.Sub(now) <= soon
}

// StrengthNote says which key of a trusted chain is accepted and yet shorter
// than it should be today: RSA below 2048 bits. What is weaker still, RSA below
// 1024 bits or a signature with SHA-1 or MD5, is refused and needs no note.
func StrengthNote(facts *session.TLS) (text string, due bool) {
	if facts == nil || !facts.Verified {
		return "", false
	}
	for i, c := range facts.Chain {
		digits, isRSA := strings.CutPrefix(c.Key, "RSA ")
		bits, err := strconv.Atoi(digits)
		if !isRSA || err != nil || bits >= soundRSA {
			continue
		}
		what := "the smarthost's certificate"
		if i > 0 {
			what = fmt.Sprintf("the issuer's certificate, %s,", c.Subject)
		}
		return fmt.Sprintf("%s has an RSA key of %d bits: it is accepted, but %d bits are the least that is sound today", what, bits, soundRSA), true
	}
	return "", false
}

// Notes are what there is to say of the certificate behind a handshake that
// went well, as entries of the upstream leg; none for most.
func Notes(facts *session.TLS, now time.Time) []session.Entry {
	var notes []session.Entry
	add := func(odd session.Oddity, text string, due bool) {
		if due {
			notes = append(notes, session.Entry{
				At: now, Leg: session.Upstream, From: session.FromProxy, Kind: session.KindNote, Phase: session.PhaseTLS,
				Secure: true, Odd: odd, Text: text,
			})
		}
	}
	text, due := ExpiryNote(facts, now)
	add(session.OddExpiring, text, due)
	text, due = StrengthNote(facts)
	add(session.OddShortKey, text, due)
	return notes
}
