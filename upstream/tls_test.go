package upstream_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
)

// newCA makes an authority for one test.
func newCA(t *testing.T) *testenv.CA {
	t.Helper()
	ca, err := testenv.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

// made unpacks a certificate that was made without error.
func made(t *testing.T) func(tls.Certificate, error) tls.Certificate {
	return func(c tls.Certificate, err error) tls.Certificate {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
}

// serve answers each connection with play until the test ends.
func serve(t *testing.T, play func(net.Conn)) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer conn.Close()
				play(conn)
			})
		}
	})
	t.Cleanup(func() { l.Close(); running.Wait() })
	return netip.MustParseAddrPort(l.Addr().String())
}

// serveTLS is a peer that shakes hands and waits for the other's end.
func serveTLS(t *testing.T, config *tls.Config) netip.AddrPort {
	return serve(t, func(conn net.Conn) {
		secure := tls.Server(conn, config)
		if secure.Handshake() == nil {
			io.Copy(secure, secure)
		}
	})
}

// secured is the outcome of one Secure.
type secured struct {
	conn  *tls.Conn
	facts *session.TLS
	fault *session.Fault
}

// secure connects to addr and shakes hands as with host.
func secure(t *testing.T, c *upstream.Connector, addr netip.AddrPort, host string) secured {
	t.Helper()
	raw, err := net.Dial("tcp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { raw.Close() })
	var s secured
	s.conn, s.facts, s.fault = c.Secure(t.Context(), raw, upstream.Target{Name: host + ":587", Host: host, Port: 587})
	if s.facts == nil || (s.conn == nil) != (s.fault != nil) {
		t.Fatalf("Secure with %s: connection %v, facts %v, fault %+v; want facts, and a connection exactly without a fault", host, s.conn, s.facts, s.fault)
	}
	return s
}

const host = "smtp.example.com"

func TestSecureVerified(t *testing.T) {
	ca := newCA(t)
	cert := made(t)(ca.Stapled(ocsp.Good, host, "127.0.0.1"))
	addr := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{cert}})
	s := secure(t, newConnector(t, upstream.Options{Roots: ca.Pool()}), addr, host)
	if s.fault != nil {
		t.Fatalf("fault %+v", s.fault)
	}
	f := s.facts
	if f.Version != "TLS 1.3" || !strings.HasPrefix(f.Cipher, "TLS_") || f.Group == "" || f.ServerName != host ||
		!f.Verified || f.Verify != "" || f.Error != "" || f.Resumed || f.Stapled != "good" || f.Duration <= 0 || f.RootHint != "" {
		t.Errorf("facts %+v", f)
	}
	if len(f.Chain) != 2 {
		t.Fatalf("chain of %d, want the two that were sent", len(f.Chain))
	}
	leaf := f.Chain[0]
	if !slices.Equal(leaf.Names, []string{host, "127.0.0.1"}) || leaf.Key != "ECDSA P-256" || leaf.Signature != "ECDSA-SHA256" ||
		leaf.CA || leaf.Serial == "" || len(leaf.AIA) != 1 || !leaf.NotAfter.Equal(cert.Leaf.NotAfter) || !f.Chain[1].CA {
		t.Errorf("leaf recorded as %+v, issuer as %+v", leaf, f.Chain[1])
	}
}

func TestSecureToAnAddressSendsNoName(t *testing.T) {
	ca := newCA(t)
	addr := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{made(t)(ca.Leaf("127.0.0.1"))}})
	c := newConnector(t, upstream.Options{Roots: ca.Pool()})
	if s := secure(t, c, addr, "127.0.0.1"); s.fault != nil || s.facts.ServerName != "" || !s.facts.Verified {
		t.Errorf("fault %+v, facts %+v; want verified and no server name", s.fault, s.facts)
	}
	if s := secure(t, c, addr, "192.0.2.1"); s.fault == nil || s.facts.Verify != session.VerifyName {
		t.Errorf("another address: fault %+v, facts %+v; want name-mismatch", s.fault, s.facts)
	}
}

