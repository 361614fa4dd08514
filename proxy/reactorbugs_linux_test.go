package proxy_test

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"smtp-proxy/proxy"
	"smtp-proxy/testenv"
)

// TestBugsHaveAnEnd checks that a bug met by what a reactor has others do, by a
// timer, or by the machine itself, keeps no session from its end, and so no
// server.
func TestBugsHaveAnEnd(t *testing.T) {
	for name, harm := range map[string]func(*proxy.Server){
		"dial":    proxy.BreakDial,
		"machine": proxy.BreakMachine,
		"timer":   proxy.BreakTimer,
	} {
		t.Run(name, func(t *testing.T) {
			up := tape(t, "<- 220 mx ready\n! eof\n! close", testenv.TapeOptions{})
			r := start(t, up.Addr(), nil)
			a := dial(t, r.addr)
			a.hear("220 mx ready\r\n")
			harm(r.server)
			r.wait()
		})
	}
}

// expired is a context whose time is up.
func expired() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// TestJudgeBugCostsNoSession checks that a session goes on when the one who
// looks at the chain met a bug.
func TestJudgeBugCostsNoSession(t *testing.T) {
	up := tape(t, "<- 220 mx ready\n-> NOOP*\n<- 250 ok\n! eof\n! close", testenv.TapeOptions{})
	r := start(t, up.Addr(), nil)
	a := dial(t, r.addr)
	a.hear("220 mx ready\r\n")
	proxy.BreakJudge(r.server)
	a.say("NOOP\r\n")
	a.hear("250 ok\r\n")
}

// TestShutdownWhileConnecting has apps come while the server stops: each is
// served or told, and none is left.
func TestShutdownWhileConnecting(t *testing.T) {
	for range 10 {
		up := tape(t, "<- 220 mx ready\n! eof\n! close", testenv.TapeOptions{})
		r := start(t, up.Addr(), nil)
		var apps sync.WaitGroup
		for range 8 {
			apps.Go(func() { comeAndGo(r.addr) })
		}
		_ = r.server.Shutdown(expired())
		if n := r.server.Open(); n != 0 {
			t.Fatalf("%d sessions are open behind Shutdown", n)
		}
		apps.Wait()
		up.Close()
	}
}

// comeAndGo connects until nobody listens any more.
func comeAndGo(addr string) {
	for {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			return
		}
		var b [1]byte
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		_, _ = c.Read(b[:])
		c.Close()
	}
}
