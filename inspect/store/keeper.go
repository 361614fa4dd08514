package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// Source is where records come from: the proxy's recorder.
type Source interface {
	// Next waits for records. They are valid until the next call; io.EOF says
	// that there will be no more.
	Next(ctx context.Context) ([]session.Record, error)
}

// KeeperOptions says what a keeper does beside writing.
type KeeperOptions struct {
	Began    func(*session.Info)                      // called with the first record of each session; may be nil
	Annotate func(*inspect.Session) []inspect.Finding // nil: nothing is found. It must not keep the session
	Ended    func(*inspect.Session)                   // called for each session that has ended, behind the attempt to write it
	Reported func()                                   // called when Ended has been called for all that have ended lately; may be nil
	Keeps    func(*inspect.Session) bool              // whether Ended keeps a session: the events of others are good until it returns. nil: it may keep any
	Log      zerolog.Logger
	Capture  string            // what is kept of messages: full, headers or none; empty is full
	Routes   map[string]string // the same for single routes, by name
	Keep     time.Duration     // retention by age; 0 or less keeps everything
	KeepSize int64             // retention by size in octets; 0 or less keeps everything
}

// Times and numbers of a keeper at work.
const (
	flushEvery   = 100 * time.Millisecond // between flushes; many octets of messages are written sooner
	retryAfter   = 3 * time.Second        // between attempts to write to a failing disk
	judgeAgain   = time.Second            // between looks at a session that goes on failing
	retainEvery  = 5 * time.Minute        // between clean-ups
	maxUnwritten = 1000                   // sessions that ended while the disk failed, and wait
	largeSummary = 2 << 10                // octets of a summary that is not written at each change
	rewriteLarge = 2 * time.Second        // between writes of a large summary
)

// Keeper is the one writer of a store.
//
// It takes what its source has while that is fresh in the processor's cache, and
// every now and then writes what has come in one transaction. When that fails
// the entries are gone and counted; the sessions stay in memory as summaries and
// are written when the disk allows, with a note of the gap.
type Keeper struct {
	store *Store
	opt   KeeperOptions
	live  map[string]*kept
	dirty []*kept // with something to write, in the order in which they came
	last  *kept   // whose record was taken last: the next is mostly its, too
	keys  int64   // counts the keys given

	spare   spare
	retired retired
	events  []session.Entry // memory for those of the session that is looked at

	writing sync.Mutex // held while something is being written
	write   *batch     // nil without a store, and while Run is not at work

	mu      sync.Mutex
	trouble error // why nothing can be written at present

	held    held
	retryAt time.Time
	lost    int // sessions that ended and were never written
}

// NewKeeper returns the keeper of a store. A nil store keeps nothing; sessions
// are assembled, annotated and reported all the same.
func NewKeeper(s *Store, opt KeeperOptions) *Keeper {
	k := &Keeper{store: s, opt: opt, live: map[string]*kept{}, held: held{every: flushEvery}}
	if opt.Annotate == nil {
		k.opt.Annotate = func(*inspect.Session) []inspect.Finding { return nil }
	}
	if opt.Ended == nil {
		k.opt.Ended = func(*inspect.Session) {}
	}
	if opt.Reported == nil {
		k.opt.Reported = func() {}
	}
	if opt.Keeps == nil {
		k.opt.Keeps = func(*inspect.Session) bool { return opt.Ended != nil }
	}
	return k
}

// Healthy says why nothing can be written at present, or nil.
func (k *Keeper) Healthy() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.trouble
}

// Run closes what a killed process left open, then keeps what comes from a
// source until its end. A store that cannot be written is no error: Healthy
// and the log say so.
func (k *Keeper) Run(ctx context.Context, from Source) error {
	if k.startWriting() {
		defer k.stopWriting()
		k.closeAbandoned(ctx)
		wait := k.retainMeanwhile(ctx)
		defer wait()
	}
	for {
		records, err := k.next(ctx, from)
		for i := range records {
			k.take(&records[i])
		}
		if errors.Is(err, io.EOF) {
			k.endAll()
		}
		if err == nil && k.held.mayWait(time.Now()) {
			k.held.keep(k.dirty)
		} else {
			k.flush()
		}
		k.held.fresh = 0
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("reading the record of running sessions: %w", err)
		}
	}
}

