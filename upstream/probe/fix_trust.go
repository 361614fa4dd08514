package probe

import (
	"context"
	"fmt"

	"smtp-proxy/proxy/session"
)

// TrustRemedy looks how far a session comes once the certificate is trusted,
// where trust is all that it lacks: that is this side's to give.
func (remedies) TrustRemedy() remedy { return remedy{cost: 45, propose: trusted} }

func trusted(_ context.Context, _ *search, at outcome) []settings {
	e := at.handshake()
	if !at.failedAt(partCertificate) || e == nil || e.TLS == nil || at.began.trusts != "" {
		return nil
	}
	next := at.began
	switch next.trusts = orElse(e.TLS.RootHint, lastIssuer(e.TLS)); e.TLS.Verify {
	case session.VerifySelfSigned:
		next.trusts = "its own certificate"
	case session.VerifyUntrusted:
		next.trusts = fmt.Sprintf("the authority %q", shortName(next.trusts))
	case session.VerifyIncomplete:
		next.trusts = fmt.Sprintf("the intermediate certificate %q, which the smarthost should send and does not", shortName(next.trusts))
	default:
		return nil
	}
	next.target.Mode = at.target.Mode
	return []settings{next}
}

func lastIssuer(facts *session.TLS) string {
	if n := len(facts.Chain); n > 0 {
		return facts.Chain[n-1].Issuer
	}
	return "unknown"
}
