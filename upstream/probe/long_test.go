package probe_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"net"
	"strings"
	"testing"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

// buffered is a connection from which some has been read ahead.
type buffered struct {
	net.Conn
	r *bufio.Reader
}

func (b buffered) Read(p []byte) (int, error) { return b.r.Read(p) }

// TestLongHello predicts for a smarthost that breaks off at hellos of more
// than one packet, as those with post-quantum keys are.
func TestLongHello(t *testing.T) {
	ca := newCA(t)
	leaf, err := ca.Leaf(host)
	if err != nil {
		t.Fatal(err)
	}
	addr := peer(t, []string{"220 mx ESMTP\r\n", "250-mx\r\n250 STARTTLS\r\n", "220 go ahead\r\n"}, func(c net.Conn, r *bufio.Reader) {
		header, err := r.Peek(5)
		if err != nil || int(header[3])<<8|int(header[4]) > 1400 {
			return
		}
		_ = tls.Server(buffered{c, r}, &tls.Config{Certificates: []tls.Certificate{leaf}}).HandshakeContext(context.Background())
	})
	p := newProber(t, ca.Pool(), probe.Options{})
	for _, group := range []string{"P-384", "X25519MLKEM768"} {
		h := offer(func(h *session.Hello) { h.Groups = append([]string{group}, h.Groups...) })
		e := p.Direct(t.Context(), target(addr, upstream.ModeSTARTTLS), h)
		want := ""
		if strings.Contains(group, "MLKEM") {
			want = "groups"
		}
		if e.Probe.Setting != want || (want != "") != strings.Contains(e.Text, "post-quantum groups make it (X25519MLKEM768)") {
			t.Errorf("%s: setting %q, want %q: %q", group, e.Probe.Setting, want, e.Text)
		}
	}
}
