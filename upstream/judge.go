package upstream

import (
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"time"

	"smtp-proxy/proxy/session"
)

// maxKeyBits is the longest RSA key that is reckoned with, as in crypto/tls:
// the work of a signature grows with the cube of it.
const maxKeyBits = 8192

// Judge fills in what the chain says that was read on its way between app and
// upstream: facts.Sent is judged as Secure would judge it for host at that
// moment, together with facts.Staple, and both are dropped. Where TLS 1.3 has
// hidden the chain there is nothing to judge and nothing is filled in. It asks
// nobody anything.
func (c *Connector) Judge(now time.Time, host string, facts *session.TLS) {
	sent, staple := facts.Sent, facts.Staple
	facts.Sent, facts.Staple = nil, nil
	if len(sent) == 0 {
		return
	}
	key := keyOfJudgement(host, sent, staple)
	if c.judged.recall(key, now, facts) {
		return
	}
	chain, err := parseChain(sent)
	if err != nil {
		facts.Chain = certificates(chain)
		facts.Verified, facts.Verify, facts.Error = false, session.VerifyOther, err.Error()
		return
	}
	c.tell(facts, host, chain, c.verifier(host, now).judge(chain, staple))
	c.judged.keep(key, now, chain, facts)
}

func (c *Connector) verifier(host string, now time.Time) verifier {
	return verifier{roots: c.options.Roots, host: host, now: now}
}

// tell writes a judgement into the facts of its handshake.
func (c *Connector) tell(facts *session.TLS, host string, chain []*x509.Certificate, t trust) {
	facts.Chain = c.chains.facts(chainKey{host: host}, chain)
	facts.Path = nil
	if t.path != nil {
		facts.Path = c.chains.facts(chainKey{host: host, verified: true}, t.path)
	}
	facts.Verified = t.fault == session.VerifyOK
	facts.Verify, facts.Error = t.fault, t.words
	facts.Stapled, facts.RootHint = t.stapled, t.lacks
	facts.Interceptor = c.suspects.between(host, chain, t)
}

// parseChain reads certificates in DER, leaf first, and returns those before
// the first that cannot be read or would cost too much to check.
func parseChain(sent [][]byte) ([]*x509.Certificate, error) {
	var chain []*x509.Certificate
	for i, der := range sent[:min(len(sent), maxChain)] {
		cert, err := parseCertificate(der)
		if err != nil {
			return chain, fmt.Errorf("certificate %d of the chain as sent cannot be read: %w", i+1, err)
		}
		chain = append(chain, cert)
	}
	return chain, nil
}

func parseCertificate(der []byte) (*x509.Certificate, error) {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	if key, ok := cert.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() > maxKeyBits {
		return nil, fmt.Errorf("its RSA key of %d bits is longer than %d", key.N.BitLen(), maxKeyBits)
	}
	return cert, nil
}
