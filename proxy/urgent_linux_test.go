package proxy_test

import (
	"io"
	"net"
	"testing"

	"golang.org/x/sys/unix"

	"smtp-proxy/proxy"
)

// TestUrgentMarkBeforeTheEnd checks an app that has left behind an urgent octet
// before anybody looks: the kernel ends a read at the mark, and what is behind
// it counts as well.
func TestUrgentMarkBeforeTheEnd(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	const want = "NOOP 1\r\nNOOP 2\r\n"
	got := make(chan string, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "220 mx\r\n")
		all := make([]byte, len(want))
		n, _ := io.ReadFull(conn, all)
		got <- string(all[:n])
	}()
	r := start(t, l.Addr().String(), nil)
	a := dial(t, r.addr)
	a.hear("220 mx\r\n")
	release := proxy.HoldReactors(r.server)
	a.say("NOOP 1\r\n")
	urge(t, a.conn.(*net.TCPConn), "!")
	a.say("NOOP 2\r\n")
	a.conn.Close()
	release()
	if got := <-got; got != want {
		t.Errorf("the upstream got %q, want %q", got, want)
	}
	r.wait()
}

// urge sends an octet as urgent (RFC 9293, section 3.8.5), which puts it out of
// the stream.
func urge(t *testing.T, conn *net.TCPConn, octet string) {
	t.Helper()
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	fail := raw.Control(func(fd uintptr) { err = unix.Sendto(int(fd), []byte(octet), unix.MSG_OOB, nil) })
	if fail != nil || err != nil {
		t.Fatal(fail, err)
	}
}
