package wire

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"testing"
)

// overheard is a connection that keeps what was last written to it.
type overheard struct {
	net.Conn
	last []byte
}

func (o *overheard) Write(b []byte) (int, error) {
	o.last = append(o.last, b...)
	return o.Conn.Write(b)
}

// underTLS returns the upstream's end of a connection under TLS, whose app
// reads and drops all, and what is written beneath.
func underTLS(t *testing.T, cfg *tls.Config) (*tls.Conn, *overheard) {
	t.Helper()
	near, far := net.Pipe()
	t.Cleanup(func() { near.Close(); far.Close() })
	go io.Copy(io.Discard, tls.Client(far, &tls.Config{InsecureSkipVerify: true}))
	beneath := &overheard{Conn: near}
	upstream := tls.Server(beneath, cfg)
	if err := upstream.Handshake(); err != nil {
		t.Fatal(err)
	}
	beneath.last = nil
	return upstream, beneath
}

// TestEndsInAlert lets crypto/tls say goodbye behind replies of all short
// lengths: the goodbye must be known, and no reply taken for one.
func TestEndsInAlert(t *testing.T) {
	leaf := certificate(t)
	tests := []struct {
		name    string
		version uint16
		suite   uint16
	}{
		{"TLS 1.3", tls.VersionTLS13, 0},
		{"TLS 1.2, GCM", tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},
		{"TLS 1.2, ChaCha20", tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256},
		{"TLS 1.2, CBC", tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := &tls.Config{Certificates: []tls.Certificate{leaf}, MinVersion: tt.version, MaxVersion: tt.version}
			if tt.suite != 0 {
				cfg.CipherSuites = []uint16{tt.suite}
			}
			upstream, beneath := underTLS(t, cfg)
			for n := 6; n < 200; n++ {
				beneath.last = nil
				if _, err := upstream.Write(bytes.Repeat([]byte("x"), n)); err != nil || EndsInAlert(beneath.last) {
					t.Errorf("%v: took a reply of %d octets for a goodbye: % x", err, n, beneath.last)
				}
			}
			beneath.last = nil
			_ = upstream.CloseWrite()
			b := beneath.last
			if !EndsInAlert(b) || !EndsInAlert(append(bytes.Repeat([]byte("x"), 1000), b...)) {
				t.Errorf("got no goodbye in % x", b)
			}
			for cut := range b {
				if EndsInAlert(b[:cut]) {
					t.Errorf("got a goodbye in its first %d octets: % x", cut, b[:cut])
				}
			}
		})
	}
}
