package proxy_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"smtp-proxy/proxy"
	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
)

// toTLS is how a smarthost's script comes to TLS.
const toTLS = "<- 220 mx\n-> EHLO app\n<- 250-mx\n<- 250 STARTTLS\n-> STARTTLS\n<- 220 go\n"

// startSecured runs a proxy that makes TLS with a smarthost that plays script,
// in the given version.
func startSecured(t *testing.T, script string, version uint16, change func(*proxy.Options, *upstream.Options)) (*rig, *testenv.Tape) {
	t.Helper()
	ca, err := testenv.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := ca.Leaf("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	up := tape(t, script, testenv.TapeOptions{TLS: &tls.Config{Certificates: []tls.Certificate{leaf}, MaxVersion: version}})
	return start(t, up.Addr(), func(o *proxy.Options, u *upstream.Options) {
		o.Routes[0].Target.Mode = upstream.ModeSTARTTLS
		u.Roots = ca.Pool()
		if change != nil {
			change(o, u)
		}
	}), up
}

// TestBulkUnderTLS sends messages in one go that are longer than what the
// sockets hold: what the smarthost gets, and what is recorded of the shorter
// one, must be what the app has written.
func TestBulkUnderTLS(t *testing.T) { carried(t, bulkUnderTLS) }

func bulkUnderTLS(t *testing.T) {
	script := toTLS + "! tls\n-> EHLO app\n<- 250 mx\n-> DATA\n<- 354 go\n! data\n<- 250 queued\n-> QUIT\n<- 221 bye\n! close"
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, lines := range []int{10_000, 60_000} {
			r, up := startSecured(t, script, version, nil)
			a := dial(t, r.addr)
			var body strings.Builder
			for i := range lines {
				fmt.Fprintf(&body, "%07d %s\r\n", i, strings.Repeat("x", 70))
			}
			a.hear("220 mx\r\n")
			a.say("EHLO app\r\n")
			a.hear("250 mx\r\n")
			a.say("DATA\r\n")
			a.hear("354 go\r\n")
			a.say(body.String() + ".\r\nQUIT\r\n")
			a.hear("250 queued\r\n221 bye\r\n")
			a.hearEnd()
			if err := up.Wait(within(t), 1); err != nil {
				t.Fatal(err)
			}
			want := "EHLO app\r\nSTARTTLS\r\nEHLO app\r\nDATA\r\n" + body.String() + ".\r\nQUIT\r\n"
			if got := string(up.Received(0)); got != want {
				t.Errorf("%s, %d lines: the upstream got %d octets, want %d", tls.VersionName(version), lines, len(got), len(want))
			}
			if history := r.wait(); lines == 10_000 {
				demandBody(t, history, body.String())
			}
		}
	}
}

// TestWordsBehindTheHandshake has a smarthost speak under TLS before it is
// spoken to: nothing else may come that would have its words read.
func TestWordsBehindTheHandshake(t *testing.T) { carried(t, wordsBehindTheHandshake) }

func wordsBehindTheHandshake(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		r, _ := startSecured(t, toTLS+"! tls\n<- 421 4.3.2 not today\n! eof", version, nil)
		a := dial(t, r.addr)
		a.hear("220 mx\r\n")
		a.say("EHLO app\r\n")
		a.hearLine("421 4.3.2 not today")
		a.conn.Close()
		r.wait()
	}
}

// TestHandshakeWithoutAnAnswer checks that a handshake that hangs ends with its
// time, with the app and with the server.
func TestHandshakeWithoutAnAnswer(t *testing.T) { carried(t, handshakeWithoutAnAnswer) }

func handshakeWithoutAnAnswer(t *testing.T) {
	for _, mode := range []upstream.Mode{upstream.ModeSTARTTLS, upstream.ModeImplicit} {
		for name, end := range map[string]func(*rig, *app){
			"time":   func(_ *rig, a *app) { a.hearLine("421 4.7.0 ") },
			"app":    func(_ *rig, a *app) { a.conn.Close() },
			"server": func(r *rig, _ *app) { go r.stop() },
		} {
			t.Run(fmt.Sprint(mode, " ", name), func(t *testing.T) {
				t.Parallel()
				history := hangingHandshake(t, mode, end, name == "time")
				e := find(history, func(e *session.Entry) bool { return e.Kind == session.KindTLS })
				if name == "time" && (e == nil || e.Fault == nil || e.Fault.Class != session.FaultTimeout) {
					t.Errorf("got %+v, want a handshake out of time:\n%s", e, transcript(history))
				}
			})
		}
	}
}

// hangingHandshake is the history of a session whose smarthost says nothing to
// the ClientHello, until end is called or the time of a handshake is up.
func hangingHandshake(t *testing.T, mode upstream.Mode, end func(*rig, *app), soon bool) []session.Record {
	begun := make(chan struct{})
	hooks := map[string]func(context.Context){"begun": func(context.Context) { close(begun) }}
	script := "! call begun\n! eof"
	if mode == upstream.ModeSTARTTLS {
		script = toTLS + script
	}
	up := tape(t, script, testenv.TapeOptions{Hooks: hooks})
	r := start(t, up.Addr(), func(o *proxy.Options, u *upstream.Options) {
		o.Routes[0].Target.Mode = mode
		if soon {
			u.HandshakeTimeout = 50 * time.Millisecond
		}
	})
	a := dial(t, r.addr)
	if mode == upstream.ModeSTARTTLS {
		a.hear("220 mx\r\n")
		a.say("EHLO app\r\n")
	}
	<-begun
	end(r, a)
	return r.wait()
}

// TestManyUnderTLS has many sessions shake hands at the same time, of which
// some resume.
func TestManyUnderTLS(t *testing.T) { carried(t, manyUnderTLS) }

func manyUnderTLS(t *testing.T) {
	script := toTLS + "! tls\n-> EHLO app\n<- 250 mx\n-> NOOP\n<- 250 ok\n-> QUIT\n<- 221 bye\n! close"
	r, _ := startSecured(t, script, tls.VersionTLS13, nil)
	var apps sync.WaitGroup
	for range 30 {
		apps.Go(func() {
			if err := greetAndLeave(r.addr); err != nil {
				t.Error(err)
			}
		})
	}
	apps.Wait()
	for range 30 {
		history := r.wait()
		if e := find(history, func(e *session.Entry) bool { return e.Fault != nil }); e != nil {
			t.Errorf("got a fault: %+v\n%s", e.Fault, transcript(history))
		}
	}
}

// greetAndLeave is a session without a message.
func greetAndLeave(addr string) error {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	for _, step := range [][2]string{{"", "220 mx\r\n"}, {"EHLO app\r\n", "250 mx\r\n"}, {"NOOP\r\n", "250 ok\r\n"}, {"QUIT\r\n", "221 bye\r\n"}} {
		if _, err := c.Write([]byte(step[0])); err != nil {
			return err
		}
		var b [64]byte
		if n, err := c.Read(b[:]); string(b[:n]) != step[1] {
			return fmt.Errorf("to %q got %q, %v; want %q", step[0], b[:n], err, step[1])
		}
	}
	return nil
}
