package proxy_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"smtp-proxy/proxy"
	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

// open is an established tunnel, held by its two ends.
type open struct {
	app, up *tls.Conn
}

// openTunnel makes implicit TLS between an app and an upstream through the
// proxy at addr, and lets each say a word, so that nothing is left to observe.
func openTunnel(t *testing.T, addr string, l net.Listener, version uint16) open {
	t.Helper()
	accepted := make(chan *tls.Conn, 1)
	cfg := serverConfig(t)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			close(accepted)
			return
		}
		up := tls.Server(conn, cfg)
		_ = up.Handshake()
		_, _ = io.WriteString(up, "220 mx\r\n")
		accepted <- up
	}()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	app := tls.Client(conn, &tls.Config{InsecureSkipVerify: true, ServerName: "mx.test", MaxVersion: version})
	if err := heard(app); err != nil {
		t.Fatalf("the app heard no greeting: %v", err)
	}
	up := <-accepted
	t.Cleanup(func() { up.Close() })
	_ = up.SetDeadline(time.Now().Add(20 * time.Second))
	if err := say(app, "EHLO app\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := heard(up); err != nil {
		t.Fatalf("the upstream heard no EHLO: %v", err)
	}
	return open{app, up}
}

// shown returns the entries of a kind on a leg.
func shown(h []session.Record, kind session.Kind, leg session.Side) (all []*session.Entry) {
	for _, rec := range h {
		if e := rec.Entry; e != nil && e.Kind == kind && e.Leg == leg {
			all = append(all, e)
		}
	}
	return all
}

func TestTunnelJudgesTheChain(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		l := listenAt(t)
		r := start(t, l.Addr().String(), passthrough)
		o := openTunnel(t, r.addr, l, version)
		o.app.Close()
		o.up.Close()
		h := r.wait()
		facts := shown(h, session.KindTLS, session.Upstream)
		if len(facts) != 1 || facts[0].Fault != nil || len(facts[0].TLS.Sent) != 0 {
			t.Fatalf("%s: got %s\nwant one handshake of the upstream's, without fault and without raw certificates", tls.VersionName(version), transcript(h))
		}
		got := facts[0].TLS
		if judged := got.Verify == session.VerifySelfSigned && len(got.Chain) == 1; judged != (version == tls.VersionTLS12) {
			t.Errorf("%s: got verify %q and %d certificates; want those of a self-signed one where the version shows it", got.Version, got.Verify, len(got.Chain))
		}
		if offers := shown(h, session.KindTLS, session.App); len(offers) != 1 || offers[0].TLS.Hello == nil || offers[0].TLS.Hello.JA4 == "" || offers[0].TLS.ServerName != "mx.test" {
			t.Errorf("%s: the app's leg lacks what the app offered: %s", got.Version, transcript(h))
		}
	}
}

func TestTunnelKeepsHalfClose(t *testing.T) {
	l := listenAt(t)
	r := start(t, l.Addr().String(), passthrough)
	o := openTunnel(t, r.addr, l, tls.VersionTLS13)
	_ = o.app.CloseWrite()
	_ = o.app.NetConn().(*net.TCPConn).CloseWrite()
	if n, err := o.up.Read(make([]byte, 1)); err != io.EOF {
		t.Fatalf("the upstream read %d, %v; want the app's end", n, err)
	}
	if err := say(o.up, "250 queued\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := heard(o.app); err != nil {
		t.Fatalf("behind its own end the app heard nothing: %v", err)
	}
	o.up.Close()
	h := r.wait()
	if c := shown(h, session.KindClose, session.App); len(c) != 1 || c[0].Fault != nil {
		t.Errorf("got\n%s\nwant one clean end of the app's", transcript(h))
	}
}

func TestTunnelTellsResets(t *testing.T) {
	for _, side := range []session.Side{session.App, session.Upstream} {
		l := listenAt(t)
		r := start(t, l.Addr().String(), passthrough)
		o := openTunnel(t, r.addr, l, tls.VersionTLS13)
		breaker := o.app
		if side == session.Upstream {
			breaker = o.up
		}
		tcp := breaker.NetConn().(*net.TCPConn)
		_ = tcp.SetLinger(0)
		tcp.Close()
		other := o.up
		if side == session.Upstream {
			other = o.app
		}
		_, _ = io.Copy(io.Discard, other)
		other.Close()
		h := r.wait()
		c := shown(h, session.KindClose, side)
		if len(c) != 1 || c[0].Fault == nil || c[0].Fault.Class != session.FaultReset {
			t.Errorf("%s: got\n%s\nwant its close with a reset", side, transcript(h))
		}
	}
}

func TestTunnelEndsWhenIdle(t *testing.T) {
	l := listenAt(t)
	r := start(t, l.Addr().String(), func(o *proxy.Options, u *upstream.Options) {
		passthrough(o, u)
		o.Routes[0].AppSilence = 300 * time.Millisecond
	})
	o := openTunnel(t, r.addr, l, tls.VersionTLS13)
	began := time.Now()
	if _, err := io.Copy(io.Discard, o.app); err != nil && time.Since(began) > 10*time.Second {
		t.Fatal(err)
	}
	if got := time.Since(began); got < 200*time.Millisecond {
		t.Errorf("the tunnel ended after %s, want some 300ms without a word", got)
	}
	o.app.Close()
	if h := r.wait(); odd(h, session.OddTimeout) == nil {
		t.Errorf("got\n%s\nwant a time-out", transcript(h))
	}
}

// TestTunnelHasItsGrace: nobody knows whether a tunnel is in a message.
func TestTunnelHasItsGrace(t *testing.T) {
	l := listenAt(t)
	r := start(t, l.Addr().String(), passthrough)
	o := openTunnel(t, r.addr, l, tls.VersionTLS13)
	ctx, cancel := context.WithCancel(t.Context())
	var stopping sync.WaitGroup
	stopping.Go(func() { _ = r.server.Shutdown(ctx) })
	for { // until it has begun
		conn, err := net.Dial("tcp", r.addr)
		if err != nil {
			break
		}
		conn.Close()
	}
	if err := say(o.up, "354 go\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := heard(o.app); err != nil {
		t.Fatalf("within the grace the app heard nothing: %v", err)
	}
	cancel()
	_, _ = io.Copy(io.Discard, o.app)
	o.app.Close()
	stopping.Wait()
	var h []session.Record
	for note := (*session.Entry)(nil); note == nil; {
		h = r.wait() // those who only knocked have histories, too
		note = find(h, func(e *session.Entry) bool { return strings.HasPrefix(e.Text, "the tunnel carried") })
	}
	if odd(h, session.OddShutdown) == nil {
		t.Errorf("got\n%s\nwant the end by the proxy", transcript(h))
	}
}

// TestTunnelSaysNothingInClear: an app that begins with TLS cannot read a 421,
// whether its hello is there before the dial has failed or not.
func TestTunnelSaysNothingInClear(t *testing.T) {
	l := listenAt(t)
	addr := l.Addr().String()
	l.Close()
	r := start(t, addr, func(o *proxy.Options, u *upstream.Options) {
		passthrough(o, u)
		o.Routes[0].Target.Mode = upstream.ModeImplicit
	})
	a := dial(t, r.addr)
	a.say("\x16\x03\x01\x00\xff")
	if rest, _ := io.ReadAll(a.in); len(rest) > 0 {
		t.Errorf("the app got %q, want nothing", rest)
	}
	a.conn.Close()
	if h := r.wait(); find(h, func(e *session.Entry) bool { return e.Kind == session.KindError }) == nil {
		t.Errorf("got\n%s\nwant the refused dial", transcript(h))
	}
}