func TestSecureDistrusts(t *testing.T) {
	ca, other := newCA(t), newCA(t)
	tests := []struct {
		name  string
		cert  tls.Certificate
		fault session.VerifyFault
		words string
		chain int
		lacks bool
	}{
		{"expired", made(t)(ca.Expired(host)), session.VerifyExpired, "the certificate of smtp.example.com expired on " + time.Now().Add(-24*time.Hour).UTC().Format("2006-01-02"), 2, false},
		{"expired intermediate", made(t)(ca.ExpiredIntermediate(host)), session.VerifyExpired, "the certificate of its issuer \"smtp-proxy test old intermediate\" expired on", 2, false},
		{"not yet valid", made(t)(ca.NotYetValid(host)), session.VerifyNotYetValid, "this machine's clock says", 2, false},
		{"wrong name", made(t)(ca.Leaf("mail.example.net", "192.0.2.1")), session.VerifyName, "not for smtp.example.com, but for mail.example.net, 192.0.2.1", 2, false},
		{"no name", made(t)(ca.Leaf()), session.VerifyName, "in its common name only", 2, false},
		{"self-signed", made(t)(testenv.SelfSigned(host)), session.VerifySelfSigned, "is self-signed and not trusted", 1, false},
		{"untrusted, with root", made(t)(other.WithRoot(host)), session.VerifyUntrusted, "leads to \"smtp-proxy test root\", which is not among the trusted roots", 3, false},
		{"untrusted, root left out", made(t)(other.Leaf(host)), session.VerifyUntrusted, "not among the trusted roots", 2, true},
		{"untrusted, issued by the root", made(t)(other.Direct(host)), session.VerifyUntrusted, "not among the trusted roots", 1, true},
		{"incomplete", made(t)(ca.WithoutIntermediate(host)), session.VerifyIncomplete, "does not send the certificate of its issuer \"smtp-proxy test intermediate\"", 1, true},
		{"weak", made(t)(ca.Weak(host)), session.VerifyWeak, "signed with ECDSA-SHA1", 2, false},
		{"no server's", made(t)(ca.WrongUsage(host)), session.VerifyOther, "key usage", 2, false},
		{"revoked", made(t)(ca.Stapled(ocsp.Revoked, host)), session.VerifyRevoked, "was revoked on", 2, false},
		{"expired and of another name", made(t)(ca.Expired("mail.example.net")), session.VerifyExpired, "; also, the certificate is not for smtp.example.com", 2, false},
		{"expired and untrusted", made(t)(other.Expired(host)), session.VerifyExpired, "; also, the certificate of smtp.example.com leads to", 2, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			addr := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{tt.cert}})
			s := secure(t, newConnector(t, upstream.Options{Roots: ca.Pool()}), addr, host)
			if s.fault == nil || s.fault.Class != session.FaultCertificate || s.fault.Op != "handshake" || !s.fault.Sent || s.fault.Alert != 42 {
				t.Fatalf("fault %+v, facts %+v; want class certificate with our alert 42", s.fault, s.facts)
			}
			if s.facts.Verified || s.facts.Verify != tt.fault || !strings.Contains(s.facts.Error, tt.words) || s.fault.Text != s.facts.Error {
				t.Errorf("verify %q, error %q, fault text %q; want %q and %q", s.facts.Verify, s.facts.Error, s.fault.Text, tt.fault, tt.words)
			}
			if len(s.facts.Chain) != tt.chain || (s.facts.RootHint != "") != tt.lacks {
				t.Errorf("chain of %d lacking %q; want %d as sent, lacking one: %v", len(s.facts.Chain), s.facts.RootHint, tt.chain, tt.lacks)
			}

			lax := secure(t, newConnector(t, upstream.Options{Roots: ca.Pool(), Insecure: true}), addr, host)
			if lax.fault != nil || lax.facts.Verified || lax.facts.Verify != tt.fault {
				t.Errorf("insecure: fault %+v, verify %q; want it to go on and say %q", lax.fault, lax.facts.Verify, tt.fault)
			}
		})
	}
}

