package replay

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// The bounds of a stage, whatever an app does.
const (
	stageSessions = 64               // at once; further ones wait in the backlog
	stageLife     = time.Hour        // of one session
	stageIdle     = 10 * time.Minute // without a word of the app; RFC 5321, section 4.5.3.2, has 5
	stageLine     = 64 << 10         // octets of a command line
	stageMessage  = 32 << 20         // octets kept of a message
	stageShake    = time.Minute
)

// StageOptions says how a model is played. The zero value plays it in the
// recorded time, without TLS, and drops the messages.
type StageOptions struct {
	Fast     bool // without the recorded waits
	Sessions int  // ends after so many; 0 for no limit

	// Certificate makes a certificate that an app which trusts its root takes
	// or refuses as it would have done with the recorded one. Nil plays no TLS.
	Certificate func(*Handshake) (*tls.Certificate, error)

	Report func(Deviation) // told of each difference as it happens; may be nil

	// Keep is given each message before it is accepted; after an error it is
	// refused. It may be nil.
	Keep func(Taken) error

	Unread bool // Keep wants no octets of the messages, so that none are held
}

// Deviation is something that an app did in another way than the recordings
// show.
type Deviation struct {
	Session int // 1 for the first that was served
	Text    string
}

// Taken is a message that an app has handed over.
type Taken struct {
	Helo, User, From string
	To               []string
	Secure           bool
	Octets           int64
	Data             []byte // the same, dots undone; nil with Unread
	Cut              bool   // it was longer than is kept
}

// Played is what a stage has done so far.
type Played struct {
	Sessions   int
	Deviations int
	Messages   int // accepted
}

// Stage plays a model to apps.
//
// How this works: Serve starts one goroutine for each listener and one for each
// connection, all of which are counted in ends; when its context ends it closes
// every socket and waits for the count.
type Stage struct {
	model *Model
	o     StageOptions
	tls   *tls.Config
	slots chan struct{}
	ends  sync.WaitGroup
	full  context.CancelFunc

	mu     sync.Mutex
	conns  map[net.Conn]struct{}
	played Played
	ended  int
	put    map[moment]time.Time // when a greylist first saw it
}

// Stage makes a stage for the model.
func (m *Model) Stage(o StageOptions) (*Stage, error) {
	if ok, failure := m.Reached(); !ok {
		return nil, fmt.Errorf("no connection to the smarthost came about (%s): there is nothing to play but a closed port", failure)
	}
	s := &Stage{
		model: m, o: o, slots: make(chan struct{}, stageSessions),
		conns: map[net.Conn]struct{}{}, put: map[moment]time.Time{},
	}
	if m.handshake == nil || o.Certificate == nil {
		return s, nil
	}
	cert, err := o.Certificate(m.handshake)
	if err != nil {
		return nil, fmt.Errorf("a certificate like that of the smarthost: %w", err)
	}
	s.tls = m.handshake.config(cert)
	return s, nil
}

// Serve plays until ctx ends, or until as many sessions have ended as were
// asked for. It closes the listeners.
func (s *Stage) Serve(ctx context.Context, listeners ...net.Listener) error {
	ctx, s.full = context.WithCancel(ctx)
	defer s.full()
	for _, ln := range listeners {
		s.ends.Go(func() { s.accept(ctx, ln) })
	}
	<-ctx.Done()
	var all []error
	for _, ln := range listeners {
		all = append(all, ln.Close())
	}
	s.hangUp()
	s.ends.Wait()
	return errors.Join(all...)
}

// Played returns what has been done so far.
func (s *Stage) Played() Played {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.played
}

func (s *Stage) accept(ctx context.Context, ln net.Listener) {
	const pause = 50 * time.Millisecond
	for {
		select {
		case s.slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		c, err := ln.Accept()
		if err == nil && !s.enter(ctx, c) {
			c.Close()
			return
		}
		if err == nil {
			continue
		}
		<-s.slots
		if errors.Is(err, net.ErrClosed) || !sleep(ctx, pause) {
			return
		}
	}
}

// enter begins a session, unless there are enough.
func (s *Stage) enter(ctx context.Context, c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil || s.o.Sessions > 0 && s.played.Sessions >= s.o.Sessions {
		return false
	}
	s.conns[c] = struct{}{}
	s.played.Sessions++
	n := s.played.Sessions
	s.ends.Go(func() { s.session(ctx, c, n) })
	return true
}

func (s *Stage) session(ctx context.Context, c net.Conn, n int) {
	defer s.leave(c)
	ctx, cancel := context.WithTimeout(ctx, stageLife)
	defer cancel()
	t := &talk{stage: s, session: n, raw: c, told: map[string]bool{}, said: map[*exchange]int{}}
	t.use(c)
	t.run(ctx)
}

func (s *Stage) leave(c net.Conn) {
	c.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	s.ended++
	if s.o.Sessions > 0 && s.ended >= s.o.Sessions {
		s.full()
	}
	<-s.slots
}

func (s *Stage) hangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.Close()
	}
}

// deviates reports a difference.
func (s *Stage) deviates(session int, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.played.Deviations++
	if s.o.Report != nil {
		s.o.Report(Deviation{Session: session, Text: text})
	}
}

// accepts hands a message on and counts it.
func (s *Stage) accepts(m Taken) bool {
	if s.o.Keep != nil && s.o.Keep(m) != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.played.Messages++
	return true
}

// sleep waits, and reports whether it was not interrupted.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
