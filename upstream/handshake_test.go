package upstream_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

// hello reads the record with the ClientHello.
func hello(conn net.Conn) {
	header := make([]byte, 5)
	if _, err := io.ReadFull(conn, header); err == nil {
		io.CopyN(io.Discard, conn, int64(header[3])<<8|int64(header[4]))
	}
}

// says is a peer that reads the ClientHello and answers with bytes.
func says(t *testing.T, answer string) netip.AddrPort {
	return serve(t, func(conn net.Conn) {
		hello(conn)
		io.WriteString(conn, answer)
		io.Copy(io.Discard, conn)
	})
}

// serverHello is a ServerHello that chooses a version and a cipher suite.
func serverHello(version, suite string) string {
	body := version + strings.Repeat("r", 32) + "\x00" + suite + "\x00"
	message := "\x02\x00\x00" + string(rune(len(body))) + body
	return "\x16\x03\x01\x00" + string(rune(len(message))) + message
}

func TestSecureFaults(t *testing.T) {
	ca := newCA(t)
	cert := made(t)(ca.Leaf(host))
	with := func(change func(*tls.Config)) netip.AddrPort {
		config := &tls.Config{Certificates: []tls.Certificate{cert}}
		change(config)
		return serveTLS(t, config)
	}
	tests := []struct {
		name  string
		addr  netip.AddrPort
		class session.FaultClass
		alert int
		sent  bool
		first string
	}{
		{"greets in clear", serve(t, func(c net.Conn) { io.WriteString(c, "220 mx ESMTP\r\n"); io.Copy(io.Discard, c) }), session.FaultNotTLS, 0, false, "220 mx ESMTP\r\n"},
		{"speaks HTTP", says(t, "HTTP/1.1 400 Bad Request\r\n"), session.FaultNotTLS, 0, false, "HTTP/1.1 400"},
		{"a word and gone", serve(t, func(c net.Conn) { hello(c); io.WriteString(c, "no\n") }), session.FaultNotTLS, 0, false, "no\n"},
		{"only TLS 1.1", with(func(c *tls.Config) { c.MaxVersion = tls.VersionTLS11 }), session.FaultAlert, 70, false, ""},
		{"chooses TLS 1.0", says(t, serverHello("\x03\x01", "\xc0\x13")), session.FaultVersion, 70, true, ""},
		{"chooses a cipher not offered", says(t, serverHello("\x03\x03", "\x00\x3c")), session.FaultCipher, 40, true, ""},
		{"no cipher in common", with(func(c *tls.Config) {
			c.MaxVersion = tls.VersionTLS12
			c.CipherSuites = []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}
		}), session.FaultAlert, 40, false, ""},
		{"wants a certificate", with(func(c *tls.Config) {
			c.MaxVersion = tls.VersionTLS12
			c.ClientAuth = tls.RequireAnyClientCert
		}), session.FaultAlert, 40, false, ""},
		{"needs another name", with(func(c *tls.Config) {
			c.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, errors.New("no") }
		}), session.FaultAlert, 80, false, ""},
		{"unrecognized name", says(t, "\x15\x03\x03\x00\x02\x02\x70"), session.FaultAlert, 112, false, ""},
		{"close_notify", serve(t, func(c net.Conn) { hello(c); io.WriteString(c, "\x15\x03\x03\x00\x02\x01\x00") }), session.FaultAlert, 0, false, ""},
		{"silent", serve(t, func(c net.Conn) { io.Copy(io.Discard, c) }), session.FaultTimeout, 0, false, ""},
		{"closes", serve(t, hello), session.FaultClosed, 0, false, ""},
		{"resets", serve(t, func(c net.Conn) { hello(c); c.(*net.TCPConn).SetLinger(0) }), session.FaultReset, 0, false, ""},
		{"garbled", says(t, "\x16\x03\x03\x00\x04\xff\xff\xff\xff"), session.FaultCorrupt, 0, true, ""},
		{"a record too long", says(t, "\x16\x03\x03\xff\xff"), session.FaultCorrupt, 0, false, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newConnector(t, upstream.Options{Roots: ca.Pool(), HandshakeTimeout: 400 * time.Millisecond})
			f := secure(t, c, tt.addr, host).fault
			if f == nil || f.Op != "handshake" || f.Class != tt.class || f.Text == "" {
				t.Fatalf("fault %+v, want class %s", f, tt.class)
			}
			if f.Class != session.FaultCorrupt && (f.Alert != tt.alert || f.Sent != tt.sent) {
				t.Errorf("alert %d, ours %v (%s); want %d, %v", f.Alert, f.Sent, f.Text, tt.alert, tt.sent)
			}
			if got := string(f.First); (tt.first == "") != (got == "") || !strings.HasPrefix(got, tt.first) {
				t.Errorf("first bytes %q, want %q", got, tt.first)
			}
		})
	}
}

func TestSecureCancelled(t *testing.T) {
	addr := serve(t, func(c net.Conn) { io.Copy(io.Discard, c) })
	conn, err := net.Dial("tcp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, facts, fault := newConnector(t, upstream.Options{}).Secure(ctx, conn, upstream.Target{Host: host})
	if fault == nil || fault.Class != session.FaultLocal || facts.ServerName != host {
		t.Errorf("fault %+v, facts %+v; want class local", fault, facts)
	}
}

// With TLS 1.3 the demand for a client certificate shows on the first read.
func TestClassifyOfALateAlert(t *testing.T) {
	ca := newCA(t)
	addr := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{made(t)(ca.Leaf(host))}, ClientAuth: tls.RequireAnyClientCert})
	s := secure(t, newConnector(t, upstream.Options{Roots: ca.Pool()}), addr, host)
	if s.fault != nil || !s.facts.AskedCert {
		t.Fatalf("fault %+v, facts %+v; want none yet, and that a certificate was asked for", s.fault, s.facts)
	}
	_, err := s.conn.Read(make([]byte, 1))
	f := upstream.Classify("read", err)
	if f == nil || f.Class != session.FaultAlert || f.Alert != 116 || f.Sent || f.Op != "read" {
		t.Errorf("%v classified as %+v, want the peer's alert 116", err, f)
	}
}

func TestUnwrap(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	conn := tls.Client(upstream.NewTap(a), &tls.Config{InsecureSkipVerify: true})
	if got := upstream.Unwrap(conn); got != a {
		t.Errorf("Unwrap found %T, want the pipe", got)
	}
}
