package probe

import (
	"context"
	"errors"
	"net"
	"os"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

// How a dialogue works.
//
// It is a relayed session whose app is this program: the same machine reads
// both sides, so that its entries are those that a record holds, and are
// diagnosed as those are. One goroutine does it all in turns: what the app has
// to say goes to the machine, then what is due on the upstream's leg is done, a
// handshake or a read. Silence is bounded by the machine's own deadlines, and
// all of it by ctx.

// The bounds of a dialogue.
const (
	replyWait    = 15 * time.Second // a reply, or a handshake
	verdictWait  = time.Minute      // the verdict on the test message
	farewellWait = 2 * time.Second  // what may still come behind a write that failed
	goodbyeWait  = time.Second / 3  // the smarthost's own end behind QUIT
	maxHeard     = 256 << 10        // octets from the smarthost
	maxEntries   = 1000             // of the history, give or take what comes in one piece
)

// dialogue is a session with a smarthost under way.
type dialogue struct {
	prober *Prober
	target upstream.Target // its mode becomes what was found out
	seen   func(*session.Entry)
	turned func(text string)   // hears that the port speaks otherwise than it was taken to
	answer func(session.Entry) // takes what a question beside the session has answered

	m         *session.Machine
	app       *caller
	conn      net.Conn
	unwatch   func() bool
	open      bool           // what the port speaks first may turn out to be something else
	shake     bool           // a handshake is due
	undecided time.Time      // until when a silent port is taken for one that waits its time; zero when that is settled
	broken    *session.Fault // why nothing can be written any more
	heard     time.Time      // when the smarthost last said something
	octets    int            // that it has said
	phase     session.Phase  // of the last entry
	entries   []session.Entry
}

// Dialogue holds one session with a smarthost in the way of an app, as far as
// the script goes, and returns its history, which ends well before ctx does.
// Each entry is handed to seen as it is made, if that is not nil. It tries to
// sign in at most once, and sends a message only where the script says so.
func (p *Prober) Dialogue(ctx context.Context, t upstream.Target, s Script, seen func(*session.Entry)) []session.Entry {
	d := p.newDialogue(t, s)
	if seen != nil {
		d.seen = seen
	}
	d.hold(ctx)
	return d.entries
}

func (p *Prober) newDialogue(t upstream.Target, s Script) *dialogue {
	return &dialogue{
		prober: p, target: t, open: t.Mode == upstream.ModeAuto, app: newCaller(s, t.Name), unwatch: func() bool { return true },
		seen: func(*session.Entry) {}, turned: func(string) {}, answer: func(session.Entry) {},
	}
}

// hold goes through the session.
func (d *dialogue) hold(ctx context.Context) {
	ctx, cancel := early(ctx)
	defer cancel()
	now := time.Now()
	d.start(now)
	d.record(session.Entry{At: now, Leg: session.App, From: session.FromApp, Kind: session.KindOpen,
		Phase: session.PhaseConnect, Text: "the check takes the app's place"})
	d.connect(ctx)
	for !d.m.Over() {
		d.turn(ctx)
	}
	d.hangUp()
}

// early leaves whoever waits for the dialogue the time to read what came of
// it: half a second, of short waits a fifth.
func early(ctx context.Context) (context.Context, context.CancelFunc) {
	until, bounded := ctx.Deadline()
	if !bounded {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, until.Add(-min(time.Second/2, time.Until(until)/5)))
}

// start makes the rules of a session with the target as it is taken now.
func (d *dialogue) start(now time.Time) {
	d.m = session.New(session.Config{
		Upstream: d.target.Name, UpstreamTLS: d.secures(),
		UpstreamReply: replyWait, UpstreamVerdict: verdictWait, Linger: goodbyeWait,
	}, now)
}

func (d *dialogue) secures() session.UpstreamTLS {
	switch {
	case d.target.Implicit():
		return session.UpstreamImplicit
	case d.target.Mode == upstream.ModeNone:
		return session.UpstreamNone
	case d.target.Mode == upstream.ModeSTARTTLS:
		return session.UpstreamSTARTTLS
	}
	return session.UpstreamAuto
}

// turn does what is to be done next.
func (d *dialogue) turn(ctx context.Context) {
	line := d.app.take()
	now := time.Now()
	switch due := d.m.Deadline(); {
	case ctx.Err() != nil:
		d.cutShort(ctx)
	case d.octets > maxHeard || len(d.entries) > maxEntries:
		d.apply(d.m.Abort(now, "", d.target.Name+" says more than a session has use for"))
	case d.shake:
		d.secure(ctx)
	case line != nil:
		d.apply(d.m.Received(now, session.App, line))
	case d.app.left && !d.m.Gone(session.App):
		d.apply(d.m.Closed(now, session.App, nil))
	case !due.IsZero() && !now.Before(due):
		d.apply(d.m.Elapsed(now))
	default:
		d.read(ctx)
	}
}

// read waits for the smarthost.
func (d *dialogue) read(ctx context.Context) {
	_ = d.conn.SetReadDeadline(d.until())
	if ctx.Err() != nil { // its end may have set a deadline before this one
		return
	}
	buf := make([]byte, 4<<10)
	n, err := d.conn.Read(buf)
	now := time.Now()
	if n > 0 {
		d.heard, d.undecided = now, time.Time{}
		d.octets += n
		d.apply(d.m.Received(now, session.Upstream, buf[:n]))
	}
	switch {
	case err == nil || ctx.Err() != nil:
	case !errors.Is(err, os.ErrDeadlineExceeded) || d.broken != nil:
		d.apply(d.m.Closed(now, session.Upstream, d.endOf(err)))
	case !d.undecided.IsZero() && !now.Before(d.undecided):
		d.tryTLS(ctx)
	}
}

// until is how long the smarthost may be silent now; zero means for ever.
func (d *dialogue) until() time.Time {
	due := d.m.Deadline()
	switch {
	case d.broken != nil:
		return time.Now().Add(farewellWait)
	case !d.undecided.IsZero() && d.undecided.Before(due):
		return d.undecided
	}
	return due
}

// apply does what the machine wants done.
func (d *dialogue) apply(effects []session.Effect) {
	for i := range effects {
		switch e := &effects[i]; e.Op {
		case session.OpRecord:
			d.record(*e.Entry)
		case session.OpHandshake:
			d.shake = true
		case session.OpWrite:
			if e.Side == session.App {
				d.app.hear(e.Data)
			} else {
				d.write(e.Data)
			}
		case session.OpClose, session.OpCloseWrite:
			if e.Side == session.Upstream {
				d.endWrites()
			}
		}
	}
}

func (d *dialogue) write(b []byte) {
	if d.conn == nil || d.broken != nil {
		return
	}
	_ = d.conn.SetWriteDeadline(time.Now().Add(replyWait))
	if _, err := d.conn.Write(b); err != nil {
		d.broken = upstream.Classify("write", err)
	}
}

// record adds to the history.
func (d *dialogue) record(e session.Entry) {
	e.Seq = len(d.entries) + 1
	if e.Leg == session.Upstream && witnessed(&e) && e.TCP == nil && d.conn != nil {
		e.TCP = tcpOf(d.conn)
	}
	d.phase = e.Phase
	if e.Kind == session.KindTLS && e.Fault == nil {
		d.app.private = true
	}
	d.entries = append(d.entries, e)
	d.seen(&e)
}

// witnessed reports an entry that tells of the end of the connection, or of
// trouble with it.
func witnessed(e *session.Entry) bool {
	switch e.Kind {
	case session.KindClose:
		return true
	case session.KindTLS:
		return e.Fault != nil
	}
	return e.Odd == session.OddTimeout
}
