package probe

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
	"smtp-proxy/upstream"
)

// The bounds of what a smarthost may say.
const (
	maxReply     = 16 << 10 // octets of one reply
	partingDelay = time.Second
)

// Unreached says why a question could not be asked.
type Unreached struct {
	Cause string         // of the catalogue; empty when it is not the smarthost's doing
	Fault *session.Fault // what broke; nil when nothing did
	Err   error
}

func (u *Unreached) Error() string { return u.Err.Error() }

// Unwrap returns the error beneath.
func (u *Unreached) Unwrap() error { return u.Err }

var errBudget = errors.New("it was asked often enough for this minute")

// line is a connection to a smarthost and its SMTP dialogue.
type line struct {
	conn net.Conn
	r    *bufio.Reader
	name string // what EHLO says
	stop func() bool

	heard []byte // the reply that was read last, whole or not
}

// open connects. The deadline of ctx holds for the whole connection, and its
// end breaks off whatever the line waits for.
func (p *Prober) open(ctx context.Context, t upstream.Target) (*line, error) {
	if !p.budget.spend(t.Name, p.options.Now()) {
		return nil, &Unreached{Err: fmt.Errorf("ask %s: %w", t.Name, errBudget)}
	}
	p.counts.connections.Add(1)
	conn, err := p.options.Connector.Connect(ctx, t, func(session.Entry) {})
	if err != nil {
		u := &Unreached{Err: err}
		if where := (*upstream.Error)(nil); errors.As(err, &where) {
			u.Fault = &where.Fault
		}
		return nil, u
	}
	l := &line{r: bufio.NewReader(conn), conn: conn, name: p.helo(conn)}
	if until, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(until)
	}
	l.stop = context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })
	return l, nil
}

// close ends the connection without a word.
func (l *line) close() {
	l.stop()
	l.conn.Close()
}

// quit ends the dialogue as RFC 5321, section 4.1.1.10 wants it, without
// waiting long for the reply.
func (l *line) quit() {
	defer l.close()
	_ = l.conn.SetDeadline(time.Now().Add(partingDelay))
	if _, err := l.conn.Write([]byte("QUIT\r\n")); err == nil {
		_, _ = l.reply()
	}
}

// use goes on over another connection, one under TLS.
func (l *line) use(conn net.Conn) { l.conn, l.r = conn, bufio.NewReader(conn) }

// helo is how the proxy names itself: its full name if the machine has one,
// otherwise the address in brackets that RFC 5321, section 4.1.4 wants then.
func (p *Prober) helo(conn net.Conn) string {
	if p.options.Name != "" {
		return p.options.Name
	}
	if name, err := os.Hostname(); err == nil && strings.Contains(strings.Trim(name, "."), ".") {
		return name
	}
	return literal(conn.LocalAddr())
}

func literal(a net.Addr) string {
	at, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return "[127.0.0.1]"
	}
	if ip := at.Addr().Unmap().WithZone(""); ip.Is6() {
		return "[IPv6:" + ip.String() + "]"
	}
	return "[" + at.Addr().Unmap().String() + "]"
}

// reply reads one reply, of bounded length.
func (l *line) reply() (wire.Reply, error) {
	var text []byte
	for {
		part, err := l.r.ReadSlice('\n')
		text = append(text, part...)
		l.heard = text
		if err != nil {
			return wire.Reply{}, err
		}
		if len(text) > maxReply {
			return wire.Reply{}, errors.New("the reply does not end")
		}
		_, more, _, ok := wire.ReplyLine(part)
		if !ok {
			return wire.Reply{}, fmt.Errorf("%q is no SMTP reply", strings.TrimSpace(string(part[:min(len(part), 64)])))
		}
		if !more {
			reply, _ := wire.ParseReply(string(text))
			return reply, nil
		}
	}
}

// say sends a command and reads its reply.
func (l *line) say(command string) (wire.Reply, error) {
	if _, err := l.conn.Write([]byte(command + "\r\n")); err != nil {
		return wire.Reply{}, err
	}
	return l.reply()
}
