package upstream

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"
)

// The bounds of what is remembered of issuers' certificates.
const (
	maxIssuers   = 64
	keepIssuer   = time.Hour
	keepTrouble  = 5 * time.Minute
	maxAddresses = 2 // of one certificate's, where its issuer is published
)

// issuers fetches the certificates of those who have signed others, and
// remembers them by where they are published. A failure is remembered too: a
// place that does not answer is not asked by each session anew.
type issuers struct {
	mu    sync.Mutex
	known map[issuerKey]published
}

// issuerKey is where a certificate is published and what kind of address may
// be asked there: what is refused for one smarthost may be open to another.
type issuerKey struct {
	url   string
	place place
}

// published is what was found at one URL.
type published struct {
	certs []*x509.Certificate
	err   error
	until time.Time
}

func newIssuers() *issuers { return &issuers{known: map[issuerKey]published{}} }

// of fetches the certificate that has signed cert.
func (i *issuers) of(ctx context.Context, c *Connector, cert *x509.Certificate, near netip.Addr) (*x509.Certificate, error) {
	urls := cert.IssuingCertificateURL
	if len(urls) == 0 {
		return nil, fmt.Errorf("the certificate %q does not say where that of its issuer %q is published", nameOf(cert), issuerName(cert))
	}
	var trouble error
	for _, url := range urls[:min(len(urls), maxAddresses)] {
		certs, err := i.at(ctx, c, url, near)
		issuer := signerOf(cert, certs)
		switch {
		case err != nil:
			trouble = errors.Join(trouble, fmt.Errorf("fetch %s: %w", shownURL(url), err))
		case issuer == nil:
			trouble = errors.Join(trouble, fmt.Errorf("fetch %s: no certificate there has signed %q", shownURL(url), nameOf(cert)))
		default:
			return issuer, nil
		}
	}
	return nil, trouble
}

// at returns the certificates published at url.
func (i *issuers) at(ctx context.Context, c *Connector, url string, near netip.Addr) ([]*x509.Certificate, error) {
	key := issuerKey{url: url, place: placeOf(near)}
	if p, ok := i.recall(key, time.Now()); ok {
		return p.certs, p.err
	}
	certs, err := c.fetchIssuer(ctx, url, near)
	if err != nil && errors.Is(ctx.Err(), context.Canceled) {
		return nil, err // says nothing about the place
	}
	i.keep(key, certs, err)
	return certs, err
}

func (i *issuers) recall(key issuerKey, now time.Time) (published, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	p, ok := i.known[key]
	return p, ok && now.Before(p.until)
}

func (i *issuers) keep(key issuerKey, certs []*x509.Certificate, err error) {
	until := time.Now().Add(keepIssuer)
	if err != nil {
		until = time.Now().Add(keepTrouble)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	for other := range i.known {
		if len(i.known) < maxIssuers {
			break
		}
		delete(i.known, other)
	}
	i.known[key] = published{certs: certs, err: err, until: until}
}
