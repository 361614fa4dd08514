package replay

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"smtp-proxy/proxy/session"
)

// How this works.
//
// One goroutine speaks and listens in turn. Before something is said, the
// replies are read that had been read when it was said then; lines that need no
// waiting between them leave in one write. What the replies decide is decided
// there: a transaction whose MAIL is refused now is not gone on with, and where
// the session as a whole cannot go on, only its QUIT is still said.

// The bounds of a session that is played.
const (
	patience     = 5 * time.Minute // for each reply (RFC 5321, section 4.5.3.2)
	farewell     = 2 * time.Second // for the peer's end behind the app's
	maxUnread    = 500             // replies that are due while more is said
	maxUnwritten = 16 << 10        // octets of lines that leave together
)

// player plays a script on a connection.
type player struct {
	options Options
	script  *Script
	conn    net.Conn
	replies *bufio.Reader
	result  Result

	out       []byte // said, not yet written
	due       []due
	odd       int       // lines that were no replies
	earlier   time.Time // when something was said or heard last, in the record
	giveUp    string    // why nothing but QUIT is said any more
	over      bool      // nor that: the smarthost has said 421
	ready     bool      // the relay has said 220 to STARTTLS
	abandoned bool      // a transaction is open that is not gone on with
	gone      bool      // nothing can be read any more
	left      bool      // the app's direction has ended
	signedIn  int       // tries to sign in that were refused
	secrets   []string
	offers    string        // the latest EHLO reply
	body      io.ReadCloser // of the message bodyOf
	bodyOf    int
	bodyAt    int64
	state     playedState
	omitted   []omission
}

// due is a reply that is waited for.
type due struct {
	said *spoken
	sent time.Time
}

// playedState is what has become of the transaction under way.
type playedState struct {
	message  int
	refused  string // why it is not gone on with
	accepted int    // recipients
	text     bool   // the smarthost waits for message text
	began    bool   // MAIL was accepted
}

// Play plays the script as the app into conn, which it closes. Whatever comes
// of it stands in the result.
func (s Script) Play(ctx context.Context, conn net.Conn, o Options) Result {
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	p := &player{options: o, script: &s, bodyOf: -1, state: playedState{message: -1}}
	p.result = Result{Recorded: s.Recorded, Reached: session.PhaseConnect}
	p.omitted = slices.Clone(s.omissions)
	p.options.Timeout = cmp.Or(o.Timeout, patience)
	p.use(conn)
	p.all(ctx)
	p.closeBody()
	p.result.NotSent = asSaid(p.omitted)
	if err := context.Cause(ctx); err != nil && p.giveUp != "" {
		p.result.Err = errors.Join(err, p.result.Err)
	}
	return p.result
}

func (p *player) use(conn net.Conn) {
	p.conn, p.replies = conn, bufio.NewReader(conn)
}

// all says everything, in order.
func (p *player) all(ctx context.Context) {
	if err := p.bodiesAreThere(); err != nil {
		p.result.Err = err
		return
	}
	for i := range p.script.said {
		s := &p.script.said[i]
		p.awaitUpTo(s.awaited)
		p.enter(s)
		if why := p.skips(s); why != "" {
			p.omit(s, why)
			continue
		}
		p.pause(ctx, s)
		p.perform(ctx, s)
	}
	p.awaitAll()
	p.farewell()
}

// bodiesAreThere asks again what Script has asked, of a record that may have
// been cleared since.
func (p *player) bodiesAreThere() error {
	check := plan{script: *p.script, recording: p.script.recording}
	return check.wantBodies()
}

// perform says one thing.
func (p *player) perform(ctx context.Context, s *spoken) {
	switch s.kind {
	case spokenNothing:
		p.unasked(s)
	case spokenLine:
		p.line(ctx, s)
	case spokenContent:
		p.content(ctx, s)
	case spokenAuth:
		p.awaitAll()
		p.signIn(s)
	case spokenTLS:
		p.awaitAll()
		p.shake(ctx, s)
	case spokenEnd:
		p.flush()
		p.leave()
	}
}

// unasked expects a reply that nothing was said for. Who spoke before the
// greeting does not wait for it.
func (p *player) unasked(s *spoken) {
	if s.phase == session.PhaseGreeting {
		p.expect(s)
		return
	}
	p.awaitAll()
	p.expect(s)
	p.await(min(p.options.Timeout, p.since(s.at)+5*time.Second))
}

// line says a command, with the octets that belong to it.
func (p *player) line(ctx context.Context, s *spoken) {
	if s.verb == "MAIL" && p.abandoned {
		p.line(ctx, &spoken{kind: spokenLine, text: "RSET", verb: "RSET", phase: s.phase, index: s.index - 1, message: s.message, own: true})
		p.awaitAll()
	}
	p.out = append(append(p.out, s.text...), "\r\n"...)
	p.expect(s)
	if s.verb == "BDAT" {
		p.flush()
		p.octets(ctx, s, nil)
	}
	switch {
	case s.verb == "DATA" || s.verb == "STARTTLS": // the reply decides what the next octets are
		p.awaitAll()
		if p.ready && !s.good() {
			p.shake(ctx, s) // it was refused then, and nothing else can follow now
		}
	case len(p.due) > maxUnread:
		p.awaitDown(maxUnread / 2)
	case len(p.out) > maxUnwritten:
		p.flush()
	}
}

func (p *player) expect(s *spoken) {
	p.due = append(p.due, due{said: s, sent: time.Now()})
}

// flush writes what was said.
func (p *player) flush() {
	if len(p.out) > 0 {
		p.write(p.out)
		p.out = p.out[:0]
	}
}

// write sends octets. That they do not get there shows when a reply is waited
// for: the peer may have said why.
func (p *player) write(b []byte) bool {
	if p.gone || p.left {
		return false
	}
	_ = p.conn.SetWriteDeadline(time.Now().Add(p.options.Timeout))
	if _, err := p.conn.Write(b); err != nil {
		p.giveUp = cmp.Or(p.giveUp, "the connection was closed")
		return false
	}
	return true
}

// since is how much time there was in the record behind what was said or heard
// last.
func (p *player) since(at time.Time) time.Duration {
	if p.earlier.IsZero() || at.IsZero() {
		return 0
	}
	return max(0, at.Sub(p.earlier))
}

// pause waits as long as the app did.
func (p *player) pause(ctx context.Context, s *spoken) {
	gap := p.since(s.at)
	if !s.at.IsZero() {
		p.earlier = s.at
	}
	if !p.options.Pace || gap < time.Millisecond || p.gone || s.kind == spokenNothing {
		return
	}
	p.flush()
	t := time.NewTimer(gap)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// leave ends the app's direction and goes on reading.
func (p *player) leave() {
	if half, ok := p.conn.(interface{ CloseWrite() error }); ok && !p.left {
		_ = half.CloseWrite()
	}
	p.left = true
}

// farewell leaves, and sees what the peer still says. It is a difference
// unless the app had left too early to know.
func (p *player) farewell() {
	left := p.left
	p.leave()
	if p.gone {
		return
	}
	_ = p.conn.SetReadDeadline(time.Now().Add(farewell))
	reply, err := p.reply()
	if err != nil || left {
		return
	}
	p.step(Step{Now: reply.Text, Why: "no reply came then"})
}

// errBroken marks a conversation that ended where the record goes on.
var errBroken = errors.New("the conversation broke off")

// broke notes that, once.
func (p *player) broke(where string, err error) {
	if p.result.Err == nil {
		p.result.Err = fmt.Errorf("%s: %w: %w", where, errBroken, err)
	}
}
