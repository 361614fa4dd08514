package probe_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"smtp-proxy/testenv"
	"smtp-proxy/upstream/probe"
)

// policyServer serves policies over HTTPS with certificates of an authority,
// and answers each domain by its own handler.
func policyServer(t *testing.T, ca *testenv.CA, domains map[string]http.HandlerFunc) (port int) {
	t.Helper()
	var names []string
	for domain := range domains {
		if !strings.HasPrefix(domain, "wrong.") {
			names = append(names, "mta-sts."+domain)
		}
	}
	cert, err := ca.Leaf(names...)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/.well-known/mta-sts.txt" {
			t.Errorf("asked for %s", r.URL)
		}
		host, _, _ := strings.Cut(r.Host, ":")
		domains[strings.TrimPrefix(host, "mta-sts.")](w, r)
	}))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // hellos that are called off
	s.StartTLS()
	t.Cleanup(s.Close)
	return int(netip.MustParseAddrPort(s.Listener.Addr().String()).Port())
}

// serves answers with a text.
func serves(kind, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		fmt.Fprint(w, text)
	}
}

const goodPolicy = "version: STSv1\r\nmode: enforce\r\nmx: *.%s\r\nmax_age: 604800\r\n"

// TestMTASTSStep has one domain for each thing that a policy can be.
func TestMTASTSStep(t *testing.T) {
	ca := newCA(t)
	text := func(format string, args ...any) http.HandlerFunc {
		return serves("text/plain; charset=utf-8", fmt.Sprintf(format, args...))
	}
	domains := map[string]http.HandlerFunc{
		"good.example":     text(goodPolicy, "good.example"),
		"other.example":    text(goodPolicy, "elsewhere.example"),
		"testing.example":  text("version: STSv1\nmode: testing\nmx: mx.elsewhere.example\nmax_age: 604800\n"),
		"none.example":     text("version: STSv1\nmode: none\nmax_age: 86400\n"),
		"brief.example":    text("version: STSv1\nmode: enforce\nmx: mx.brief.example\nmax_age: 300\n"),
		"html.example":     serves("text/html", "<html>"),
		"nonsense.example": text("<html>"),
		"long.example":     text("%s", strings.Repeat("x: y\n", 20000)),
		"gone.example":     http.NotFound,
		"moved.example": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://mta-sts.good.example/.well-known/mta-sts.txt", http.StatusFound)
		},
		"wrong.example":   text(goodPolicy, "wrong.example"),
		"several.example": http.NotFound,
		"absent.example":  http.NotFound,
	}
	w := newWorld(t, settings{roots: ca.Pool(), options: probe.Options{HTTPSPort: policyServer(t, ca, domains)}})
	for domain := range domains {
		w.dns.MX(domain, "10 mx."+domain+".")
		w.dns.A("mx."+domain, "127.0.0.1")
		w.dns.A("mta-sts."+domain, "127.0.0.1")
		if domain != "absent.example" {
			w.dns.TXT("_mta-sts."+domain, "v=STSv1; id=20260101T000000;")
		}
	}
	w.dns.TXT("_mta-sts.several.example", "v=STSv1; id=2;")
	w.dns.MX("silent.example", "10 mx.silent.example.")
	w.dns.A("mx.silent.example", "127.0.0.1")
	w.dns.Trouble("_mta-sts.silent.example", testenv.Refused)
	port := closedPort(t)
	for domain, want := range map[string]string{
		"good.example":     "ok the MTA-STS policy of good.example (mode enforce, for 7 days) names mx.good.example",
		"other.example":    "fail the MTA-STS policy of other.example (mode enforce…does not name mx.other.example, but *.elsewhere.example: senders that go by it deliver nothing",
		"testing.example":  "warn the MTA-STS policy of testing.example (mode testing…does not name…senders report it",
		"none.example":     "ok the MTA-STS policy of none.example is none",
		"brief.example":    "warn the MTA-STS policy of brief.example (mode enforce, for 5m0s)…hardly protects",
		"html.example":     "warn html.example announces…is \"text/html\", not text/plain",
		"nonsense.example": "warn nonsense.example announces…no policy: its version is \"\"",
		"long.example":     "warn long.example announces…longer than 65536 octets",
		"gone.example":     "warn gone.example announces…mta-sts.gone.example/.well-known/mta-sts.txt answers 404",
		"moved.example":    "warn moved.example announces…answers 302",
		"wrong.example":    "warn wrong.example announces…the certificate is not for mta-sts.wrong.example",
		"several.example":  "warn MTA-STS of several.example: there are 2 records",
		"silent.example":   "warn MTA-STS of silent.example: whether there is a policy is not known: …REFUSED",
		"absent.example":   "ok absent.example has no MTA-STS policy",
	} {
		expect(t, domain, w.ladder(t, at("mx."+domain, port), probe.Wanted{}, "mta-sts"), want)
	}
	expect(t, "a smarthost", w.ladder(t, at("127.0.0.1", port), probe.Wanted{}, "mta-sts"), "skip 127.0.0.1 is not known to be a mail exchanger")
}

