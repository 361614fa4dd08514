package web

import (
	"context"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/store"
)

// How much passes from the record to those who listen.
const (
	lookEvery = 250 * time.Millisecond // between looks into the record
	batchMost = 50                     // changes that a listener gets at once
	judgeMost = 250                    // changes that filters are asked about at once
)

// hub tells listeners what changes in the record.
//
// How this works. One goroutine looks into the record for everybody, and only
// while somebody listens. Each look takes the latest changes and no more than
// a bound, whatever the rate; each distinct filter judges them once. A
// listener has room for one batch: while it does not take it, later changes
// push out earlier ones, which are counted. So neither a slow reader nor a
// fast proxy makes anything grow.
type hub struct {
	store *store.Store
	now   func() time.Time
	log   zerolog.Logger
	every time.Duration

	mu        sync.Mutex
	listeners map[*listener]bool
	watch     *watch // nil while nobody listens
}

// watch is one run of the goroutine.
type watch struct {
	stop  context.CancelFunc
	begun chan struct{} // closed when it knows from where on it tells
	done  chan struct{}
}

// change is a session as it stands after a block. Listeners share it.
type change struct {
	Block   int64
	Session *inspect.Session

	rendering sync.Once
	row       []byte
}

// batch is what a listener has not had yet.
type batch struct {
	changes []*change // in the order in which they were written, each session once
	gone    []string  // ids of sessions that changed and are not selected, for filters that let go
	missed  int       // changes that were left out, and that the filter selects or may
	last    int64     // the block up to which this tells
}

func newHub(o Options) *hub {
	return &hub{store: o.Store, now: o.Now, log: o.Log, every: lookEvery, listeners: map[*listener]bool{}}
}

// join begins to listen for changes of the sessions that a filter selects, in
// blocks after a number; a negative one means from now on. Whoever joins must
// leave.
func (h *hub) join(f inspect.Filter, after int64) *listener {
	l := &listener{hub: h, filter: f, text: f.String(), after: after, ready: make(chan struct{}, 1)}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.listeners[l] = true
	if h.watch == nil {
		ctx, stop := context.WithCancel(context.Background())
		h.watch = &watch{stop, make(chan struct{}), make(chan struct{})}
		go h.run(ctx, h.watch)
	}
	l.watch = h.watch
	return l
}

// leave ends listening. When nobody is left it waits for the goroutine's end.
func (h *hub) leave(l *listener) {
	h.mu.Lock()
	delete(h.listeners, l)
	w := h.watch
	if len(h.listeners) > 0 || w == nil {
		h.mu.Unlock()
		return
	}
	h.watch = nil
	h.mu.Unlock()
	w.stop()
	<-w.done
}

func (h *hub) run(ctx context.Context, w *watch) {
	defer close(w.done)
	last := h.end(ctx)
	close(w.begun)
	tick := time.NewTicker(h.every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			last = h.look(ctx, last)
		}
	}
}

// end asks where the record ends now.
func (h *hub) end(ctx context.Context) int64 {
	if h.store == nil {
		return 0
	}
	c, err := h.store.Changes(ctx, -1, 0)
	h.report(ctx, err)
	return c.Last
}

// look tells everybody what has changed after a block, and returns up to which
// it has told. What cannot be read now is told when it can.
func (h *hub) look(ctx context.Context, after int64) int64 {
	if h.store == nil {
		return after
	}
	list := h.present()
	c, err := h.store.Changes(ctx, after, most(list))
	if err != nil {
		h.report(ctx, err)
		return after
	}
	if c.Last != after {
		h.tell(list, c)
	}
	return c.Last
}

func (h *hub) report(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		h.log.Debug().Err(err).Msg("the record cannot be followed for the page")
	}
}

func (h *hub) present() []*listener {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]*listener, 0, len(h.listeners))
	for l := range h.listeners {
		list = append(list, l)
	}
	return list
}

// most is how many changes are of use: a filter may select few of many.
func most(list []*listener) int {
	for _, l := range list {
		if l.text != "" {
			return judgeMost
		}
	}
	return batchMost
}

// tell hands changes to listeners, judged once for each distinct filter.
func (h *hub) tell(list []*listener, c store.Changes) {
	all := shared(c)
	judged := map[string]batch{}
	for _, l := range list {
		b, ok := judged[l.text]
		if !ok {
			b = selected(l.filter.At(h.now()), all)
			b.missed, b.last = b.missed+c.Skipped, c.Last
			judged[l.text] = b
		}
		l.put(b)
	}
}

func shared(c store.Changes) []*change {
	all := make([]*change, len(c.List))
	for i, v := range c.List {
		all[i] = &change{Block: v.Block, Session: v.Session}
	}
	return all
}

// selected is what a filter leaves of changes, no more than a batch has.
func selected(f inspect.Filter, all []*change) (b batch) {
	letsGo := letsGo(f)
	for _, c := range all {
		switch {
		case f.Match(c.Session):
			b.changes = append(b.changes, c)
		case letsGo:
			b.gone = append(b.gone, c.Session.ID)
		}
	}
	b.bound()
	return b
}

// letsGo reports whether a session may cease to be selected as it goes on: an
// open one ends, one without a finding gets one.
func letsGo(f inspect.Filter) bool {
	for _, t := range f.Terms() {
		if t.Not || t.Key == "outcome" && t.Value == string(inspect.Open) {
			return true
		}
	}
	return false
}

// bound leaves the latest changes in a batch and counts the others.
func (b *batch) bound() {
	if n := len(b.changes) - batchMost; n > 0 {
		b.changes = b.changes[n:]
		b.missed += n
	}
	if n := len(b.gone) - judgeMost; n > 0 {
		b.gone = b.gone[n:]
	}
}
