package probe

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

const nameCertificate = "certificate"

// Certificate shakes hands with a smarthost, asking for the certificate of
// sni, and says what it shows: the chain, judged and where possible completed,
// and whether it insists on a certificate of the other side. An empty sni
// stands for the target's own name.
func (p *Prober) Certificate(ctx context.Context, t upstream.Target, sni string) session.Entry {
	if sni == "" {
		sni = nameAlone(t.Host)
	}
	leave, err := p.gate.enter(ctx, t)
	if err != nil {
		return p.answer(t, skipped(nameCertificate, err))
	}
	defer leave()
	s, cached, err := p.show(ctx, t, identity{sni: sni, host: orElse(sni, t.Host)})
	if err != nil {
		return p.answer(t, skipped(nameCertificate, err))
	}
	e := s.entry(t)
	e.Probe.Cached = cached
	return p.answer(t, e)
}

// identity is a name to ask for, and the name that the answer must hold.
type identity struct{ sni, host string }

// shown is what a full handshake brought to light.
type shown struct {
	tls   session.TLS
	fault *session.Fault // nil when all went well, to the first reply under TLS
	at    time.Time
}

// show returns what the smarthost shows for a name, remembered or asked. The
// caller has entered the gate.
func (p *Prober) show(ctx context.Context, t upstream.Target, id identity) (s shown, cached bool, err error) {
	g := p.grids.of(t.Name, p.options.Now())
	if s, ok := g.shown(id, p.options); ok {
		return s, true, nil
	}
	ctx, cancel := context.WithTimeout(ctx, p.options.Timeout)
	defer cancel()
	l, err := p.reach(ctx, t)
	if err != nil {
		return shown{}, false, err
	}
	s = p.handshake(ctx, t, l, id)
	g.keepShown(id, s)
	return s, false, nil
}

// handshake goes under TLS and on to the first reply there: under TLS 1.3 a
// smarthost that insists on a certificate says so only behind the handshake.
func (p *Prober) handshake(ctx context.Context, t upstream.Target, l *line, id identity) shown {
	s := shown{at: p.options.Now(), tls: session.TLS{ServerName: id.sni, Chain: []session.Certificate{}}}
	secure := tls.Client(l.conn, s.config())
	began := time.Now()
	err := secure.HandshakeContext(ctx)
	s.tls.Duration = time.Since(began)
	s.fault = upstream.Classify("handshake", err)
	describe(&s.tls, secure.ConnectionState())
	if err == nil {
		l.use(secure)
		s.fault = l.firstReply(t)
	}
	if s.fault == nil {
		l.quit()
	} else {
		l.close()
	}
	p.judge(ctx, addrOf(l.conn.RemoteAddr()), id, &s)
	return s
}

// firstReply waits for the first words under TLS.
func (l *line) firstReply(t upstream.Target) *session.Fault {
	var err error
	if t.Implicit() {
		_, err = l.reply()
	} else {
		_, err = l.say("EHLO " + l.name)
	}
	return upstream.Classify("read", err)
}

// judge says what the chain is worth, and asks its issuers for what it lacks.
func (p *Prober) judge(ctx context.Context, near netip.Addr, id identity, s *shown) {
	broken := upstream.Broken{Host: id.host, Chain: s.tls.Sent, Staple: s.tls.Staple, Near: near, At: s.at}
	p.options.Connector.Judge(s.at, id.host, &s.tls)
	if s.tls.Verify != session.VerifyOK {
		// An error leaves the judgement as it was, which is all there is then.
		_ = p.options.Connector.Repair(ctx, broken, &s.tls)
	}
	if s.fault == nil {
		return
	}
	if strings.Contains(s.fault.Text, "keys are insecure") {
		s.tls.Verify, s.tls.Verified = session.VerifyWeak, false
	}
	if s.tls.Error == "" {
		s.tls.Error = s.fault.Text
	}
}

// config takes any version and suite that the library knows: the question is
// what is shown, not whether it is fit for mail. The chain is taken as it
// comes and judged behind the handshake.
func (s *shown) config() *tls.Config {
	return &tls.Config{
		ServerName:         s.tls.ServerName,
		InsecureSkipVerify: true,
		MinVersion:         tls.VersionTLS10,
		CipherSuites:       librarySuites(),
		VerifyConnection: func(cs tls.ConnectionState) error {
			for _, c := range cs.PeerCertificates {
				s.tls.Sent = append(s.tls.Sent, c.Raw)
			}
			s.tls.Staple = cs.OCSPResponse
			return nil
		},
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			s.tls.AskedCert = true
			return &tls.Certificate{}, nil
		},
	}
}

func librarySuites() []uint16 {
	var ids []uint16
	for _, s := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		ids = append(ids, s.ID)
	}
	return ids
}

// wantsCertificate reports a handshake that ended for want of a certificate of
// this side.
func (s *shown) wantsCertificate() bool {
	return s.tls.AskedCert && s.fault != nil && s.fault.Class != session.FaultTimeout
}

// entry words what was shown.
func (s *shown) entry(t upstream.Target) session.Entry {
	facts := s.tls
	e := session.Entry{TLS: &facts, Fault: s.fault, Probe: &session.Probe{Name: nameCertificate, Result: resultOK}}
	if len(facts.Chain) > 0 {
		e.Text = chainWords(t, &facts)
	}
	switch {
	case s.wantsCertificate():
		e.Probe.Cause = "tls.client-certificate-required"
		e.Text = sentence(e.Text, fmt.Sprintf("%s asks for a client certificate and ends the connection without one", t.Name))
	case s.fault != nil && len(facts.Chain) == 0:
		e.Text = fmt.Sprintf("no certificate of %s seen: %s", t.Name, s.fault.Text)
	case !facts.Verified:
		e.Probe.Cause = trustCause(facts.Verify)
	}
	if s.fault != nil || !facts.Verified {
		e.Probe.Result = resultFail
	}
	return e
}

// chainWords say what was shown and what it is worth.
func chainWords(t upstream.Target, facts *session.TLS) string {
	if facts.Error != "" && facts.Verify != session.VerifyOK {
		return facts.Error
	}
	leaf := facts.Chain[0]
	return fmt.Sprintf("%s shows a certificate for %s, in date until %s, that verifies", t.Name,
		firstOf(leaf.Names, leaf.Subject), leaf.NotAfter.UTC().Format(time.DateOnly))
}

// trustCause is the cause of a chain that fails verification.
func trustCause(v session.VerifyFault) string {
	switch v {
	case session.VerifyExpired:
		return "tls.certificate-expired"
	case session.VerifyNotYetValid:
		return "tls.certificate-not-yet-valid"
	case session.VerifyName:
		return "tls.certificate-name-mismatch"
	case session.VerifySelfSigned:
		return "tls.certificate-self-signed"
	case session.VerifyIncomplete:
		return "tls.chain-incomplete"
	case session.VerifyWeak:
		return "tls.certificate-weak"
	case session.VerifyRevoked:
		return "tls.certificate-revoked"
	}
	return "tls.certificate-untrusted"
}
