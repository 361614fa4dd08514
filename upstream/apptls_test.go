package upstream_test

import (
	"crypto/tls"
	"io"
	"net"
	"slices"
	"strings"
	"testing"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
	"smtp-proxy/upstream"
)

// answerApp shakes hands as the proxy does with an app that plays app.
func answerApp(t *testing.T, config *tls.Config, app func(net.Conn)) (*session.TLS, *session.Fault) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	left := make(chan struct{})
	go func() {
		defer close(left)
		conn, err := net.Dial("tcp", l.Addr().String())
		if err == nil {
			app(conn)
			conn.Close()
		}
	}()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	var hello *tls.ClientHelloInfo
	config = config.Clone()
	config.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) { hello = h; return nil, nil }
	secure := tls.Server(upstream.NewTap(conn), config)
	facts, fault := upstream.AppFacts(secure, hello, secure.HandshakeContext(t.Context()))
	conn.Close()
	<-left
	return facts, fault
}

func TestAppFacts(t *testing.T) {
	ca := newCA(t)
	config := &tls.Config{Certificates: []tls.Certificate{made(t)(ca.Leaf("localhost"))}}
	trusting := &tls.Config{RootCAs: ca.Pool(), ServerName: "localhost"}
	facts, fault := answerApp(t, config, func(c net.Conn) { tls.Client(c, trusting).Handshake() })
	if fault != nil || facts.Version != "TLS 1.3" || facts.Cipher == "" || facts.Group == "" || facts.ServerName != "localhost" || facts.Error != "" {
		t.Errorf("fault %+v, facts %+v", fault, facts)
	}
	h := facts.Hello
	if h == nil || !slices.Contains(h.Versions, "TLS 1.2") || !slices.Contains(h.Ciphers, "TLS_AES_128_GCM_SHA256") || !slices.Contains(h.Groups, "P-256") || h.SNI != "localhost" {
		t.Errorf("hello %+v", h)
	}
	if !slices.Contains(h.Signatures, "ecdsa_secp256r1_sha256") || !strings.HasPrefix(h.JA4, "t13d") || len(h.JA4) != len("t13d1516h2_8daaf6152771_e5627efa2ab1") {
		t.Errorf("signatures %q, fingerprint %q; want those of Go's hello", h.Signatures, h.JA4)
	}
}

// inClear is a connection on which the app's second flight is an alert in
// clear, as OpenSSL sends it in TLS 1.3 before it has keys of its own.
type inClear struct {
	net.Conn
	heard bool
}

func (c *inClear) Read(b []byte) (int, error) {
	c.heard = true
	return c.Conn.Read(b)
}

func (c *inClear) Write(b []byte) (int, error) {
	if !c.heard {
		return c.Conn.Write(b)
	}
	if _, err := io.WriteString(c.Conn, "\x14\x03\x03\x00\x01\x01\x15\x03\x03\x00\x02\x02\x30"); err != nil {
		return 0, err
	}
	return 0, c.Close()
}

func TestAlertInClearIsRead(t *testing.T) {
	config := &tls.Config{Certificates: []tls.Certificate{made(t)(newCA(t).Leaf("localhost"))}}
	facts, fault := answerApp(t, config, func(c net.Conn) {
		tls.Client(&inClear{Conn: c}, &tls.Config{InsecureSkipVerify: true}).Handshake()
	})
	if fault == nil || fault.Class != session.FaultAlert || fault.Alert != 48 || fault.Sent || facts.Error != "remote error: tls: unknown certificate authority" {
		t.Errorf("got fault %+v and error %q, want the alert unknown_ca of the app", fault, facts.Error)
	}
}

