package upstream

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"smtp-proxy/proxy/session"
)

// The bounds of a repair.
const (
	repairTimeout = 3 * time.Second // all look-ups, connections and answers together
	maxHops       = 3               // certificates fetched, one above the other
)

// Broken is a chain that was shown and reaches no trusted root.
type Broken struct {
	Host   string     // the name that the certificate should be for
	Chain  [][]byte   // as sent, in DER, leaf first
	Staple []byte     // the OCSP answer that came with it, if any
	Near   netip.Addr // the smarthost's own address: what is private to it may be asked
	At     time.Time  // when it was shown
}

// Repair finds out what a chain lacks that facts, its judgement, tell of as
// incomplete or untrusted: a root need not be sent and an intermediate must
// be, and from the chain alone the two look alike. The certificates above it
// are fetched from where their issuers publish them (RFC 5280, section
// 4.2.2.1). When the chain reaches a trusted root with them it is incomplete,
// and facts.Repaired holds them; when they lead to a root that is not trusted,
// it is untrusted. Nothing fetched is trusted for a session.
//
// A nil error says that facts are certain now; with any other, which says what
// stood in the way, they are as they were.
func (c *Connector) Repair(ctx context.Context, b Broken, facts *session.TLS) error {
	if facts.RootHint == "" {
		return nil
	}
	chain, err := parseChain(b.Chain)
	if err == nil && len(chain) == 0 {
		err = errors.New("there is no chain")
	}
	if err != nil {
		return fmt.Errorf("repair the chain of %s: %w", b.Host, err)
	}
	ctx, cancel := context.WithTimeout(ctx, repairTimeout)
	defer cancel()
	r := repair{c: c, b: b, v: c.verifier(b.Host, b.At), chain: chain}
	if err := r.climb(ctx); err != nil {
		return fmt.Errorf("repair the chain of %s: %w", b.Host, err)
	}
	r.conclude(facts)
	return nil
}

// repair is one chain on its way up.
type repair struct {
	c       *Connector
	b       Broken
	v       verifier
	chain   []*x509.Certificate // as sent
	fetched []*x509.Certificate // above it, in order
	reached trust               // of the chain with what was fetched
}

// climb fetches issuer after issuer until a trusted root or a root is reached.
func (r *repair) climb(ctx context.Context) error {
	path := linked(r.chain)
	top := path[len(path)-1]
	for range maxHops {
		issuer, err := r.c.issuers.of(ctx, r.c, top, r.b.Near)
		if err != nil {
			return err
		}
		r.fetched, top = append(r.fetched, issuer), issuer
		r.reached = r.v.judge(r.whole(), r.b.Staple)
		if !r.reached.adrift || selfSigned(top) {
			return nil
		}
		if len(top.IssuingCertificateURL) == 0 {
			return nil // only roots have issuers that nobody needs to fetch
		}
	}
	return fmt.Errorf("no root is reached with %d certificates above it", maxHops)
}

// whole is the chain with what was fetched behind the leaf, where no bound on
// its length leaves it out.
func (r *repair) whole() []*x509.Certificate {
	whole := append(r.chain[:1:1], r.fetched...)
	return append(whole, r.chain[1:]...)
}

// conclude writes down what the chain is now known to be.
func (r *repair) conclude(facts *session.TLS) {
	if r.reached.adrift {
		r.c.tell(facts, r.b.Host, r.chain, r.reached)
		return
	}
	lacks := true
	r.v.lacks = &lacks
	r.c.tell(facts, r.b.Host, r.chain, r.v.judge(r.chain, r.b.Staple))
	facts.Repaired = certificates(r.fetched)
}
