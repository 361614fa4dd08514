package probe_test

import (
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/miekg/dns"

	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

// record is the data of a TLSA record for a certificate in DER.
func record(t *testing.T, usage, selector, matching int, der []byte) string {
	t.Helper()
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	data := cert.Raw
	if selector == 1 {
		data = cert.RawSubjectPublicKeyInfo
	}
	switch sum, long := sha256.Sum256(data), sha512.Sum512(data); matching {
	case 1:
		data = sum[:]
	case 2:
		data = long[:]
	}
	return fmt.Sprintf("%d %d %d %x", usage, selector, matching, data)
}

// exchangers is a world with one mail exchanger, whose certificate is cert.
func exchangers(t *testing.T, cert tls.Certificate, s testenv.SmarthostOptions) (*world, upstream.Target, string) {
	t.Helper()
	s.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	addr := netip.MustParseAddrPort(start(t, s).Addr())
	w := newWorld(t, settings{})
	w.dns.MX("good.example", "10 mx.good.example.")
	w.dns.A("mx.good.example", "127.0.0.1")
	return w, at("mx.good.example", int(addr.Port())), fmt.Sprintf("_%d._tcp.mx.good.example", addr.Port())
}

func TestDANEStep(t *testing.T) {
	ca := newCA(t)
	cert, err := ca.Leaf("mx.good.example")
	if err != nil {
		t.Fatal(err)
	}
	leaf, issuer, root := cert.Certificate[0], cert.Certificate[1], ca.Root().Raw
	other, err := testenv.SelfSigned("mx.good.example")
	if err != nil {
		t.Fatal(err)
	}
	old := record(t, 3, 1, 1, other.Certificate[0])
	w, target, owner := exchangers(t, cert, testenv.SmarthostOptions{})
	const vouched, unsigned, unknown = "DNSSEC vouches for it", "DNSSEC does not vouch for it", "does not validate"
	for name, x := range map[string]struct {
		records []string
		signed  []string
		want    string
	}{
		"none":                {nil, nil, "ok no TLSA record at " + owner},
		"key":                 {[]string{record(t, 3, 1, 1, leaf)}, []string{owner}, "ok 3 1 1 …fits the certificate shown; " + vouched},
		"certificate, SHA512": {[]string{record(t, 3, 0, 2, leaf)}, []string{owner}, "ok 3 0 2 …" + vouched},
		"whole":               {[]string{record(t, 3, 0, 0, leaf)}, []string{owner}, "ok 3 0 0 …" + vouched},
		"rollover":            {[]string{old, record(t, 3, 1, 1, leaf)}, []string{owner}, "ok 3 1 1 …(another record does not); " + vouched},
		"issuer":              {[]string{record(t, 2, 0, 1, issuer)}, []string{owner}, "ok 2 0 1 …" + vouched},
		"root, whole":         {[]string{record(t, 2, 0, 0, root)}, []string{owner}, "ok 2 0 0 …" + vouched},
		"root, not sent":      {[]string{record(t, 2, 0, 1, root)}, []string{owner}, "fail no TLSA record…of no authority in the chain as sent…deliver nothing"},
		"another":             {[]string{old}, []string{owner}, "fail no TLSA record at " + owner + " fits…(3 1 1 …another certificate), for which it would be " + record(t, 3, 1, 1, leaf) + "; senders that use DANE deliver nothing"},
		"another, unsigned":   {[]string{old}, []string{"."}, "warn no TLSA record…senders pass these records over"},
		"another, unknown":    {[]string{old}, nil, "warn no TLSA record…if the zone is signed…" + unknown},
		"unsigned":            {[]string{record(t, 3, 1, 1, leaf)}, []string{"."}, "warn 3 1 1 …fits…" + unsigned},
		"unknown":             {[]string{record(t, 3, 1, 1, leaf)}, nil, "ok 3 1 1 …fits…" + unknown},
		"public authority":    {[]string{record(t, 1, 1, 1, leaf)}, []string{owner}, "warn senders use none of the TLSA records…usage 1 relies on public authorities"},
		"short":               {[]string{"3 1 1 0011"}, []string{owner}, "warn senders use none…2 octets of data where 32 are due"},
	} {
		w.dns.Remove(owner)
		for _, r := range x.records {
			w.dns.Add(owner + ". 60 IN TLSA " + r)
		}
		w.dns.Unsign()
		w.dns.Sign(x.signed...)
		expect(t, name, w.ladder(t, target, probe.Wanted{}, "dane"), x.want)
	}
	w.dns.Trouble(owner, testenv.Servfail, dns.TypeTLSA)
	expect(t, "no answer", w.ladder(t, target, probe.Wanted{}, "dane"), "warn the question for "+owner+" TLSA has no answer here: …SERVFAIL…; senders that use DANE and get none either put mail off")
	expect(t, "a smarthost", w.ladder(t, at("127.0.0.1", target.Port), probe.Wanted{}, "dane"), "skip 127.0.0.1 is not known to be a mail exchanger")
}

// TestDANEAuthorityNames has a chain beneath the right authority, for another
// host: an authority's record does not make up for the name, the host's own
// does.
func TestDANEAuthorityNames(t *testing.T) {
	cert, err := newCA(t).Leaf("other.example")
	if err != nil {
		t.Fatal(err)
	}
	w, target, owner := exchangers(t, cert, testenv.SmarthostOptions{})
	w.dns.Sign(owner)
	w.dns.Add(owner + ". 60 IN TLSA " + record(t, 2, 1, 1, cert.Certificate[1]))
	expect(t, "authority", w.ladder(t, target, probe.Wanted{}, "dane"), "fail no TLSA record…for none of the names mx.good.example")
	w.dns.Add(owner + ". 60 IN TLSA " + record(t, 3, 1, 1, cert.Certificate[0]))
	expect(t, "its own", w.ladder(t, target, probe.Wanted{}, "dane"), "ok 3 1 1 …(another record does not)")
}

// TestDANEWithoutTLS has records, and a smarthost that shows no certificate.
func TestDANEWithoutTLS(t *testing.T) {
	cert, err := newCA(t).Leaf("mx.good.example")
	if err != nil {
		t.Fatal(err)
	}
	w, target, owner := exchangers(t, cert, testenv.SmarthostOptions{NoTLS: true})
	w.dns.Sign(owner)
	w.dns.Add(owner + ". 60 IN TLSA " + record(t, 3, 1, 1, cert.Certificate[0]))
	expect(t, "no STARTTLS", w.ladder(t, target, probe.Wanted{}, "dane"), "fail there are TLSA records at "+owner+", and no TLS: …deliver nothing")
	port := closedPort(t)
	w.dns.Add(fmt.Sprintf("_%d._tcp.mx.good.example. 60 IN TLSA 3 1 1 %064d", port, 0))
	expect(t, "closed", w.ladder(t, at("mx.good.example", port), probe.Wanted{}, "dane"), "skip there are TLSA records at …no certificate to hold them against")
}

// TestDANEAlias looks under the name at the end of the aliases first, and says
// in its answer what became of each record.
func TestDANEAlias(t *testing.T) {
	cert, err := newCA(t).Leaf("mx.good.example")
	if err != nil {
		t.Fatal(err)
	}
	w, target, owner := exchangers(t, cert, testenv.SmarthostOptions{})
	w.dns.CNAME("mail.good.example", "mx.good.example")
	w.dns.MX("alias.example", "10 mail.good.example.")
	w.dns.Add(owner + ". 60 IN TLSA " + record(t, 3, 1, 1, cert.Certificate[0]))
	w.dns.Add(owner + ". 60 IN TLSA 3 1 1 00")
	w.dns.Add(owner + ". 60 IN TLSA " + record(t, 3, 1, 1, cert.Certificate[1]))
	r := w.Check(t.Context(), at("mail.good.example", target.Port), probe.Wanted{
		Steps: []string{"dane"}, Script: probe.Script{To: "me@alias.example"},
	}, func(probe.Line) {})
	last := r.Answers[len(r.Answers)-1].Probe
	var results []string
	for _, f := range last.Found {
		results = append(results, f.Result)
	}
	if want := []string{"match", "unusable", "mismatch"}; last.Name != "dane" || last.Result != "ok" || !slices.Equal(results, want) {
		t.Errorf("got %s %s with %q, want dane ok with %q", last.Name, last.Result, results, want)
	}
}
