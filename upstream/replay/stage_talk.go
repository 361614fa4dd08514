package replay

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"time"

	"smtp-proxy/proxy/wire"
)

// talk is one session of a stage.
//
// How this works: run reads a line and command answers it. Whatever does
// something reports whether the session goes on, and everything stops where it
// does not.
type talk struct {
	stage   *Stage
	session int
	raw     net.Conn // beneath TLS
	conn    net.Conn
	r       *bufio.Reader

	at    standing
	said  map[*exchange]int // how often each was answered
	told  map[string]bool   // what was reported once for the session
	later []act             // what the smarthost does when the app stays silent

	spoke            bool // in clear, where TLS was due: the greeting is out
	strayed          bool // a recipient was none of the recorded
	helo, user, from string
	chunks           *keeper // of the message under way
}

func (t *talk) use(c net.Conn) { t.conn, t.r = c, bufio.NewReader(c) }

func (t *talk) run(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() { t.raw.Close() })
	defer stop()
	defer func() { t.conn.Close() }() // with close_notify under TLS
	if t.stage.model.implicit && !t.shake(ctx) && !t.spoke {
		return
	}
	if !t.spoke && !t.greet(ctx) {
		return
	}
	for t.idle(ctx) {
		line, err := t.line()
		if errors.Is(err, errStageLine) {
			t.deviate("a line of more than 64 KiB")
			_ = t.write("500 5.5.2 Line too long")
			return
		}
		if err != nil || !t.command(ctx, line) {
			return
		}
	}
}

func (t *talk) greet(ctx context.Context) bool {
	return t.perform(ctx, t.stage.model.greeting.answers[0])
}

var errStageLine = errors.New("line too long")

// line reads a command line.
func (t *talk) line() ([]byte, error) {
	_ = t.conn.SetReadDeadline(time.Now().Add(stageIdle))
	var line []byte
	for {
		part, err := t.r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil && bytes.HasSuffix(line, []byte("\r\n")):
			return line, nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		case len(line) > stageLine:
			return nil, errStageLine
		}
	}
}

// command answers one command.
func (t *talk) command(ctx context.Context, line []byte) bool {
	c := wire.ParseCommand(line)
	verb := verbOfLine(c)
	switch verb {
	case "EHLO", "HELO":
		t.helo = c.Arg
	case "AUTH":
		return t.auth(ctx, c.Arg)
	case "BDAT":
		return t.chunk(ctx, c.Arg)
	}
	q := t.at.moment(verb, wire.LineText(line))
	code, ok := t.answer(ctx, q)
	switch {
	case !ok:
		return false
	case verb == "MAIL" && code/100 == 2:
		t.from = q.arg
	case verb == "DATA" && code/100 == 3:
		return t.message(ctx)
	case verb == "STARTTLS" && code == 220:
		return t.shake(ctx)
	case verb == "QUIT" && code == 221:
		return false
	}
	return true
}

// answer does what the smarthost did at that moment, and returns its code.
func (t *talk) answer(ctx context.Context, q moment) (code int, ok bool) {
	a := t.find(q)
	ok = t.perform(ctx, a)
	t.at.advance(q, a.code)
	return a.code, ok
}

// perform does what an answer consists of. What the smarthost does unasked, and
// not at once, waits for the app's silence.
func (t *talk) perform(ctx context.Context, a *answer) bool {
	const atOnce = 50 * time.Millisecond
	if len(a.acts) == 0 {
		t.listen()
		return false
	}
	for i, act := range a.acts {
		if i > 0 && act.wait > atOnce {
			t.later = a.acts[i:]
			return true
		}
		if !t.wait(ctx, act.wait) || !t.do(act) {
			return false
		}
	}
	if a.code == 0 { // words that are no reply, and nothing behind them
		t.listen()
		return false
	}
	return true
}

// do reports whether the session goes on.
func (t *talk) do(a act) bool {
	switch a.end {
	case closes:
		return false // the session's end closes in order
	case drops:
		t.raw.Close()
		return false
	case resets:
		hardClose(t.raw)
		return false
	}
	if a.part {
		return t.send(a.text) == nil
	}
	// Whoever says 421 leaves (RFC 5321, section 3.8), seen or not.
	return t.write(a.text) == nil && !strings.HasPrefix(a.text[strings.LastIndexByte(a.text, '\n')+1:], "421 ")
}

// write says whole lines.
func (t *talk) write(text string) error { return t.send(text + "\n") }

func (t *talk) send(text string) error {
	_ = t.conn.SetWriteDeadline(time.Now().Add(stageIdle))
	_, err := io.WriteString(t.conn, strings.ReplaceAll(text, "\n", "\r\n"))
	return err
}

// idle does what the smarthost did when the app was silent. What the app says
// first cancels it.
func (t *talk) idle(ctx context.Context) bool {
	for len(t.later) > 0 {
		act := t.later[0]
		t.later = t.later[1:]
		heard, gone := t.hears(t.paced(act.wait, time.Second))
		if gone || ctx.Err() != nil {
			return false
		}
		if heard {
			t.later = nil
			return true
		}
		if !t.do(act) {
			return false
		}
	}
	return true
}

// hears waits for the app's next octet.
func (t *talk) hears(d time.Duration) (heard, gone bool) {
	_ = t.conn.SetReadDeadline(time.Now().Add(d))
	_, err := t.r.Peek(1)
	_ = t.conn.SetReadDeadline(time.Time{})
	var late net.Error
	if errors.As(err, &late) && late.Timeout() {
		return false, false
	}
	return err == nil, err != nil
}

// paced returns how long to wait where the smarthost took d: at most the limit
// when nobody wants to wait.
func (t *talk) paced(d, limit time.Duration) time.Duration {
	if t.stage.o.Fast {
		return min(d, limit)
	}
	return d
}

// wait lets the recorded time pass, unless the app leaves.
func (t *talk) wait(ctx context.Context, d time.Duration) bool {
	d = t.paced(d, 0)
	if d <= 0 {
		return true
	}
	until := time.Now().Add(d)
	if t.r.Buffered() == 0 {
		if _, gone := t.hears(d); gone {
			return false
		}
	}
	return sleep(ctx, time.Until(until))
}

// listen reads until the app leaves: the smarthost says nothing more.
func (t *talk) listen() {
	_ = t.conn.SetReadDeadline(time.Now().Add(stageLife))
	_, _ = io.Copy(io.Discard, t.r)
}

// deviate reports a difference, once in a session.
func (t *talk) deviate(text string) {
	const most = 200 // of one session: an app can make up commands without end
	if t.told[text] || len(t.told) >= most {
		return
	}
	t.told[text] = true
	t.stage.deviates(t.session, text)
}

func hardClose(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	c.Close()
}
