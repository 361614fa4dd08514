package testenv

import (
	"bufio"
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
)

// maxCommand bounds a line; Postfix's line_length_limit is 2048, and the relay
// itself understands more.
const maxCommand = 64 << 10

// talk is one conversation of a [Smarthost].
//
// How this works: run reads a line, command picks the phase that it belongs
// to, and say gives the answer for it. Whatever says something reports whether
// the conversation is over, and everything stops there.
type talk struct {
	host *Smarthost
	conn net.Conn
	r    *bufio.Reader

	id     string // of the conversation, then of the newest message
	secure bool
	helo   string
	user   string
	transaction
}

// transaction is what a RSET forgets.
type transaction struct {
	open    bool // MAIL was accepted
	from    string
	to      []string
	addr    string            // the address of the newest command
	body    []byte            // of the chunks so far
	refuses map[string]string // phase data or dot -> the reply that an address asked for
}

func (t *talk) use(c net.Conn) {
	t.conn, t.r = c, bufio.NewReader(c)
}

func (t *talk) run(ctx context.Context) {
	if t.say(ctx, session.PhaseGreeting) {
		return
	}
	for {
		line, err := t.line()
		if err != nil {
			return
		}
		if t.command(ctx, wire.ParseCommand(line)) {
			return
		}
	}
}

var errLongLine = errors.New("line too long")

func (t *talk) line() ([]byte, error) {
	var line []byte
	for {
		part, err := t.r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			return line, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		case len(line) > maxCommand:
			return nil, errLongLine
		}
	}
}

// command obeys one command and reports whether the conversation is over.
func (t *talk) command(ctx context.Context, c wire.Command) bool {
	switch c.Verb {
	case "EHLO", "HELO":
		return t.hello(ctx, c)
	case "STARTTLS":
		return t.startTLS(ctx)
	case "AUTH":
		return t.auth(ctx, c.Arg)
	case "MAIL":
		return t.mail(ctx, c.Arg)
	case "RCPT":
		return t.rcpt(ctx, c.Arg)
	case "DATA":
		return t.data(ctx)
	case "BDAT":
		return t.chunk(ctx, c.Arg)
	case "RSET":
		t.transaction = transaction{}
		return t.plain(ctx, "250 2.0.0 Ok")
	case "NOOP":
		return t.plain(ctx, "250 2.0.0 Ok")
	case "VRFY":
		return t.plain(ctx, "252 2.0.0 "+c.Arg)
	case "QUIT":
		_ = t.say(ctx, session.PhaseQuit)
		return true
	}
	return t.plain(ctx, "502 5.5.2 Error: command not recognized")
}

// say gives the answer of a phase.
func (t *talk) say(ctx context.Context, phase session.Phase) bool {
	a, _ := t.host.answer(phase)
	return a.give(ctx, t.conn, t.fill())
}

// plain says a reply that no answer can replace.
func (t *talk) plain(ctx context.Context, reply string) bool {
	return Answer{Reply: reply}.give(ctx, t.conn, t.fill())
}

func (t *talk) fill() *strings.Replacer {
	peer, _, _ := net.SplitHostPort(t.conn.RemoteAddr().String())
	return strings.NewReplacer(
		"{host}", t.host.persona.Host, "{helo}", t.helo, "{peer}", peer,
		"{from}", t.from, "{to}", t.addr, "{user}", t.user, "{id}", t.id,
		"{date}", time.Now().UTC().Add(t.host.opts.Clock).Format("Mon, 2 Jan 2006 15:04:05 -0700"))
}

func (t *talk) hello(ctx context.Context, c wire.Command) bool {
	t.helo = c.Arg
	t.transaction = transaction{}
	a, special := t.host.answer(session.PhaseHelo)
	if !special {
		a.Reply = t.keywords(c.Verb == "EHLO")
	}
	return a.give(ctx, t.conn, t.fill())
}

// keywords builds the reply to EHLO, or its one line for HELO.
func (t *talk) keywords(extended bool) string {
	p := t.host.persona
	lines := []string{p.Hello}
	if extended && t.secure {
		lines = append(lines, p.EHLOTLS...)
	} else if extended {
		lines = append(lines, p.EHLO...)
	}
	if t.host.opts.NoTLS {
		lines = slices.DeleteFunc(lines, func(k string) bool { return k == "STARTTLS" })
	}
	last := len(lines) - 1
	for i := range lines {
		lines[i] = map[bool]string{false: "250-", true: "250 "}[i == last] + lines[i]
	}
	return strings.Join(lines, "\n")
}
