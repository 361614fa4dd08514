package probe

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/miekg/dns"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

const nameDANE = "dane"

// The bounds of what is read for DANE.
const (
	maxTLSA    = 20
	maxDANEKey = 8192 // bits of an RSA key; beyond them a signature costs too much
)

// DANEStep holds the certificate that a mail exchanger shows against its TLSA
// records (RFC 7672). No signature of the DNS is checked here: whether the
// records are vouched for is the resolver's word.
func (steps) DANEStep() step {
	return step{
		name: nameDANE, rank: 53, after: []string{nameDNS, nameMX, nameDialogue},
		about: "the TLSA records of a mail exchanger, held against the certificate it shows",
		run:   runDANE,
	}
}

func runDANE(ctx context.Context, x *examination) {
	c := x.prober.options.Connector
	if why := x.exchangerOnly(); why != "" {
		x.say(nameDANE, Line{Status: StatusSkip, Text: why})
		return
	}
	began := time.Now()
	d := &danePlace{names: append([]string{x.known.mailAs, x.target.Host}, x.known.mailFor...)}
	d.find(ctx, c, []string{x.known.alias, x.known.mailAs}, x.target.Port)
	if len(d.records) > 0 && len(d.usable()) > 0 {
		d.see(ctx, x)
		d.trust = trustOf(ctx, c, d.validated)
	}
	if ctx.Err() != nil {
		return
	}
	status, text := d.verdict()
	took := time.Since(began)
	x.say(nameDANE, Line{Status: status, Text: text, Took: took})
	e := d.entry(status, text)
	e.Probe.Duration = took
	x.answer(x.prober.answer(x.target, e))
}

// danePlace is where the records of one port stand, and what they are held
// against.
type danePlace struct {
	owner     string // _25._tcp.mx.example.com
	base      string // mx.example.com, for which the certificate is asked
	names     []string
	server    string
	records   []tlsa
	results   []held // of each record, once the chain was seen
	validated bool
	trust     daneTrust
	chain     []*x509.Certificate
	unseen    error          // why there is no chain
	fault     *session.Fault // of the DNS, where there is no answer
}

// find asks for the records under the name at the end of the aliases, then
// under the first (RFC 7672, section 2.2.2).
func (d *danePlace) find(ctx context.Context, c *upstream.Connector, bases []string, port int) {
	bases = slices.DeleteFunc(bases, func(s string) bool { return s == "" })
	for _, base := range slices.Compact(bases) {
		d.base, d.owner = base, fmt.Sprintf("_%d._tcp.%s", port, base)
		r := c.LookupValidated(ctx, d.owner, dns.TypeTLSA)
		d.server, d.validated, d.fault = r.Lookup.Server, r.Validated, nil
		if r.Fault != nil && r.Fault.Class != session.FaultNoSuchHost {
			d.fault = r.Fault
			return
		}
		for _, rr := range r.List[:min(len(r.List), maxTLSA)] {
			d.records = append(d.records, tlsaOf(rr.(*dns.TLSA)))
		}
		if len(d.records) > 0 {
			d.names = append(d.names, base)
			return
		}
	}
}

// usable are the records that senders go by.
func (d *danePlace) usable() []tlsa {
	return slices.DeleteFunc(slices.Clone(d.records), func(r tlsa) bool { return r.flaw() != "" })
}

// see fetches the chain and holds the records against it.
func (d *danePlace) see(ctx context.Context, x *examination) {
	d.chain, d.unseen = x.chainFor(ctx, d.base)
	if d.unseen != nil {
		return
	}
	for _, r := range d.records {
		err := r.vouches(d.chain, d.names, x.prober.options.Now())
		d.results = append(d.results, held{record: r, err: err})
	}
}

// chainFor reads the chain that the smarthost shows for a name, as it is sent.
func (x *examination) chainFor(ctx context.Context, name string) ([]*x509.Certificate, error) {
	t := x.target
	if x.known.spoken.Name != "" {
		t = x.known.spoken
	}
	greeted := slices.ContainsFunc(x.known.dialogue, func(e session.Entry) bool { return e.Kind == session.KindGreeting || e.TLS != nil })
	if len(x.known.dialogue) > 0 && !greeted {
		return nil, errors.New("it was not reached")
	}
	leave, err := x.prober.gate.enter(ctx, t)
	if err != nil {
		return nil, err
	}
	defer leave()
	r, err := x.prober.ask(ctx, t, widest(name))
	switch {
	case err != nil:
		return nil, err
	case r.fault != nil:
		return nil, errors.New(r.fault.Text)
	case len(r.chain) == 0:
		return nil, errors.New("its certificate could not be read")
	}
	return parseSent(r.chain)
}

// parseSent reads certificates in DER.
func parseSent(sent [][]byte) (chain []*x509.Certificate, err error) {
	for i, der := range sent[:min(len(sent), 16)] {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("certificate %d of its chain cannot be read: %w", i+1, err)
		}
		if key, ok := c.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() > maxDANEKey {
			return nil, fmt.Errorf("certificate %d of its chain has an RSA key of %d bits, longer than %d", i+1, key.N.BitLen(), maxDANEKey)
		}
		chain = append(chain, c)
	}
	return chain, nil
}

// entry is the answer for the diagnosis.
func (d *danePlace) entry(status Status, text string) session.Entry {
	e := session.Entry{Text: text, Probe: &session.Probe{Name: nameDANE, Result: resultOK}}
	switch status {
	case StatusFail:
		e.Probe.Result = resultFail
	case StatusSkip:
		e.Probe.Result = resultSkip
	}
	for i, r := range d.records {
		found := session.Found{What: r.String(), Result: "unknown", Text: r.flaw()}
		if i < len(d.results) {
			found = d.results[i].found()
		}
		e.Probe.Found = append(e.Probe.Found, found)
	}
	return e
}