// The fingerprint made from what crypto/tls tells of a hello is that of the
// hello itself.
func TestAppFingerprint(t *testing.T) {
	ca := newCA(t)
	config := &tls.Config{Certificates: []tls.Certificate{made(t)(ca.Leaf("localhost"))}}
	for name, app := range map[string]*tls.Config{
		"as it comes":         {ServerName: "localhost"},
		"without a name":      {},
		"with a protocol":     {ServerName: "localhost", NextProtos: []string{"smtp"}},
		"up to TLS 1.2":       {ServerName: "localhost", MaxVersion: tls.VersionTLS12},
		"with one old cipher": {MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}},
	} {
		app.InsecureSkipVerify = true
		seen := &spy{}
		facts, _ := answerApp(t, config, func(c net.Conn) {
			seen.Conn = c
			tls.Client(seen, app).Handshake()
		})
		hello, err := wire.ParseClientHello(seen.sent[5 : 5+(int(seen.sent[3])<<8|int(seen.sent[4]))])
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if facts.Hello == nil || facts.Hello.JA4 != hello.JA4() {
			t.Errorf("%s: recorded %+v, want the fingerprint %s", name, facts.Hello, hello.JA4())
		}
	}
}

// spy keeps what is sent.
type spy struct {
	net.Conn
	sent []byte
}

func (s *spy) Write(b []byte) (int, error) {
	s.sent = append(s.sent, b...)
	return s.Conn.Write(b)
}

func TestAppFaults(t *testing.T) {
	ca := newCA(t)
	cert := made(t)(ca.Leaf("localhost"))
	handshake := func(config *tls.Config) func(net.Conn) {
		return func(c net.Conn) { tls.Client(c, config).Handshake() }
	}
	writes := func(text string) func(net.Conn) {
		return func(c net.Conn) { io.WriteString(c, text); io.Copy(io.Discard, c) }
	}
	tests := []struct {
		name  string
		app   func(net.Conn)
		class session.FaultClass
		alert int
		sent  bool
		hello bool
	}{
		{"trusts no such root", handshake(&tls.Config{ServerName: "localhost", RootCAs: newCA(t).Pool()}), session.FaultAlert, 42, false, true},
		{"knows no such authority", unknownAuthority, session.FaultAlert, 48, false, true},
		{"offers TLS 1.1 at most", handshake(&tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}), session.FaultVersion, 70, true, true},
		{"offers old ciphers alone", handshake(&tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA}}), session.FaultCipher, 40, true, true},
		{"speaks SMTP", writes("AUTH PLAIN AGpvZQBodW50ZXIy\r\n"), session.FaultNotTLS, 0, false, false},
		{"leaves", func(net.Conn) {}, session.FaultClosed, 0, false, false},
	}
	for _, tt := range tests {
		facts, f := answerApp(t, &tls.Config{Certificates: []tls.Certificate{cert}}, tt.app)
		if f == nil || f.Class != tt.class || f.Alert != tt.alert || f.Sent != tt.sent || facts.Error != f.Text {
			t.Errorf("%s: fault %+v, facts %+v; want class %s, alert %d, ours %v", tt.name, f, facts, tt.class, tt.alert, tt.sent)
		}
		if (facts.Hello != nil) != tt.hello {
			t.Errorf("%s: hello %+v, want one: %v", tt.name, facts.Hello, tt.hello)
		}
		if tt.class == session.FaultNotTLS && string(f.First) != "AUTH" {
			t.Errorf("%s: first bytes %q, want the verb alone", tt.name, f.First)
		}
	}
}

// unknownAuthority says hello in TLS 1.2 and then, in clear, what OpenSSL
// says to an unknown authority.
func unknownAuthority(conn net.Conn) {
	speaker, heard := net.Pipe()
	spoken := make(chan struct{})
	go func() {
		defer close(spoken)
		tls.Client(speaker, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12}).Handshake()
	}()
	header := make([]byte, 5)
	io.ReadFull(heard, header)
	body := make([]byte, int(header[3])<<8|int(header[4]))
	io.ReadFull(heard, body)
	heard.Close()
	<-spoken
	conn.Write(append(header, body...))
	io.WriteString(conn, "\x15\x03\x03\x00\x02\x02\x30")
	io.Copy(io.Discard, conn)
}
