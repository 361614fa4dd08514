package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
	"smtp-proxy/upstream"
)

// silentPort is how long a port may say nothing before TLS is tried on it by
// another connection. That costs a smarthost that takes its time nothing.
const silentPort = 2 * time.Second

// connect reaches the smarthost and tells the machine.
func (d *dialogue) connect(ctx context.Context) {
	p := d.prober
	p.budget.spend(d.target.Name, p.options.Now()) // counted, and never refused: a person waits for it
	p.counts.connections.Add(1)
	conn, err := p.options.Connector.Connect(ctx, d.target, d.record)
	switch {
	case err != nil && errors.Is(ctx.Err(), context.Canceled):
		d.cutShort(ctx)
	case err != nil:
		d.unreachable(err)
	default:
		d.use(ctx, conn)
		if d.target.Implicit() {
			d.secureFirst(ctx)
			return
		}
		d.connected(false)
	}
}

// use goes on over a connection, whose waits end with ctx.
func (d *dialogue) use(ctx context.Context, conn net.Conn) {
	d.conn, d.heard = conn, time.Now()
	d.unwatch = context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	d.app.met(d.prober.helo(conn), addrOf(conn.RemoteAddr()).IsLoopback() || d.target.Mode == upstream.ModeNone)
}

func (d *dialogue) connected(secure bool) {
	now := time.Now()
	if d.heard = now; !secure {
		d.undecided = now.Add(silentPort)
	}
	d.apply(d.m.Connected(now, secure))
	d.phase = session.PhaseGreeting
}

// unreachable ends the session. A look-up that was still waiting for an answer
// when the time was over has left no failure in the history.
func (d *dialogue) unreachable(err error) {
	now := time.Now()
	var odd session.Oddity
	if e := (*upstream.Error)(nil); errors.As(err, &e) {
		switch e.Fault.Class {
		case session.FaultDescriptors:
			odd = session.OddLimit
		case session.FaultLoop:
			odd = session.OddLoop
		case session.FaultTimeout:
			if e.Fault.Op == "lookup" {
				d.record(session.Entry{At: now, Leg: session.Upstream, From: session.FromProxy, Kind: session.KindError,
					Phase: session.PhaseConnect, Fault: &e.Fault, Text: err.Error()})
			}
		}
	}
	d.apply(d.m.Unreachable(now, odd, err.Error()))
}

// secureFirst makes TLS from the first octet.
func (d *dialogue) secureFirst(ctx context.Context) {
	fault := d.shakeHands(ctx, func(fault *session.Fault) bool { return d.open && greets(fault) })
	switch {
	case d.m.Over():
	case fault == nil:
		d.connected(true)
	case d.open && greets(fault):
		d.again(ctx, upstream.ModeSTARTTLS, fmt.Sprintf("port %d greets in clear where TLS was due: going on with STARTTLS (--upstream-tls starttls)", d.target.Port))
	}
}

// greets reports that a TLS hello was answered with the greeting of SMTP.
func greets(f *session.Fault) bool {
	if f == nil || f.Class != session.FaultNotTLS {
		return false
	}
	code, _, _, ok := wire.ReplyLine(f.First)
	return ok && code/100 == 2
}

// secure makes TLS behind STARTTLS.
func (d *dialogue) secure(ctx context.Context) {
	d.shake = false
	d.shakeHands(ctx, func(*session.Fault) bool { return false })
}

// shakeHands makes TLS and tells the machine, unless untold has the fault kept
// from it. Its time is the connection's and not that of a context, whose end
// would close the connection before the kernel can be asked about it.
func (d *dialogue) shakeHands(ctx context.Context, untold func(*session.Fault) bool) *session.Fault {
	_ = d.conn.SetDeadline(time.Now().Add(replyWait))
	if ctx.Err() != nil { // its end may have set a deadline before this one
		d.cutShort(ctx)
		return nil
	}
	tc, facts, fault := d.prober.options.Connector.Secure(context.WithoutCancel(ctx), d.conn, d.target)
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		d.cutShort(ctx)
		return fault
	case fault != nil && untold(fault):
		return fault
	case fault == nil:
		d.conn = tc
	}
	now := time.Now()
	d.heard = now
	d.apply(d.m.Secured(now, session.Upstream, facts, fault))
	if fault == nil {
		for _, note := range upstream.Notes(facts, now) {
			d.record(note)
		}
	}
	return fault
}

// tryTLS asks a port that says nothing whether it waits for TLS. If it does,
// the dialogue goes on that way or, where the mode is not open, is at its end.
func (d *dialogue) tryTLS(ctx context.Context) {
	d.undecided = time.Time{}
	limited, cancel := context.WithTimeout(ctx, silentPort)
	defer cancel()
	l, err := d.prober.open(limited, d.target)
	if err != nil {
		return // which leaves the silence as it is
	}
	defer l.close()
	if l.speaksTLS() != speaksTLS {
		return
	}
	why := fmt.Sprintf("port %d says nothing in clear and answers a TLS hello", d.target.Port)
	if d.open {
		d.again(ctx, upstream.ModeImplicit, why+": going on with TLS from the first octet (--upstream-tls implicit)")
		return
	}
	d.answer(session.Entry{
		Text:  why,
		Probe: &session.Probe{Name: nameSpeaks, Result: resultFail, Cause: portCause(d.target, speaksTLS)},
	})
	now := time.Now()
	d.silent(now, "the port answers a TLS hello: it waits for TLS from the first octet (--upstream-tls implicit)")
	d.apply(d.m.Abort(now, "", why))
}

// again begins anew in another mode. Nothing has been said yet but hellos.
func (d *dialogue) again(ctx context.Context, mode upstream.Mode, why string) {
	now := time.Now()
	d.record(session.Entry{At: now, Leg: session.Upstream, From: session.FromProxy, Kind: session.KindNote, Phase: session.PhaseConnect, Text: why})
	d.turned(why)
	d.hangUp()
	d.target.Mode, d.open = mode, false
	d.start(now)
	d.connect(ctx)
}
