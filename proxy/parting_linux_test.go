package proxy_test

import (
	"net"
	"testing"
	"time"

	"smtp-proxy/proxy"
	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
)

// TestPartingIsTold checks that the record tells a FIN from a reset on either
// leg, with what the kernel and the session knew then.
func TestPartingIsTold(t *testing.T) { carried(t, partingIsTold) }

func partingIsTold(t *testing.T) {
	tests := []struct {
		name   string
		script string
		leave  func(*app)
		leg    session.Side
		kind   session.Kind
		class  session.FaultClass // empty for a FIN
		change func(*proxy.Options, *upstream.Options)
	}{
		{"the app closes", "<- 220 mx\n! eof", func(a *app) { a.conn.Close() }, session.App, session.KindClose, "", nil},
		{"the app resets", "<- 220 mx\n! eof", func(a *app) {
			_ = a.conn.(*net.TCPConn).SetLinger(0)
			a.conn.Close()
		}, session.App, session.KindClose, session.FaultReset, nil},
		{"the upstream closes", "<- 220 mx\n-> NOOP\n! close", func(a *app) { a.say("NOOP\r\n") }, session.Upstream, session.KindClose, "", nil},
		{"the upstream resets", "<- 220 mx\n-> NOOP\n! reset", func(a *app) { a.say("NOOP\r\n") }, session.Upstream, session.KindClose, session.FaultReset, nil},
		{"the app is silent", "<- 220 mx\n! eof", func(*app) {}, session.App, session.KindNote, "", func(o *proxy.Options, _ *upstream.Options) {
			o.Routes[0].AppSilence = 20 * time.Millisecond
		}},
		{"the upstream is silent", "<- 220 mx\n-> NOOP\n! eof", func(a *app) { a.say("NOOP\r\n") }, session.Upstream, session.KindNote, "", func(o *proxy.Options, _ *upstream.Options) {
			o.Routes[0].UpstreamReply = 20 * time.Millisecond
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			up := tape(t, tt.script, testenv.TapeOptions{})
			r := start(t, up.Addr(), tt.change)
			a := dial(t, r.addr)
			a.hear("220 mx\r\n")
			tt.leave(a)
			history := r.wait()
			demandParting(t, history, tt.leg, tt.kind, tt.class)
		})
	}
}

// demandParting looks for the entry that tells of a leg's end.
func demandParting(t *testing.T, history []session.Record, leg session.Side, kind session.Kind, class session.FaultClass) {
	t.Helper()
	e := find(history, func(e *session.Entry) bool {
		return e.Leg == leg && e.Kind == kind && (kind != session.KindNote || e.Odd == session.OddTimeout)
	})
	if e == nil {
		t.Fatalf("got no %s on the %s's leg:\n%s", kind, leg, transcript(history))
	}
	if e.Fault == nil && class != "" || e.Fault != nil && e.Fault.Class != class {
		t.Errorf("got fault %+v, want %q", e.Fault, class)
	}
	if e.TCP == nil || e.TCP.RTT <= 0 || e.TCP.State == "" {
		t.Errorf("got TCP %+v, want a round-trip time and a state", e.TCP)
	}
	if e.Silent == nil || e.Silent.App < 0 || e.Silent.Upstream < 0 {
		t.Errorf("got silence %+v, want how long nothing came", e.Silent)
	}
	if kind == session.KindNote && (e.Silent.App < 20*time.Millisecond || e.Silent.Upstream < 20*time.Millisecond) {
		t.Errorf("got silence %+v, want the 20ms that led to it", e.Silent)
	}
}

// TestFailedHandshakeKnowsItsConnection checks both ways to TLS on the
// upstream's leg; the connection is closed at once where TLS comes first.
func TestFailedHandshakeKnowsItsConnection(t *testing.T) {
	carried(t, failedHandshakeKnowsItsConnection)
}

func failedHandshakeKnowsItsConnection(t *testing.T) {
	for name, mode := range map[string]upstream.Mode{"implicit": upstream.ModeImplicit, "STARTTLS": upstream.ModeSTARTTLS} {
		t.Run(name, func(t *testing.T) {
			script := "<- 220 mx\n-> EHLO*\n<- 250-mx\n<- 250 STARTTLS\n-> STARTTLS\n<- 220 go\n! reset"
			if mode == upstream.ModeImplicit {
				script = "<- 220 this is no TLS\n! eof"
			}
			up := tape(t, script, testenv.TapeOptions{})
			r := start(t, up.Addr(), func(o *proxy.Options, _ *upstream.Options) { o.Routes[0].Target.Mode = mode })
			a := dial(t, r.addr)
			if mode == upstream.ModeSTARTTLS {
				a.hear("220 mx\r\n")
				a.say("EHLO app\r\n")
			}
			a.hearLine("421 4.7.0 ")
			a.hearEnd()
			history := r.wait()
			e := find(history, func(e *session.Entry) bool { return e.Kind == session.KindTLS && e.Fault != nil })
			if e == nil || e.TCP == nil || e.TCP.RTT <= 0 {
				t.Errorf("got %+v, want a handshake's failure with its connection:\n%s", e, transcript(history))
			}
		})
	}
}
