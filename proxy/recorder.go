package proxy

import (
	"context"
	"io"
	"sync"
	"time"

	"smtp-proxy/proxy/session"
)

// The bounds of a Recorder's queue, and how often it is emptied.
const (
	maxRecords    = 1 << 16
	maxBodyBlocks = 48 // of blockSize octets: 3 MiB
	fewBlocks     = 8
	blockSize     = 64 << 10
	batchEvery    = 10 * time.Millisecond
)

// Recorder hands what sessions have to tell to the one who keeps it. Its queue
// is bounded: when the keeper falls behind, entries are dropped and counted,
// and the sessions go on. It may be used by many sessions at once.
type Recorder struct {
	mu     sync.Mutex
	queue  []session.Record
	bodies blocks
	closed bool
	wake   chan struct{}
	relief relief

	// Only Next touches these.
	batch    []session.Record
	released [][]byte
	last     time.Time
}

// blocks is memory for copies of message octets, handed out front to back.
type blocks struct {
	used [][]byte // of the batch that is being filled
	free [][]byte
	out  int // blocks with the keeper
}

// NewRecorder returns a recorder whose records are fetched with Next.
func NewRecorder() *Recorder {
	return &Recorder{wake: make(chan struct{}, 1)}
}

// add takes records over, copying message octets, and returns how many of them
// it took: those behind were dropped. The end of a session is always taken.
func (r *Recorder) add(records []session.Record) (taken int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	empty := len(r.queue) == 0
	for i := range records {
		if !r.take(&records[i]) {
			break
		}
		taken++
	}
	if empty && len(r.queue) > 0 || len(r.queue) > maxRecords/4 || r.bodies.busy() {
		r.nudge()
	}
	return taken
}

// take puts one record into the queue, unless that is full.
func (r *Recorder) take(rec *session.Record) bool {
	if len(r.queue) >= maxRecords && !rec.Closed {
		return false
	}
	out := *rec
	if len(rec.Body) > 0 {
		if out.Body = r.bodies.copy(rec.Body); out.Body == nil {
			return false
		}
	}
	r.queue = append(r.queue, out)
	return true
}

func (r *Recorder) nudge() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Next returns the records since the last call, at most about a hundred times a
// second, and waits while there are none. They are valid until the next call.
// The error is io.EOF when the recorder was closed and all is fetched, or ctx's.
func (r *Recorder) Next(ctx context.Context) ([]session.Record, error) {
	r.giveBack()
	for {
		batch, wait, err := r.fetch()
		if err != nil || len(batch) > 0 {
			return batch, err
		}
		if err := r.pause(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// fetch takes the queue, if it is time. wait says for how long it is not; zero
// means until something comes.
func (r *Recorder) fetch() (batch []session.Record, wait time.Duration, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	wait = batchEvery - time.Since(r.last)
	switch {
	case len(r.queue) == 0 && r.closed:
		return nil, 0, io.EOF
	case len(r.queue) == 0:
		return nil, 0, nil
	case wait > 0 && !r.closed && len(r.queue) <= maxRecords/4 && !r.bodies.busy():
		return nil, wait, nil
	}
	r.last = time.Now()
	batch, r.queue = r.queue, r.batch[:0]
	r.batch = batch
	r.released = r.bodies.release()
	return batch, 0, nil
}

// pause waits for a nudge, or for the given time when that is not zero.
func (r *Recorder) pause(ctx context.Context, d time.Duration) error {
	var timeUp <-chan time.Time
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		timeUp = t.C
	}
	select {
	case <-r.wake:
	case <-timeUp:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// giveBack makes the memory of the last batch free for the next.
func (r *Recorder) giveBack() {
	clear(r.batch)
	r.mu.Lock()
	r.bodies.reclaim(r.released)
	r.released = nil
	r.mu.Unlock()
	r.roomMade()
}

// Close says that no more sessions will come. Records that wait are still
// fetched.
func (r *Recorder) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	r.nudge()
}

// busy reports that the keeper should come soon.
func (b *blocks) busy() bool { return len(b.used) > maxBodyBlocks/4 }

// copy returns a copy of p, or nil when the memory is used up.
func (b *blocks) copy(p []byte) []byte {
	k := len(b.used) - 1
	if k < 0 || cap(b.used[k])-len(b.used[k]) < len(p) {
		if !b.grow(len(p)) {
			return nil
		}
		k++
	}
	start := len(b.used[k])
	b.used[k] = append(b.used[k], p...)
	return b.used[k][start:len(b.used[k]):len(b.used[k])]
}

// grow begins a new block that has room for n octets.
func (b *blocks) grow(n int) bool {
	if len(b.used)+b.out >= maxBodyBlocks || n > blockSize {
		return false
	}
	if k := len(b.free) - 1; k >= 0 {
		b.used, b.free = append(b.used, b.free[k]), b.free[:k]
		return true
	}
	b.used = append(b.used, make([]byte, 0, blockSize))
	return true
}

// release hands the filled blocks to the keeper.
func (b *blocks) release() [][]byte {
	out := b.used
	b.used, b.out = nil, b.out+len(out)
	return out
}

// reclaim takes blocks back. They serve again while a message is under way;
// when that has passed, a few are kept and the rest is left to the collector.
func (b *blocks) reclaim(given [][]byte) {
	b.out -= len(given)
	for _, block := range given {
		b.free = append(b.free, block[:0])
	}
	if len(given) <= fewBlocks && len(b.free) > fewBlocks {
		clear(b.free[fewBlocks:])
		b.free = b.free[:fewBlocks]
	}
}
