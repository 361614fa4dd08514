package proxy_test

import (
	"crypto/tls"
	"io"
	"net"
	"testing"

	"smtp-proxy/proxy"
	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
)

// TestResetBehindGoodbye checks an app that drops a tunnel: behind the
// smarthost's close_notify that is how many programs leave, and before it a
// break.
func TestResetBehindGoodbye(t *testing.T) {
	ca, err := testenv.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := ca.Leaf("localhost")
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, bye := range []bool{true, false} {
			name := tls.VersionName(version) + map[bool]string{true: ", behind the goodbye", false: ", in the middle"}[bye]
			t.Run(name, func(t *testing.T) {
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				defer l.Close()
				r := start(t, l.Addr().String(), func(o *proxy.Options, _ *upstream.Options) { o.Routes[0].Passthrough = true })
				go sayAndWait(l, &tls.Config{Certificates: []tls.Certificate{leaf}, MaxVersion: version}, bye)
				a := dial(t, r.addr)
				c := tls.Client(a.conn, &tls.Config{InsecureSkipVerify: true})
				dropTunnel(t, c, bye)
				e := find(r.wait(), func(e *session.Entry) bool { return e.Kind == session.KindClose && e.Leg == session.App })
				if e == nil || (e.Fault != nil) == bye {
					t.Errorf("got %+v of the app's reset, want a fault: %v", e, !bye)
				}
			})
		}
	}
}

// sayAndWait is a smarthost that greets, answers one command, says goodbye or
// not, and waits for the app's end.
func sayAndWait(l net.Listener, cfg *tls.Config, bye bool) {
	conn, err := l.Accept()
	if err != nil {
		return
	}
	defer conn.Close()
	c := tls.Server(conn, cfg)
	_, _ = io.WriteString(c, "220 mx\r\n")
	_, _ = c.Read(make([]byte, 100))
	_, _ = io.WriteString(c, "221 2.0.0 bye\r\n")
	if bye {
		_ = c.CloseWrite()
	}
	_, _ = io.Copy(io.Discard, conn)
}

// dropTunnel quits and resets the connection, once all has come.
func dropTunnel(t *testing.T, c *tls.Conn, bye bool) {
	t.Helper()
	got := make([]byte, 8)
	if _, err := io.ReadFull(c, got); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, "QUIT\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, 15)); err != nil {
		t.Fatal(err)
	}
	if bye {
		if _, err := c.Read(got); err != io.EOF {
			t.Fatalf("got %v, want close_notify", err)
		}
	}
	_ = c.NetConn().(*net.TCPConn).SetLinger(0)
	c.NetConn().Close()
}
