package probe

import (
	"context"
	"time"

	"smtp-proxy/proxy/session"
)

const nameChain = "chain"

// ChainStep takes the certificates apart that the smarthost shows: each of
// them as it was sent, then whether they lead to a trusted root, whether they
// are for this host, and what an OCSP answer says.
func (steps) ChainStep() step {
	return step{
		name: nameChain, rank: 51, after: []string{nameDialogue},
		about: "the certificates as sent: order, dates, keys, names, what is missing",
		run:   runChain,
	}
}

func runChain(ctx context.Context, x *examination) {
	seen, why := x.handshake()
	if seen == nil {
		x.say(nameChain, Line{Status: StatusSkip, Text: why})
		return
	}
	began := time.Now()
	seen, why = x.chainSeen(ctx, seen)
	if len(seen.Chain) == 0 {
		x.say(nameChain, Line{Status: StatusSkip, Text: why, Took: time.Since(began)})
		return
	}
	a := autopsy{facts: seen, host: x.known.spoken.Host, now: x.prober.options.Now()}
	for i, l := range a.lines() {
		if i == 0 {
			l.Took = time.Since(began)
		}
		x.say(nameChain, l)
	}
}

// chainSeen returns the chain of the dialogue. Where that saw none, or one that
// lacks a certificate nobody has fetched yet, another handshake is made, which
// takes what programs of today refuse, and asks the issuers.
func (x *examination) chainSeen(ctx context.Context, seen *session.TLS) (better *session.TLS, why string) {
	fetched := seen.Verify != session.VerifyIncomplete || len(seen.Repaired) > 0
	if len(seen.Chain) > 0 && fetched {
		return seen, ""
	}
	e := x.prober.Certificate(ctx, x.known.spoken, "")
	x.answer(e)
	if e.TLS == nil || len(e.TLS.Chain) == 0 {
		return seen, "not examined: " + e.Text
	}
	if len(seen.Chain) > 0 && !sameCertificate(&seen.Chain[0], &e.TLS.Chain[0]) {
		return seen, ""
	}
	return e.TLS, ""
}

// sameCertificate compares what is known of two certificates: issuers number
// those that they issue (RFC 5280, section 4.1.2.2).
func sameCertificate(a, b *session.Certificate) bool {
	return a.Serial == b.Serial && a.Issuer == b.Issuer && a.Subject == b.Subject && a.NotAfter.Equal(b.NotAfter)
}
