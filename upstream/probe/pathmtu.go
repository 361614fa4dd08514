package probe

import (
	"context"
	"fmt"
	"slices"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

const namePathMTU = "path-mtu"

// How a black hole is told. Packets over the MTU of some link are dropped, and
// so are the ICMP messages that would say so (RFC 2923): a connection is made,
// small replies pass, and the first large flight never arrives, which is that
// of the TLS handshake. The same handshake over a connection whose segments
// were agreed to be small goes through.
const (
	crossWait  = 3 * time.Second // for a handshake that may be stalled
	suspicious = 3 * time.Second // of a dialogue that goes on: it may be stalled
	small4     = 536             // octets of a segment that every IPv4 path takes (RFC 9293, section 3.7.1)
	small6     = 1220            // the same of IPv6
)

// PathMTUStep looks for a black hole when the dialogue is stalled. A dialogue
// that comes to the end of a handshake has its answer in it.
func (steps) PathMTUStep() step {
	return step{
		name: namePathMTU, rank: 40, after: []string{nameTCP},
		about: "whether large packets get through where small ones do",
		run:   examinePathMTU,
	}
}

func examinePathMTU(ctx context.Context, x *examination) {
	if len(x.known.contacts) == 0 {
		x.say(namePathMTU, Line{Status: StatusSkip, Text: noConnection})
		return
	}
	t, entries, ended := x.sofar(ctx)
	if ended {
		if l, settled := x.mtuLine(entries); settled {
			x.say(namePathMTU, l)
			return
		}
	}
	e := x.prober.answer(t, x.prober.pathMTU(ctx, t))
	if ctx.Err() != nil {
		return
	}
	x.say(namePathMTU, Line{Status: statusOf(e.Probe.Result), Text: e.Text, Took: e.Probe.Duration})
	x.answer(e)
}

// sofar waits for the dialogue, unless it takes so long that it may be stalled.
// It stands ahead of the end of the dialogue, since a stalled one may use up
// all the time of the check.
func (x *examination) sofar(ctx context.Context) (t upstream.Target, entries []session.Entry, ended bool) {
	dialogue := x.step["dialogue"]
	if dialogue == nil {
		return x.target, nil, false
	}
	late := time.NewTimer(suspicious)
	defer late.Stop()
	select {
	case <-dialogue.done:
		return x.known.spoken, x.known.dialogue, true
	case <-late.C:
	case <-ctx.Done():
	}
	return x.target, nil, false
}

// mtuLine says what a dialogue shows of large packets; one that was stalled
// shows nothing.
func (x *examination) mtuLine(dialogue []session.Entry) (l Line, settled bool) {
	shook := func(how func(*session.Entry) bool) bool {
		return slices.ContainsFunc(dialogue, func(e session.Entry) bool {
			return e.Leg == session.Upstream && e.Kind == session.KindTLS && how(&e)
		})
	}
	switch {
	case shook(func(e *session.Entry) bool { return e.Fault != nil && e.Fault.Class == session.FaultTimeout }):
		return Line{}, false
	case shook(sawLarge):
		l = Line{Status: StatusOK, Text: "the large packets of the TLS handshake came through"}
		if known := x.known.contacts; len(known) > 0 && known[0].path.mtu > 0 {
			l.Text += fmt.Sprintf(" (path MTU %d, segments of up to %d octets)", known[0].path.mtu, known[0].path.segment)
		}
		return l, true
	case shook(func(*session.Entry) bool { return true }):
		return Line{Status: StatusSkip, Text: "not tested: the TLS handshake ended before anything large was sent"}, true
	}
	return Line{Status: StatusSkip, Text: "not tested: no TLS handshake was begun, and nothing before it is large"}, true
}

// sawLarge reports a handshake that has brought the smarthost's certificates,
// whatever became of it then.
func sawLarge(e *session.Entry) bool {
	return e.Fault == nil || e.TLS != nil && len(e.TLS.Chain) > 0
}

// PathMTU shakes hands with a smarthost, and when that is stalled, once more in
// small segments. The result is fail, with the cause tls.handshake-timeout, when
// only the small ones come through.
func (p *Prober) PathMTU(ctx context.Context, t upstream.Target) session.Entry {
	return p.remembered(ctx, t, namePathMTU, p.pathMTU)
}

// PathMTUQuestion looks for a black hole.
func (askables) PathMTUQuestion() askable {
	return askable{namePathMTU, func(ctx context.Context, p *Prober, t upstream.Target, _ Question) session.Entry {
		return p.PathMTU(ctx, t)
	}}
}

func (p *Prober) pathMTU(ctx context.Context, t upstream.Target) session.Entry {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, p.options.Timeout)
	defer cancel()
	e, err := p.compareSizes(ctx, t, crossWait)
	if err != nil {
		return skipped(namePathMTU, err)
	}
	e.Phase, e.Probe.Name, e.Probe.Duration = session.PhaseTLS, namePathMTU, time.Since(began)
	return e
}

// compareSizes shakes hands in large segments, in small ones, and in large ones
// again: what was stalled once only is no black hole. wait is the limit of each.
func (p *Prober) compareSizes(ctx context.Context, t upstream.Target, wait time.Duration) (session.Entry, error) {
	large, err := p.cross(ctx, t, p.usual(t), wait)
	if err != nil {
		return session.Entry{}, err
	}
	if !large.stalled() {
		return large.passed(t), nil
	}
	small, err := p.cross(ctx, t, p.narrow(t, large.addr), wait)
	if err != nil {
		return session.Entry{}, err
	}
	switch {
	case small.fault != nil && !small.stalled(): // it broke in another way, which decides nothing
		return small.passed(t), nil
	case small.fault != nil:
		return verdictMTU(resultOK, "the TLS handshake is stalled, and in segments of %d octets, too: the size of packets is not the reason", smallSegment(large.addr)), nil
	}
	again, err := p.cross(ctx, t, p.usual(t), min(wait, time.Second+4*small.took))
	if err != nil {
		return session.Entry{}, err
	}
	if !again.stalled() {
		return verdictMTU(resultOK, "the TLS handshake was stalled once, and came through the next time: the size of packets is not the reason"), nil
	}
	e := verdictMTU(resultFail, "%s get lost: the TLS handshake is stalled, and in segments of %d octets it is done in %s: a link drops what exceeds its MTU and the ICMP messages about it are filtered (path MTU black hole); lower this machine's MTU or clamp the MSS on the router",
		large.direction(), smallSegment(large.addr), rounded(small.took))
	e.Probe.Cause, e.Fault = "tls.handshake-timeout", large.fault
	return e, nil
}

func verdictMTU(result, format string, args ...any) session.Entry {
	return session.Entry{Text: fmt.Sprintf(format, args...), Probe: &session.Probe{Result: result}}
}
