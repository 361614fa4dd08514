package proxy_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"smtp-proxy/proxy"
	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
)

func TestListenOnABusyPort(t *testing.T) {
	up := tape(t, "<- 220 mx\n! eof", testenv.TapeOptions{})
	r := start(t, up.Addr(), nil)
	connector, err := upstream.New(upstream.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := proxy.New(proxy.Options{Recorder: proxy.NewRecorder(),
		Routes: []proxy.Route{{Name: "default", Connector: connector, Listen: []string{"127.0.0.1:0", r.addr}}}})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Listen()
	if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), r.addr) || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v, want one line that names %s", err, r.addr)
	}
}

func TestListenOnLocalhostIsBothLoopbacks(t *testing.T) {
	up := tape(t, "<- 220 mx\n! eof", testenv.TapeOptions{})
	r := start(t, up.Addr(), func(o *proxy.Options, _ *upstream.Options) { o.Routes[0].Listen = []string{"localhost:0"} })
	addrs := r.server.Addrs()
	if addrs[0].Addr() != netip.MustParseAddr("127.0.0.1") {
		t.Errorf("got %v first", addrs[0])
	}
	for _, a := range addrs[1:] {
		if a.Addr() != netip.MustParseAddr("::1") || a.Port() != addrs[0].Port() {
			t.Errorf("got %v beside %v", a, addrs[0])
		}
	}
}

func TestTurnedAway(t *testing.T) { carried(t, turnedAway) }

func turnedAway(t *testing.T) {
	up := tape(t, "<- 220 mx ready\n! eof", testenv.TapeOptions{})
	tests := []struct {
		name, reply string
		odd         session.Oddity
		open        int
		change      func(*proxy.Options, *upstream.Options)
	}{
		{"address", "554 5.7.1 smtp-proxy: 127.0.0.1 may not connect", session.OddPolicy, 0, func(o *proxy.Options, _ *upstream.Options) {
			o.Routes[0].AllowFrom = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
		}},
		{"sessions", "421 4.3.2 smtp-proxy: 1 sessions are open", session.OddLimit, 1, func(o *proxy.Options, _ *upstream.Options) { o.MaxSessions = 1 }},
		{"per address", "421 4.7.0 smtp-proxy: 1 sessions from 127.0.0.1", session.OddLimit, 1, func(o *proxy.Options, _ *upstream.Options) { o.MaxPerAddress = 1 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := start(t, up.Addr(), tt.change)
			for range tt.open {
				dial(t, r.addr).hear("220 mx ready\r\n")
			}
			a := dial(t, r.addr)
			a.hearLine(tt.reply)
			a.hearEnd()
			a.conn.Close()
			if history := r.wait(); odd(history, tt.odd) == nil {
				t.Errorf("the reason is not in the record:\n%s", transcript(history))
			}
		})
	}
}

// TestShutdown checks what SIGTERM leads to: an idle session gets 421 at once,
// one in a message finishes it, and nobody is let in any more.
func TestShutdown(t *testing.T) { carried(t, shutdown) }

func shutdown(t *testing.T) {
	up := tape(t, "<- 220 mx ready\n! eof\n---\n<- 220 mx ready\n-> MAIL*\n<- 250 ok\n-> DATA\n<- 354 go\n! data\n<- 250 queued\n! eof", testenv.TapeOptions{})
	r := start(t, up.Addr(), nil)
	idle := dial(t, r.addr)
	idle.hear("220 mx ready\r\n")
	busy := dial(t, r.addr)
	busy.hear("220 mx ready\r\n")
	busy.say("MAIL FROM:<a@x>\r\n")
	busy.hear("250 ok\r\n")
	busy.say("DATA\r\n")
	busy.hear("354 go\r\n")
	done := make(chan error, 1)
	go func() { done <- r.server.Shutdown(context.Background()) }()
	idle.hearLine("421 4.3.2 smtp-proxy: shutting down")
	idle.hearEnd()
	busy.say("hello\r\n.\r\n")
	busy.hear("250 queued\r\n")
	busy.hearLine("421 4.3.2 smtp-proxy: shutting down")
	busy.hearEnd()
	if err := <-done; err != nil {
		t.Error(err)
	}
	for range 2 {
		if history := r.wait(); odd(history, session.OddShutdown) == nil {
			t.Errorf("the stop is not in the record:\n%s", transcript(history))
		}
	}
}

// TestShutdownHasAnEnd checks that an app that never finishes its message does
// not keep the proxy alive.
func TestShutdownHasAnEnd(t *testing.T) { carried(t, shutdownHasAnEnd) }

func shutdownHasAnEnd(t *testing.T) {
	up := tape(t, "<- 220 mx ready\n-> MAIL*\n<- 250 ok\n! eof", testenv.TapeOptions{})
	r := start(t, up.Addr(), nil)
	a := dial(t, r.addr)
	a.hear("220 mx ready\r\n")
	a.say("MAIL FROM:<a@x>\r\n")
	a.hear("250 ok\r\n")
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := r.server.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	a.hearLine("421 4.3.2 smtp-proxy: ")
}

// TestPanicEndsOneSession checks that a bug met by one session is told to its
// app and ends no other.
func TestPanicEndsOneSession(t *testing.T) { carried(t, panicEndsOneSession) }

func panicEndsOneSession(t *testing.T) {
	up := tape(t, "<- 220 mx ready\n! eof", testenv.TapeOptions{})
	r := start(t, up.Addr(), func(o *proxy.Options, _ *upstream.Options) {
		o.Routes[0].AppTLS = session.AppOffer
		o.Routes[0].TLS = &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { panic("a bug") }}
	})
	other := dial(t, r.addr)
	other.hear("220 mx ready\r\n")
	a := dial(t, r.addr)
	a.hear("220 mx ready\r\n")
	a.say("STARTTLS\r\n")
	a.hearLine("220 ")
	_ = tls.Client(a.conn, &tls.Config{InsecureSkipVerify: true}).Handshake()
	if history := r.wait(); odd(history, session.OddPanic) == nil {
		t.Errorf("the bug is not in the record:\n%s", transcript(history))
	}
	other.conn.Close()
	if history := r.wait(); odd(history, session.OddPanic) != nil {
		t.Errorf("the other session was hit as well:\n%s", transcript(history))
	}
}
