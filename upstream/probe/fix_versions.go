package probe

import (
	"context"
	"fmt"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
)

// VersionsRemedy finds out whether the smarthost takes what this program no
// longer offers. Then only the app itself can make TLS with it.
func (remedies) VersionsRemedy() remedy { return remedy{cost: 50, advise: olderTLS} }

func olderTLS(ctx context.Context, s *search, at outcome) (outcome, bool) {
	e := at.handshake()
	if !at.failedAt(partTLS) || e == nil || e.Fault == nil || !nothingInCommon(e.Fault) || s.left == 0 {
		return outcome{}, false
	}
	s.left--
	p, done, err := s.proberFor(at.began)
	if err != nil {
		return outcome{}, false
	}
	defer done()
	limited, cancel := context.WithTimeout(ctx, trialWait)
	defer cancel()
	r, err := p.ask(limited, at.target, widest(nameAlone(at.target.Host)))
	if err != nil || !r.taken() || r.server == nil {
		return outcome{}, false
	}
	version, suite := wire.VersionName(r.server.Version), wire.SuiteName(r.server.Suite)
	at.advised = fmt.Sprintf("let the app make TLS with the smarthost itself, and let it offer %s with %s: smtp-proxy's own TLS does not go down to that",
		version, suite)
	if r.server.Version < wire.VersionTLS12 {
		at.advised = fmt.Sprintf("let the app make TLS with the smarthost itself, its lowest version set to %s (with OpenSSL: MinProtocol and SECLEVEL=0): smtp-proxy's own TLS begins at TLS 1.2", version)
	}
	at.flags = []string{"--tls passthrough"}
	at.failed, at.stage = partCertificate, stageTLS
	at.why = "an old smarthost: whether the app trusts its certificate was not tried"
	return at, true
}

// nothingInCommon reports a handshake that may have ended for want of a version,
// a suite or a group.
func nothingInCommon(f *session.Fault) bool {
	switch f.Class {
	case session.FaultVersion, session.FaultCipher:
		return true
	case session.FaultAlert:
		return f.Alert == alertHandshakeFailure || f.Alert == alertProtocolVersion || f.Alert == alertInsufficient
	}
	return false
}
