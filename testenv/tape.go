package testenv

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"sync"
	"time"
)

// TapeOptions says how a [Tape] is to listen. The zero value is plaintext on a
// free port of 127.0.0.1.
type TapeOptions struct {
	Addr     string      // ip:port; empty for a free port of 127.0.0.1
	TLS      *tls.Config // for ! tls, and for Implicit
	Implicit bool        // shake hands before the first step

	// Hooks are run by ! call NAME, in the connection's goroutine, and may
	// block; their context ends when the tape is closed.
	Hooks    map[string]func(context.Context)
	Patience time.Duration // how long to wait for each thing to hear; 0 for 10 s
}

// Tape is a smarthost that follows a [Script] word by word and records the
// exact octets that it received. The first connection plays the first
// conversation, and so on; the last one plays for all that come later. At the
// end of its conversation a connection listens until the peer leaves.
type Tape struct {
	port   *port
	script Script
	opts   TapeOptions

	mu    sync.Mutex
	talks []*tapeTalk
	news  chan struct{} // closed and replaced when a conversation begins or ends
}

type tapeTalk struct {
	heard recording
	done  bool
	err   error
}

// NewTape starts a tape. It serves until Close.
func NewTape(script string, opts TapeOptions) (*Tape, error) {
	steps, err := ParseScript(script)
	if err != nil {
		return nil, err
	}
	if opts.Patience == 0 {
		opts.Patience = 10 * time.Second
	}
	t := &Tape{script: steps, opts: opts, news: make(chan struct{})}
	if t.port, err = openPort(opts.Addr, t.serve); err != nil {
		return nil, err
	}
	return t, nil
}

// Addr returns ip:port of the tape.
func (t *Tape) Addr() string { return t.port.Addr() }

// Close ends the tape and its connections, and waits for them.
func (t *Tape) Close() error { return t.port.Close() }

// Received returns what connection n, counted from 0, has received so far:
// octets below TLS before a handshake, and as decrypted behind it.
func (t *Tape) Received(n int) []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n < 0 || n >= len(t.talks) {
		return nil
	}
	return t.talks[n].heard.Bytes()
}

// Connections returns how many connections there have been.
func (t *Tape) Connections() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.talks)
}

// Wait waits until n connections have ended and returns the first mismatch
// between the script and what happened.
func (t *Tape) Wait(ctx context.Context, n int) error {
	for {
		ended, news, err := t.state()
		if err != nil || ended >= n {
			return err
		}
		select {
		case <-news:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d connections ended: %w", ended, n, ctx.Err())
		}
	}
}

func (t *Tape) state() (ended int, news <-chan struct{}, first error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, talk := range t.talks {
		if talk.done {
			ended++
		}
		if talk.err != nil && first == nil {
			first = fmt.Errorf("connection %d: %w", i, talk.err)
		}
	}
	return ended, t.news, first
}

func (t *Tape) serve(ctx context.Context, c net.Conn) {
	talk, steps := t.begin()
	p := newPlayer(c, &talk.heard)
	p.hooks, p.patience = t.opts.Hooks, t.opts.Patience
	if t.opts.TLS != nil {
		p.shake = t.shake
	}
	t.end(talk, t.play(ctx, p, steps))
}

func (t *Tape) play(ctx context.Context, p *player, steps []step) error {
	if t.opts.Implicit {
		if err := p.secure(ctx); err != nil {
			return fmt.Errorf("implicit TLS: %w", err)
		}
	}
	if err := p.play(ctx, steps); err != nil {
		p.conn.Close()
		return err
	}
	return p.hearAll()
}

func (t *Tape) shake(ctx context.Context, c net.Conn) (net.Conn, error) {
	secure := tls.Server(c, t.opts.TLS)
	return secure, secure.HandshakeContext(ctx)
}

func (t *Tape) begin() (*tapeTalk, []step) {
	t.mu.Lock()
	defer t.mu.Unlock()
	talk := &tapeTalk{}
	steps := t.script[min(len(t.talks), len(t.script)-1)]
	t.talks = append(t.talks, talk)
	t.announce()
	return talk, steps
}

func (t *Tape) end(talk *tapeTalk, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	talk.done, talk.err = true, err
	t.announce()
}

// announce wakes those who wait; t.mu is held.
func (t *Tape) announce() {
	close(t.news)
	t.news = make(chan struct{})
}

// maxRecording bounds the memory of one recording; what comes later is only
// counted.
const maxRecording = 64 << 20

// recording keeps the octets written to it, up to maxRecording.
type recording struct {
	mu    sync.Mutex
	kept  []byte
	total int64
}

// Write keeps b as far as there is room. It never fails.
func (r *recording) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.total += int64(len(b))
	room := max(0, maxRecording-len(r.kept))
	r.kept = append(r.kept, b[:min(len(b), room)]...)
	return len(b), nil
}

// Bytes returns a copy of what was kept.
func (r *recording) Bytes() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return bytes.Clone(r.kept)
}