func TestSecureWithSystemRootsDistrustsAPrivateOne(t *testing.T) {
	ca := newCA(t)
	for name, tt := range map[string]struct {
		cert tls.Certificate
		want session.VerifyFault
	}{
		"issued by the root":     {made(t)(ca.Direct(host)), session.VerifyUntrusted},
		"intermediate left out":  {made(t)(ca.WithoutIntermediate(host)), session.VerifyIncomplete},
		"complete up to a root":  {made(t)(ca.Leaf(host)), session.VerifyUntrusted},
		"self-signed, also weak": {made(t)(testenv.SelfSigned(host)), session.VerifySelfSigned},
	} {
		addr := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{tt.cert}})
		if s := secure(t, newConnector(t, upstream.Options{}), addr, host); s.facts.Verify != tt.want {
			t.Errorf("%s: verify %q (%s), want %q", name, s.facts.Verify, s.facts.Error, tt.want)
		}
	}
}

func TestSecureKnowsAnOutdatedTrustStore(t *testing.T) {
	old, err := testenv.NewExpiredCA()
	if err != nil {
		t.Fatal(err)
	}
	addr := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{made(t)(old.Leaf(host))}})
	s := secure(t, newConnector(t, upstream.Options{Roots: old.Pool()}), addr, host)
	if s.facts.Verify != session.VerifyExpired || !strings.Contains(s.facts.Error, "update the trusted roots") {
		t.Errorf("verify %q (%s), want expired, and that the root is", s.facts.Verify, s.facts.Error)
	}
}

func TestSecureResumesPerTarget(t *testing.T) {
	ca := newCA(t)
	addr := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{made(t)(ca.Leaf(host, "other.example.com"))}})
	c := newConnector(t, upstream.Options{Roots: ca.Pool()})
	first := secure(t, c, addr, host)
	ping(t, first.conn) // the ticket comes behind the handshake
	again := secure(t, c, addr, host)
	if again.fault != nil || !again.facts.Resumed || !again.facts.Verified || len(again.facts.Chain) != 2 {
		t.Errorf("second session: fault %+v, facts %+v; want a verified resumption that knows the chain", again.fault, again.facts)
	}
	if len(again.facts.Path) != 3 || &again.facts.Path[0] != &first.facts.Path[0] || &again.facts.Chain[0] != &first.facts.Chain[0] {
		t.Errorf("second session: path %+v, want the facts of the first session's, shared", again.facts.Path)
	}
	if s := secure(t, c, addr, "other.example.com"); s.facts.Resumed {
		t.Error("a session was resumed with another target")
	}
}

func TestSecureRemembersNoUntrustedSession(t *testing.T) {
	addr := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{made(t)(testenv.SelfSigned(host))}})
	c := newConnector(t, upstream.Options{Insecure: true})
	ping(t, secure(t, c, addr, host).conn)
	if s := secure(t, c, addr, host); s.facts.Resumed {
		t.Error("an untrusted session was resumed")
	}
}

// ping sends a byte and reads it back.
func ping(t *testing.T, conn *tls.Conn) {
	t.Helper()
	if _, err := conn.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
}

func TestSecureKeyLog(t *testing.T) {
	ca := newCA(t)
	addr := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{made(t)(ca.Leaf(host))}})
	var log bytes.Buffer
	secure(t, newConnector(t, upstream.Options{Roots: ca.Pool(), KeyLog: &log}), addr, host)
	if !strings.Contains(log.String(), "CLIENT_HANDSHAKE_TRAFFIC_SECRET") {
		t.Errorf("key log holds %q", log.String())
	}
}
