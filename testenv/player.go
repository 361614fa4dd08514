package testenv

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// maxLine bounds a line that a player hears; more is a mismatch.
const maxLine = 1 << 20

// player plays one conversation of a script on one connection, as either
// side. It is used by one goroutine.
type player struct {
	conn     net.Conn
	r        *bufio.Reader
	app      bool // it says the app's lines; otherwise the upstream's
	shake    func(context.Context, net.Conn) (net.Conn, error)
	hooks    map[string]func(context.Context)
	patience time.Duration // for each thing heard
	heard    *recording
}

// newPlayer prepares to play on c. What it hears goes to heard, exactly.
func newPlayer(c net.Conn, heard *recording) *player {
	p := &player{heard: heard, patience: 10 * time.Second}
	p.use(c)
	return p
}

func (p *player) use(c net.Conn) {
	p.conn = c
	p.r = bufio.NewReader(io.TeeReader(c, p.heard))
}

// errEnded ends a script early, as it asked for.
var errEnded = errors.New("the script ended the connection")

// play goes through the steps. The error names the step that went otherwise.
func (p *player) play(ctx context.Context, talk []step) error {
	for _, s := range talk {
		_ = p.conn.SetReadDeadline(time.Now().Add(p.patience))
		err := p.step(ctx, s)
		if errors.Is(err, errEnded) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("script line %d %q: %w", s.line, s, err)
		}
	}
	return nil
}

func (p *player) step(ctx context.Context, s step) error {
	if s.mark == directive {
		return p.obey(ctx, strings.Fields(s.text))
	}
	own := s.mark == appLine || s.mark == appOctets
	octets := s.mark == appOctets || s.mark == upstreamOctets
	switch {
	case own != p.app && octets:
		return p.hearOctets(s.text)
	case own != p.app:
		return p.hearLine(s.text)
	case octets:
		return p.say(s.text)
	default:
		return p.say(s.text + "\r\n")
	}
}

func (p *player) say(text string) error {
	_, err := io.WriteString(p.conn, text)
	return err
}

// hearLine reads one line and compares it. A pattern that ends in * matches by
// prefix; the app's NNN* reads a whole reply, however many lines it has.
func (p *player) hearLine(want string) error {
	got, err := p.line()
	if err != nil {
		return fmt.Errorf("got %q: %w", got, err)
	}
	prefix, open := strings.CutSuffix(want, "*")
	if open && !strings.HasPrefix(got, prefix) || !open && got != want {
		return fmt.Errorf("got %q", got)
	}
	whole := p.app && open && len(prefix) == 3
	for whole && len(got) > 3 && got[3] == '-' {
		if got, err = p.line(); err != nil {
			return fmt.Errorf("in a reply, got %q: %w", got, err)
		}
	}
	return nil
}

func (p *player) line() (string, error) {
	var line []byte
	for {
		part, err := p.r.ReadSlice('\n')
		line = append(line, part...)
		if err == nil {
			return strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r"), nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) || len(line) > maxLine {
			return string(line), err
		}
	}
}

func (p *player) hearOctets(want string) error {
	got := make([]byte, len(want))
	n, err := io.ReadFull(p.r, got)
	if err != nil {
		return fmt.Errorf("got %q: %w", got[:n], err)
	}
	if string(got) != want {
		return fmt.Errorf("got %q", got)
	}
	return nil
}

// obey does what a directive says.
func (p *player) obey(ctx context.Context, words []string) error {
	switch words[0] {
	case "data":
		return p.hearData()
	case "tls":
		return p.secure(ctx)
	case "pause":
		d, _ := time.ParseDuration(words[1])
		return pause(ctx, d)
	case "call":
		return p.call(ctx, words[1])
	case "shut":
		return closeWrite(p.conn)
	case "eof":
		return p.hearAll()
	case "reset":
		reset(rawConn(p.conn))
	}
	p.conn.Close()
	return errEnded
}

// hearData reads a message to its end, the five octets CRLF.CRLF, or the three
// that are left of them when the message is empty.
func (p *player) hearData() error {
	end := []byte("\r\n.\r\n")
	tail := []byte("\r\n")
	for {
		c, err := p.r.ReadByte()
		if err != nil {
			return fmt.Errorf("message not ended, last octets %q: %w", tail, err)
		}
		tail = append(tail, c)
		if len(tail) > len(end) {
			tail = tail[1:]
		}
		if bytes.Equal(tail, end) {
			return nil
		}
	}
}

// secure hands what was read too far to the handshake, where it belongs.
func (p *player) secure(ctx context.Context) error {
	if p.shake == nil {
		return errors.New("no certificate or roots to shake hands with")
	}
	ahead, _ := p.r.Peek(p.r.Buffered())
	c, err := p.shake(ctx, &aheadConn{Conn: p.conn, ahead: bytes.Clone(ahead)})
	if err != nil {
		return err
	}
	p.use(c)
	return nil
}

func (p *player) call(ctx context.Context, name string) error {
	hook, ok := p.hooks[name]
	if !ok {
		return errors.New("no such hook")
	}
	hook(ctx)
	return ctx.Err()
}

// hearAll reads to the end, however it comes.
func (p *player) hearAll() error {
	_ = p.conn.SetReadDeadline(time.Now().Add(maxLife))
	_, _ = io.Copy(io.Discard, p.r)
	return nil
}

// pause waits for d, or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// aheadConn reads octets that were taken from the connection too early before
// it goes on with the connection itself.
type aheadConn struct {
	net.Conn
	ahead []byte
}

func (c *aheadConn) Read(b []byte) (int, error) {
	if len(c.ahead) > 0 {
		n := copy(b, c.ahead)
		c.ahead = c.ahead[n:]
		return n, nil
	}
	return c.Conn.Read(b)
}

// closeWrite ends the own direction of a connection, plain or under TLS.
func closeWrite(c net.Conn) error {
	switch c := c.(type) {
	case *net.TCPConn:
		return c.CloseWrite()
	case *tls.Conn:
		return c.CloseWrite()
	case *aheadConn:
		return closeWrite(c.Conn)
	case *breachedConn:
		return closeWrite(c.Conn)
	}
	return fmt.Errorf("cannot half-close a %T", c)
}

// rawConn finds the socket below TLS.
func rawConn(c net.Conn) net.Conn {
	switch t := c.(type) {
	case *tls.Conn:
		return rawConn(t.NetConn())
	case *aheadConn:
		return rawConn(t.Conn)
	case *breachedConn:
		return rawConn(t.Conn)
	}
	return c
}
