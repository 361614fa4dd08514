package upstream

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"smtp-proxy/proxy/session"
)

// loopback is where the smarthosts of these tests are, and so what is
// published for them.
var loopback = netip.MustParseAddr("127.0.0.1")

// site is a place where issuers publish their certificates.
type site struct {
	*httptest.Server
	asked atomic.Int32
	pages map[string]func(http.ResponseWriter)
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{pages: map[string]func(http.ResponseWriter){}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		if page := s.pages[r.URL.Path]; page != nil {
			page(w)
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// publish puts content where path says and returns the URL.
func (s *site) publish(path string, content []byte) string {
	s.pages[path] = func(w http.ResponseWriter) { w.Write(content) }
	return s.URL + path
}

// redirect sends those who ask for path elsewhere and returns the URL.
func (s *site) redirect(path, to string) string {
	s.pages[path] = func(w http.ResponseWriter) {
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusFound)
	}
	return s.URL + path
}

// issuer names where the issuer's certificate is published.
func issuer(urls ...string) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.IssuingCertificateURL = urls }
}

// repairer is a connector that trusts roots and knows of no names but those
// of its hosts file, which is none.
func repairer(t *testing.T, roots ...*signer) *Connector {
	t.Helper()
	pool := x509.NewCertPool()
	for _, root := range roots {
		pool.AddCert(root.cert)
	}
	c, err := New(Options{Roots: pool, HostsFile: t.TempDir() + "/hosts"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// repaired judges and repairs a chain shown by mail.example.
func repaired(t *testing.T, c *Connector, chain ...*signer) (*session.TLS, error) {
	t.Helper()
	facts := &session.TLS{}
	b := Broken{Host: "mail.example", Near: loopback, At: time.Now()}
	for _, s := range chain {
		facts.Sent = append(facts.Sent, s.cert.Raw)
	}
	b.Chain = facts.Sent
	c.Judge(b.At, b.Host, facts)
	return facts, c.Repair(context.Background(), b, facts)
}

// subjects of certificates, in short.
func subjects(certs []session.Certificate) string {
	var names []string
	for _, c := range certs {
		names = append(names, strings.TrimPrefix(c.Subject, "CN="))
	}
	return strings.Join(names, ", ")
}

func TestRepair(t *testing.T) {
	site, key := newSite(t), newTestKey(t)
	root, private := sign(t, "Acme Root", key, nil), sign(t, "Private Root", newTestKey(t), nil)
	upper := signAs(t, "Acme Upper", key, root, issuer(site.publish("/root", root.cert.Raw)))
	lower := signAs(t, "Acme Lower", key, upper, issuer(site.publish("/upper", upper.cert.Raw)))
	own := signAs(t, "Private Lower", key, private, issuer(site.publish("/private", private.cert.Raw)))
	leaf := func(parent *signer, urls ...string) *signer {
		return signAs(t, "mail.example", key, parent, issuer(urls...))
	}
	atLower := site.publish("/lower", lower.cert.Raw)
	atOwn := site.publish("/own", own.cert.Raw)
	inPEM := site.publish("/pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: lower.cert.Raw}))
	inBundle := site.publish("/p7c", bundle(root.cert.Raw, lower.cert.Raw, upper.cert.Raw))
	tests := []struct {
		name     string
		chain    []*signer
		want     session.VerifyFault
		repaired string
		hint     string
	}{
		{"one missing", []*signer{leaf(lower, atLower), upper}, session.VerifyIncomplete, "Acme Lower", "CN=Acme Lower"},
		{"two missing", []*signer{leaf(lower, atLower)}, session.VerifyIncomplete, "Acme Lower, Acme Upper", "CN=Acme Lower"},
		{"the upper one missing", []*signer{leaf(lower, atLower), lower}, session.VerifyIncomplete, "Acme Upper", "CN=Acme Upper"},
		{"published in PEM", []*signer{leaf(lower, inPEM), upper}, session.VerifyIncomplete, "Acme Lower", "CN=Acme Lower"},
		{"published in a bundle", []*signer{leaf(lower, inBundle), upper}, session.VerifyIncomplete, "Acme Lower", "CN=Acme Lower"},
		{"at the second address", []*signer{leaf(lower, site.URL+"/none", atLower), upper}, session.VerifyIncomplete, "Acme Lower", "CN=Acme Lower"},
		{"behind a redirect", []*signer{leaf(lower, site.redirect("/moved", atLower)), upper}, session.VerifyIncomplete, "Acme Lower", "CN=Acme Lower"},
		{"of a private root", []*signer{leaf(own, atOwn)}, session.VerifyUntrusted, "", ""},
		{"only a private root left out", []*signer{leaf(own, atOwn), own}, session.VerifyUntrusted, "", ""},
		{"by a private root", []*signer{leaf(private, site.URL+"/private")}, session.VerifyUntrusted, "", ""},
	}
	for _, tt := range tests {
		facts, err := repaired(t, repairer(t, root), tt.chain...)
		if err != nil || facts.Verify != tt.want || facts.Verified || subjects(facts.Repaired) != tt.repaired || facts.RootHint != tt.hint {
			t.Errorf("%s: error %v, verify %q (%s), repaired with %q, lacks %q; want %q, %q, %q",
				tt.name, err, facts.Verify, facts.Error, subjects(facts.Repaired), facts.RootHint, tt.want, tt.repaired, tt.hint)
		}
		if len(facts.Chain) != len(tt.chain) || facts.Path != nil {
			t.Errorf("%s: chain %q and path %q; want the chain as sent, and no path", tt.name, subjects(facts.Chain), subjects(facts.Path))
		}
	}
}

func TestRepairKeepsWhatElseIsWrong(t *testing.T) {
	site, key := newSite(t), newTestKey(t)
	root := sign(t, "Acme Root", key, nil)
	lower := sign(t, "Acme Lower", key, root)
	url := site.publish("/lower", lower.cert.Raw)
	leaf := signAs(t, "mail.example", key, lower, func(c *x509.Certificate) {
		c.IssuingCertificateURL, c.NotAfter = []string{url}, time.Now().Add(-time.Minute)
	})
	facts, err := repaired(t, repairer(t, root), leaf)
	if err != nil || facts.Verify != session.VerifyExpired || subjects(facts.Repaired) != "Acme Lower" || !strings.Contains(facts.Error, "; also, mail.example does not send") {
		t.Errorf("expired and incomplete: error %v, facts %+v; want expired first, and both", err, facts)
	}
}

func TestRepairRefuses(t *testing.T) {
	site, key := newSite(t), newTestKey(t)
	root, other := sign(t, "Acme Root", key, nil), sign(t, "Other", newTestKey(t), nil)
	lower := sign(t, "Acme Lower", key, root)
	site.pages["/endless"] = func(w http.ResponseWriter) { w.Write(make([]byte, maxFetched+1)) }
	loop := site.redirect("/loop", site.URL+"/loop")
	tests := []struct{ name, url, words string }{
		{"nowhere published", "", "does not say where"},
		{"encrypted", "https://127.0.0.1/lower", "only http"},
		{"a directory's", "ldap://127.0.0.1/lower", "only http"},
		{"redirected to a file", site.redirect("/file", "file:///etc/passwd"), "only http"},
		{"redirected to TLS", site.redirect("/tls", "https://127.0.0.1/"), "only http"},
		{"redirected in a circle", loop, "redirected more than 3 times"},
		{"redirected to a private address", site.redirect("/inside", "http://10.0.0.1/lower"), "10.0.0.1 is a private address"},
		{"redirected to a metadata service", site.redirect("/meta", "http://169.254.169.254/"), "link-local"},
		{"another service's port", "http://127.0.0.1:25/lower", "port 25"},
		{"with a password", "http://me:secret@127.0.0.1/lower", "not a URL"},
		{"not found", site.URL + "/none", "answered 404"},
		{"too long", site.URL + "/endless", "more than 65536 octets"},
		{"no certificate", site.publish("/page", []byte("<html>")), "no certificate"},
		{"another's certificate", site.publish("/other", other.cert.Raw), "has signed"},
		{"no such name", "http://publisher.invalid/lower", "look up publisher.invalid"},
		{"overlong", "http://127.0.0.1/" + strings.Repeat("x", maxURL), "not a URL"},
		{"no URL", "http://[::1", "missing ']'"},
	}
	for _, tt := range tests {
		leaf := signAs(t, "mail.example", key, lower, issuer())
		if tt.url != "" {
			leaf = signAs(t, "mail.example", key, lower, issuer(tt.url))
		}
		c := repairer(t, root)
		before := &session.TLS{Sent: [][]byte{leaf.cert.Raw}}
		c.Judge(time.Now(), "mail.example", before)
		facts, err := repaired(t, c, leaf)
		if err == nil || !strings.Contains(err.Error(), tt.words) || strings.Contains(err.Error(), "secret") || len(err.Error()) > 2000 {
			t.Errorf("%s: error %v, want one with %q", tt.name, err, tt.words)
		}
		if facts.Verify != before.Verify || facts.Error != before.Error || facts.Repaired != nil {
			t.Errorf("%s: facts %+v, want them as they were", tt.name, facts)
		}
	}
}

// Without the smarthost on this machine nothing on it is asked.
func TestRepairAsksNoLoopbackForAPublicSmarthost(t *testing.T) {
	site, key := newSite(t), newTestKey(t)
	root := sign(t, "Acme Root", key, nil)
	lower := sign(t, "Acme Lower", key, root)
	leaf := signAs(t, "mail.example", key, lower, issuer(site.publish("/lower", lower.cert.Raw)))
	c := repairer(t, root)
	facts := &session.TLS{Sent: [][]byte{leaf.cert.Raw}}
	b := Broken{Host: "mail.example", Chain: facts.Sent, Near: netip.MustParseAddr("8.8.8.8"), At: time.Now()}
	c.Judge(b.At, b.Host, facts)
	if err := c.Repair(t.Context(), b, facts); err == nil || !strings.Contains(err.Error(), "is a loopback address") {
		t.Errorf("error %v, want a refusal", err)
	}
	if n := site.asked.Load(); n != 0 {
		t.Errorf("the site was asked %d times, want never", n)
	}
	b.Near = loopback
	if err := c.Repair(t.Context(), b, facts); err != nil {
		t.Errorf("with the smarthost on this machine: %v, want the refusal not to be remembered for it", err)
	}
}

// A name that leads inside is judged by the address that it leads to.
func TestRepairJudgesTheAddressBehindAName(t *testing.T) {
	hosts := filepath.Join(t.TempDir(), "hosts")
	if err := os.WriteFile(hosts, []byte("10.0.0.1 publisher.example\n::ffff:127.0.0.1 mapped.example\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := New(Options{HostsFile: hosts})
	if err != nil {
		t.Fatal(err)
	}
	for name, words := range map[string]string{"publisher.example": "10.0.0.1 is a private", "mapped.example": "127.0.0.1 is a loopback"} {
		_, err := c.fetchIssuer(t.Context(), "http://"+name+"/lower", netip.MustParseAddr("8.8.8.8"))
		if err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: error %v, want that %s", name, err, words)
		}
	}
}

func TestRepairEndsAtSoManyHops(t *testing.T) {
	site, key := newSite(t), newTestKey(t)
	root := sign(t, "Acme Root", key, nil)
	chain := []*signer{root}
	for i := range maxHops + 1 {
		path := "/" + strings.Repeat("x", i+1)
		site.publish(path, chain[0].cert.Raw)
		chain = append([]*signer{signAs(t, "Floor "+path, key, chain[0], issuer(site.URL+path))}, chain...)
	}
	at := site.publish("/top", chain[0].cert.Raw)
	_, err := repaired(t, repairer(t, root), signAs(t, "mail.example", key, chain[0], issuer(at)))
	if err == nil || site.asked.Load() != maxHops {
		t.Errorf("error %v after %d fetches, want an end after %d", err, site.asked.Load(), maxHops)
	}
}

func TestRepairRemembers(t *testing.T) {
	site, key := newSite(t), newTestKey(t)
	root := sign(t, "Acme Root", key, nil)
	lower := sign(t, "Acme Lower", key, root)
	leaf := signAs(t, "mail.example", key, lower, issuer(site.publish("/lower", lower.cert.Raw)))
	lost := signAs(t, "mail.example", key, lower, issuer(site.URL+"/none"))
	c := repairer(t, root)
	for range 3 {
		repaired(t, c, leaf)
		repaired(t, c, lost)
	}
	if n := site.asked.Load(); n != 2 {
		t.Errorf("the site was asked %d times, want once for each address", n)
	}
}

func TestIssuersAreBoundedAndEnd(t *testing.T) {
	known := newIssuers()
	for i := range 3 * maxIssuers {
		known.keep(issuerKey{url: strings.Repeat("x", i)}, nil, nil)
	}
	if len(known.known) > maxIssuers {
		t.Errorf("%d places are remembered, want at most %d", len(known.known), maxIssuers)
	}
	known = newIssuers() // a full one lets go of any
	good, bad := issuerKey{url: "good"}, issuerKey{url: "bad"}
	known.keep(good, nil, nil)
	known.keep(bad, nil, context.DeadlineExceeded)
	for after, want := range map[time.Duration][2]bool{
		4 * time.Minute:  {true, true},
		6 * time.Minute:  {true, false},
		61 * time.Minute: {false, false},
	} {
		_, goodKept := known.recall(good, time.Now().Add(after))
		_, badKept := known.recall(bad, time.Now().Add(after))
		if goodKept != want[0] || badKept != want[1] {
			t.Errorf("after %s: success remembered %v, failure %v; want %v", after, goodKept, badKept, want)
		}
	}
}

func TestRepairCancelledRemembersNothing(t *testing.T) {
	site, key := newSite(t), newTestKey(t)
	root := sign(t, "Acme Root", key, nil)
	lower := sign(t, "Acme Lower", key, root)
	leaf := signAs(t, "mail.example", key, lower, issuer(site.publish("/lower", lower.cert.Raw)))
	c := repairer(t, root)
	facts := &session.TLS{Sent: [][]byte{leaf.cert.Raw}}
	b := Broken{Host: "mail.example", Chain: facts.Sent, Near: loopback, At: time.Now()}
	c.Judge(b.At, b.Host, facts)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Repair(ctx, b, facts); err == nil {
		t.Error("a repair that was given up has no error")
	}
	if err := c.Repair(t.Context(), b, facts); err != nil || facts.Repaired == nil {
		t.Errorf("the next repair: error %v, facts %+v; want it to succeed", err, facts)
	}
}