// startWriting prepares the store. One that cannot be prepared is done
// without.
func (k *Keeper) startWriting() bool {
	if k.store == nil {
		return false
	}
	w, err := newBatch(k.store)
	if err != nil {
		k.failed(err, k.now())
		k.store = nil
		return false
	}
	k.writing.Lock()
	defer k.writing.Unlock()
	k.write = w
	return true
}

func (k *Keeper) stopWriting() {
	k.writing.Lock()
	defer k.writing.Unlock()
	k.write.close()
	k.write = nil
}

// next waits for records, and where something is to be written no longer than
// until that is due.
func (k *Keeper) next(ctx context.Context, from Source) ([]session.Record, error) {
	if len(k.dirty) == 0 {
		return k.idle(ctx, from)
	}
	wait := k.held.wait(time.Now())
	if k.Healthy() != nil {
		wait = retryAfter
	}
	short, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	records, err := from.Next(short)
	if err != nil && short.Err() != nil && ctx.Err() == nil {
		return records, nil
	}
	return records, err
}

// take deals with one record.
func (k *Keeper) take(r *session.Record) {
	if r.Session == nil {
		return
	}
	s := k.session(r.Session)
	k.soil(s)
	if r.Dropped > 0 {
		s.gap(r)
	}
	switch {
	case r.Entry != nil:
		s.add(r.Entry)
	case r.Body != nil:
		s.content(r.Body)
		k.held.fresh += len(r.Body)
	case r.Closed:
		s.end(r.At)
		delete(k.live, s.id)
		k.last = nil
	}
}

// soil notes that a session has something to write.
func (k *Keeper) soil(s *kept) {
	if s.dirty {
		return
	}
	s.dirty = true
	k.spare.lend(s)
	k.dirty = append(k.dirty, s)
}

// session returns a session's state, new with its first record.
func (k *Keeper) session(info *session.Info) *kept {
	if k.last != nil && k.last.id == info.ID {
		return k.last
	}
	if s, ok := k.live[info.ID]; ok {
		k.last = s
		return s
	}
	s := k.retired.take()
	s.begin(info, k.key(info.Started), k.capture(info.Route))
	k.live[info.ID] = s
	if k.opt.Began != nil {
		k.opt.Began(info)
	}
	return s
}

// key returns the key of a new session: its start, made unique.
func (k *Keeper) key(started time.Time) int64 {
	k.keys++
	return keyAt(started) + k.keys%(keysPerMicro-keysOfGuests)
}

// keysPerMicro is how many sessions may begin in one microsecond. The last of
// its keys belong to guests, so that these never take one that the keeper is
// about to give.
const (
	keysPerMicro = 1024
	keysOfGuests = 16
)

// keyAt returns the least key of a moment.
func keyAt(t time.Time) int64 {
	if t.Unix() <= 0 {
		return 0
	}
	return t.UnixMicro() * keysPerMicro
}

func (k *Keeper) capture(route string) string {
	if mode, ok := k.opt.Routes[route]; ok && mode != "" {
		return mode
	}
	if k.opt.Capture != "" {
		return k.opt.Capture
	}
	return captureFull
}

// endAll ends the sessions that are still open when the source has no more.
func (k *Keeper) endAll() {
	for id, s := range k.live {
		k.soil(s)
		s.died(k.now(), "the record ends here: the proxy stopped before the session did")
		delete(k.live, id)
	}
	k.last = nil
}

func (k *Keeper) now() time.Time {
	if k.store == nil {
		return time.Now()
	}
	return k.store.now()
}

// retainMeanwhile cleans up now and then until the context or the keeper ends;
// wait ends it.
func (k *Keeper) retainMeanwhile(ctx context.Context) (wait func()) {
	if k.opt.Keep <= 0 && k.opt.KeepSize <= 0 {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		k.retain(ctx)
	}()
	return func() {
		cancel()
		<-done
	}
}

func (k *Keeper) retain(ctx context.Context) {
	tick := time.NewTicker(retainEvery)
	defer tick.Stop()
	for {
		err := k.store.Retain(ctx, k.opt.Keep, k.opt.KeepSize)
		if err != nil && ctx.Err() == nil {
			k.opt.Log.Warn().Err(err).Msg("old sessions could not be removed")
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