// TestMTASTSUntrusted shows a policy under a certificate of an authority that
// nobody knows.
func TestMTASTSUntrusted(t *testing.T) {
	port := policyServer(t, newCA(t), map[string]http.HandlerFunc{"good.example": serves("text/plain", fmt.Sprintf(goodPolicy, "good.example"))})
	w := newWorld(t, settings{roots: newCA(t).Pool(), options: probe.Options{HTTPSPort: port}})
	w.dns.MX("good.example", "10 mx.good.example.")
	w.dns.A("mx.good.example", "127.0.0.1")
	w.dns.A("mta-sts.good.example", "127.0.0.1")
	w.dns.TXT("_mta-sts.good.example", "v=STSv1; id=1;")
	lines := w.ladder(t, at("mx.good.example", closedPort(t)), probe.Wanted{}, "mta-sts")
	expect(t, "an unknown authority", lines, "warn good.example announces an MTA-STS policy that cannot be had: get https://mta-sts.good.example/.well-known/mta-sts.txt: ")
}

// TestMTASTSBadCertificate has a policy that names the smarthost, and a
// smarthost whose certificate does not verify, or which offers no TLS.
func TestMTASTSBadCertificate(t *testing.T) {
	ca := newCA(t)
	port := policyServer(t, ca, map[string]http.HandlerFunc{"good.example": serves("text/plain", fmt.Sprintf(goodPolicy, "good.example"))})
	w := newWorld(t, settings{roots: ca.Pool(), options: probe.Options{HTTPSPort: port}})
	w.dns.MX("good.example", "10 mx.good.example.")
	w.dns.A("mx.good.example", "127.0.0.1")
	w.dns.A("mta-sts.good.example", "127.0.0.1")
	w.dns.TXT("_mta-sts.good.example", "v=STSv1; id=1;")
	cert, err := ca.Leaf("other.example")
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, testenv.SmarthostOptions{TLS: &tls.Config{Certificates: []tls.Certificate{cert}}})
	lines := w.ladder(t, at("mx.good.example", int(netip.MustParseAddrPort(s.Addr()).Port())), probe.Wanted{}, "mta-sts")
	expect(t, "a bad certificate", lines, "fail the MTA-STS policy of good.example…wants a certificate that verifies, and the certificate is not for mx.good.example, but for other.example: senders")
	s = start(t, testenv.SmarthostOptions{NoTLS: true})
	lines = w.ladder(t, at("mx.good.example", int(netip.MustParseAddrPort(s.Addr()).Port())), probe.Wanted{}, "mta-sts")
	expect(t, "no TLS", lines, "fail the MTA-STS policy of good.example…wants TLS, and it is not on offer: senders that go by it deliver nothing here")
}

// TestMTASTSSilent gives a host that says nothing up.
func TestMTASTSSilent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	w := newWorld(t, settings{options: probe.Options{
		HTTPSPort: int(netip.MustParseAddrPort(l.Addr().String()).Port()), Timeout: 300 * time.Millisecond,
	}})
	w.dns.MX("good.example", "10 mx.good.example.")
	w.dns.A("mx.good.example", "127.0.0.1")
	w.dns.A("mta-sts.good.example", "127.0.0.1")
	w.dns.TXT("_mta-sts.good.example", "v=STSv1; id=1;")
	began := time.Now()
	lines := w.ladder(t, at("mx.good.example", closedPort(t)), probe.Wanted{}, "mta-sts")
	expect(t, "a silent host", lines, "warn good.example announces…gives no answer within 300ms")
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("took %s, want little more than 300ms", took)
	}
}

// closedPort is a port of 127.0.0.1 that nothing listens on.
func closedPort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return int(netip.MustParseAddrPort(l.Addr().String()).Port())
}
