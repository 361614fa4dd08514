package proxy_test

import (
	"testing"

	"smtp-proxy/proxy"
	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
)

// TestTransparentDialsNobodyUnredirected checks a connection that was made to
// the proxy itself: it is told what to do, recorded and never dialled.
func TestTransparentDialsNobodyUnredirected(t *testing.T) {
	up := tape(t, "<- 220 never\n! eof", testenv.TapeOptions{})
	r := start(t, up.Addr(), func(o *proxy.Options, _ *upstream.Options) { o.Routes[0].Transparent = true })
	a := dial(t, r.addr)
	a.hearLine("421 4.3.5 smtp-proxy: nothing has redirected this connection")
	a.hearEnd()
	history := r.wait()
	if e := odd(history, session.OddLoop); e == nil {
		t.Errorf("the reason is not in the record:\n%s", transcript(history))
	}
	if e := find(history, func(e *session.Entry) bool { return e.Leg == session.Upstream }); e != nil {
		t.Errorf("got %+v, want nothing dialled", e)
	}
	if got := history[0].Session.Upstream; got != r.addr {
		t.Errorf("got upstream %s in the record, want the address that was called, %s", got, r.addr)
	}
}
