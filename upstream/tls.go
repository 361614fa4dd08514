package upstream

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"smtp-proxy/proxy/session"
)

// Secure shakes hands with the smarthost and verifies its certificate. The
// facts are never nil and hold what is known, be it only the name asked for;
// the chain is as the peer sent it, trusted or not. The connection is nil
// exactly when there is a fault; then the caller closes conn. With
// Options.Insecure a certificate that fails verification is no fault, but the
// facts say what is wrong with it.
func (c *Connector) Secure(ctx context.Context, conn net.Conn, t Target) (*tls.Conn, *session.TLS, *session.Fault) {
	ctx, cancel := context.WithTimeout(ctx, c.options.HandshakeTimeout)
	defer cancel()
	h := newHandshake(c, t)
	tap := NewTap(conn)
	defer tap.Done()
	secure := tls.Client(tap, h.config())
	began := time.Now()
	err := secure.HandshakeContext(ctx)
	h.facts.Duration = time.Since(began)
	describe(h.facts, secure.ConnectionState())
	if err == nil {
		return secure, h.facts, nil
	}
	return nil, h.facts, h.blame(err, tap)
}

// handshake is one attempt to secure the upstream leg.
type handshake struct {
	c        *Connector
	target   Target
	facts    *session.TLS
	distrust string    // why the chain is not trusted; empty when it is, or has not come
	until    time.Time // how long the session may be resumed; zero means not at all
	trust    trust     // the judgement of the chain
	recalled ticket    // of an earlier session, which may be resumed
}

func newHandshake(c *Connector, t Target) *handshake {
	return &handshake{c: c, target: t, facts: &session.TLS{ServerName: serverName(t.Host), Chain: []session.Certificate{}}}
}

// serverName is what SNI carries: a host name, never an address (RFC 6066,
// section 3).
func serverName(host string) string {
	if _, err := netip.ParseAddr(host); err == nil {
		return ""
	}
	return host
}

// config has Go's default versions and suites. The library's verification is
// off because it keeps no chain that fails; verify stands in its place, and
// what it refuses ends the handshake with an alert, as the library's would.
func (h *handshake) config() *tls.Config {
	return &tls.Config{
		ServerName:         h.facts.ServerName,
		InsecureSkipVerify: true,
		VerifyConnection:   h.verify,
		ClientSessionCache: &ticketBox{h.c.tickets, h},
		KeyLogWriter:       h.c.options.KeyLog,

		GetClientCertificate: h.noCertificate,
	}
}

// noCertificate notes that the smarthost asked for a certificate, and sends
// none. Many ask and do without.
func (h *handshake) noCertificate(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	h.facts.AskedCert = true
	return &tls.Certificate{}, nil
}

// verify judges the chain, be it of a full or a resumed handshake.
func (h *handshake) verify(cs tls.ConnectionState) error {
	h.trust = h.judge(cs)
	h.c.tell(h.facts, h.target.Host, cs.PeerCertificates, h.trust)
	if h.facts.Verified {
		h.until = endOf(h.trust.path)
		return nil
	}
	h.c.tickets.forget(h.target.Name)
	if h.c.options.Insecure {
		return nil
	}
	h.distrust = h.trust.words
	return fmt.Errorf("x509: %s", h.trust.words)
}

// judge verifies the chain of a full handshake. A resumed session has that of
// the handshake it goes back to, and is not kept beyond its end.
func (h *handshake) judge(cs tls.ConnectionState) trust {
	known := h.recalled.trust
	if cs.DidResume && len(cs.PeerCertificates) > 0 && known.path != nil && known.path[0].Equal(cs.PeerCertificates[0]) {
		return known
	}
	v := h.c.verifier(h.target.Host, time.Now())
	v.asked = true
	return v.judge(cs.PeerCertificates, cs.OCSPResponse)
}

// blame says what ended the handshake.
func (h *handshake) blame(err error, tap *Tap) *session.Fault {
	if h.distrust != "" {
		return &session.Fault{Op: opHandshake, Class: session.FaultCertificate, Alert: alertBadCertificate, Sent: true, Text: h.distrust}
	}
	f := faultOfHandshake(err, tap)
	if f.Class == session.FaultCertificate {
		h.facts.Verify = session.VerifyOther
		if strings.Contains(f.Text, "keys are insecure") {
			h.facts.Verify = session.VerifyWeak
		}
	}
	h.facts.Error = f.Text
	return f
}

// faultOfHandshake classifies err by itself and by the peer's bytes: a
// peer that says a few words of text and closes is not speaking TLS, whatever
// the error.
func faultOfHandshake(err error, tap *Tap) *session.Fault {
	first := tap.first
	f := Classify(opHandshake, err)
	switch {
	case f.Class == session.FaultLocal:
	case f.Class == session.FaultClosed && saysGoodbye(first):
		f.Class, f.Text = session.FaultAlert, "remote error: "+tls.AlertError(0).Error()
	case f.Sent && f.Alert == alertBadRecordMAC:
		if number, ok := tap.clearAlert(); ok {
			return &session.Fault{Op: opHandshake, Class: session.FaultAlert, Alert: number, Text: "remote error: " + tls.AlertError(number).Error()}
		}
	case len(first) >= 2 && !looksLikeTLS(first):
		f.Class, f.Errno = session.FaultNotTLS, ""
	}
	if f.Class == session.FaultNotTLS && len(first) > 0 {
		f.First = slices.Clone(first)
	}
	return f
}

// saysGoodbye reports whether a peer's only word was close_notify, which the
// library reports as a plain end.
func saysGoodbye(first []byte) bool {
	return len(first) == 7 && first[0] == 21 && looksLikeTLS(first) && first[6] == 0
}

// describe takes over what a handshake has settled so far.
func describe(facts *session.TLS, cs tls.ConnectionState) {
	if cs.Version != 0 {
		facts.Version = tls.VersionName(cs.Version)
	}
	if cs.CipherSuite != 0 {
		facts.Cipher = tls.CipherSuiteName(cs.CipherSuite)
	}
	if cs.CurveID != 0 {
		facts.Group = groupName(cs.CurveID)
	}
	facts.ALPN = cs.NegotiatedProtocol
	facts.Resumed = cs.DidResume
}

// groupName writes P-256 as certificates and other tools do.
func groupName(id tls.CurveID) string {
	if size, isCurve := strings.CutPrefix(id.String(), "CurveP"); isCurve {
		return "P-" + size
	}
	return id.String()
}
