package probe_test

import (
	"crypto/tls"
	"slices"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

// serve starts a smarthost that shows a certificate.
func serve(t *testing.T, cert tls.Certificate, err error) upstream.Target {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	cfg := &tls.Config{Certificates: []tls.Certificate{cert}}
	return target(start(t, testenv.SmarthostOptions{TLS: cfg}).Addr(), upstream.ModeSTARTTLS)
}

// with appends certificates to what is sent.
func with(cert tls.Certificate, more ...[]byte) tls.Certificate {
	cert.Certificate = append(slices.Clone(cert.Certificate), more...)
	return cert
}

func TestChain(t *testing.T) {
	ca, other := newCA(t), newCA(t)
	leaf, err := ca.Leaf(host)
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := other.Leaf("mail.other.example")
	if err != nil {
		t.Fatal(err)
	}
	rooted, err := ca.WithRoot(host)
	if err != nil {
		t.Fatal(err)
	}
	jumbled := rooted
	jumbled.Certificate = [][]byte{rooted.Certificate[0], rooted.Certificate[2], rooted.Certificate[1]}
	const (
		first  = `1: "smtp-proxy test leaf", issued by "smtp-proxy test intermediate", ECDSA P-256, `
		second = `2: "smtp-proxy test intermediate", issued by "smtp-proxy test root", ECDSA P-256, `
	)
	tests := []struct {
		name  string
		cert  func() (tls.Certificate, error)
		lines []string
	}{
		{"in order", func() (tls.Certificate, error) { return leaf, nil }, []string{
			"ok " + first + "23 hours left", "ok " + second + "23 hours left",
			`ok leads to "smtp-proxy test root", which this machine trusts, and is for ` + host,
		}},
		{"with the root", func() (tls.Certificate, error) { return rooted, nil }, []string{
			`ok 3: "smtp-proxy test root", issued by itself, ECDSA P-256, 23 hours left; a root, which need not be sent`,
		}},
		{"out of order", func() (tls.Certificate, error) { return jumbled, nil }, []string{"warn not in order", "ok leads to"}},
		{"twice", func() (tls.Certificate, error) { return with(leaf, leaf.Certificate[1]), nil }, []string{"warn 3: ", "the same as 2"}},
		{"unrelated", func() (tls.Certificate, error) { return with(leaf, stranger.Certificate[0]), nil }, []string{"warn 3: ", "does not belong to this chain"}},
		{"ends soon", func() (tls.Certificate, error) { return ca.EndingSoon(host) }, []string{"warn " + first + "9 days left; ends soon", "ok leads to"}},
		{"expired", func() (tls.Certificate, error) { return ca.Expired(host) }, []string{
			"fail " + first + "ended on " + time.Now().Add(-24*time.Hour).UTC().Format(time.DateOnly) + "; expired",
		}},
		{"an expired intermediate", func() (tls.Certificate, error) { return ca.ExpiredIntermediate(host) }, []string{
			"ok 1: ", `fail 2: "smtp-proxy test old intermediate", `,
		}},
		{"not yet valid", func() (tls.Certificate, error) { return ca.NotYetValid(host) }, []string{"fail 1: ", "not valid before "}},
		{"weak", func() (tls.Certificate, error) { return ca.Weak(host) }, []string{"fail 1: ", "signed with ECDSA-SHA1, which is refused as too weak"}},
		{"self-signed", func() (tls.Certificate, error) { return testenv.SelfSigned(host) }, []string{
			`1: "smtp-proxy test leaf", issued by itself`, "is self-signed and not trusted",
		}},
		{"untrusted", func() (tls.Certificate, error) { return other.WithRoot(host) }, []string{"fail the certificate of " + host + " leads to"}},
		{"another name", func() (tls.Certificate, error) { return ca.Leaf("a.example.net", "b.example.net") }, []string{
			"ok leads to", "fail is not for " + host + ", but for a.example.net and b.example.net",
		}},
		{"a wildcard", func() (tls.Certificate, error) { return ca.Leaf("*.example.com") }, []string{`and is for ` + host + `: "*.example.com" covers it`}},
		{"a wildcard of too few parts", func() (tls.Certificate, error) { return ca.Leaf("*.com") }, []string{
			"fail is not for " + host + ", but for *.com; \"*.com\" stands for one part of a name, not for several",
		}},
		{"no name", func() (tls.Certificate, error) { return ca.Leaf() }, []string{"fail is not for " + host + ", but for no name at all"}},
		{"an OCSP answer", func() (tls.Certificate, error) { return ca.Stapled(ocsp.Good, host) }, []string{"ok not revoked"}},
		{"revoked", func() (tls.Certificate, error) { return ca.Stapled(ocsp.Revoked, host) }, []string{"fail revoked", "ok leads to"}},
		{"an OCSP answer that knows nothing", func() (tls.Certificate, error) { return ca.Stapled(ocsp.Unknown, host) }, []string{"warn the OCSP answer"}},
		{"the intermediate is lost", func() (tls.Certificate, error) { return ca.WithoutIntermediate(host) }, []string{
			`fail the certificate of "smtp-proxy test intermediate" is missing behind it: few`,
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cert, err := test.cert()
			p := newProber(t, ca.Pool(), probe.Options{})
			lines, _ := climb(t, p, serve(t, cert, err), "chain")
			saysAll(t, lines, test.lines...)
		})
	}
}

// TestChainRepaired has the missing certificate published where the leaf says.
func TestChainRepaired(t *testing.T) {
	ca := newCA(t)
	end, err := ca.Publish()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = end() })
	cert, err := ca.WithoutIntermediate(host)
	p := newProber(t, ca.Pool(), probe.Options{})
	lines, _ := climb(t, p, serve(t, cert, err), "chain")
	saysAll(t, lines, "is missing behind it; it is published at http://127.0.0.1:", "/intermediate.crt, and with it the chain leads to a trusted root")
}

// TestChainBehindAFailure has the dialogue see no certificate, which a wider
// offer shows.
func TestChainBehindAFailure(t *testing.T) {
	ca := newCA(t)
	old := smarthost{min: tls.VersionTLS10, max: tls.VersionTLS10}
	p := newProber(t, ca.Pool(), probe.Options{})
	lines, _ := climb(t, p, target(old.open(t, ca), upstream.ModeSTARTTLS), "chain")
	saysAll(t, lines, "ok 1: ", "ok leads to", ", and is for "+host)
	none := &picker{}
	lines, _ = climb(t, newProber(t, nil, probe.Options{}), target(none.open(t), upstream.ModeSTARTTLS), "chain")
	saysAll(t, lines, "skip not examined: no certificate of "+host)
}
