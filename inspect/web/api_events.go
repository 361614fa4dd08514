package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/store"
)

// EventsAPI tells of sessions as they change.
func (s *Site) EventsAPI() []endpoint {
	return []endpoint{{"GET /api/v1/events", s.apiEvents}}
}

// How this works. Pages share a hub, which leaves out what a person could not
// follow. A program wants every change, so each reader of this stream reads
// the record for itself from where it is: a slow one is behind, and nothing is
// held for it; one that comes back names the last event it had. An event's id
// is the block that it stands in and the session, "812.01JD…"; an id without a
// session names all of a block.

// apiLook is how often a reader looks whether something has come, and apiMost
// about how many changes it reads at once.
const (
	apiLook = 250 * time.Millisecond
	apiMost = 100
)

func (s *Site) apiEvents(w http.ResponseWriter, r *http.Request) error {
	q, err := queryOf(r, "q", "after")
	if err != nil {
		return err
	}
	if _, err := agreed(r, typeEvents); err != nil {
		return err
	}
	f, err := q.filter()
	if err != nil {
		return err
	}
	at, err := q.eventPlace(r)
	if err != nil {
		return err
	}
	if s.Store == nil {
		return noRecord()
	}
	e := &events{site: s, filter: f, place: at, out: newPipe(w, typeEvents)}
	if r.Method == http.MethodHead {
		return e.out.begin()
	}
	leave, err := takePlace(w, s.places.readers)
	if err != nil {
		return err
	}
	defer leave()
	return e.out.end(r, e.run(r.Context()))
}

// eventPlace is how far a reader has come.
type eventPlace struct {
	block   int64  // the last one known whole; negative: from now on
	session string // the last one known of the block behind it; empty: none
}

// eventPlace reads Last-Event-ID, which a browser sends when it comes back,
// else the address.
func (q query) eventPlace(r *http.Request) (eventPlace, error) {
	text := r.Header.Get("Last-Event-ID")
	if text == "" {
		text = q.Get("after")
	}
	if text == "" {
		return eventPlace{block: -1}, nil
	}
	number, session, part := strings.Cut(text, ".")
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || part && (n == 0 || session == "") {
		return eventPlace{}, problem{http.StatusBadRequest, "there is no event " + strconv.Quote(visible(text)), "give the id of an event, 0 for all that is on record, or nothing for what comes from now on"}
	}
	if part {
		n--
	}
	return eventPlace{n, session}, nil
}

// events is one reader's stream.
type events struct {
	site   *Site
	filter inspect.Filter
	place  eventPlace
	told   string // the id that the reader has
	out    *pipe
}

// run tells until the reader leaves.
func (e *events) run(ctx context.Context) error {
	if err := e.start(ctx); err != nil {
		return err
	}
	look, beat := time.NewTicker(apiLook), time.NewTicker(beatEvery)
	defer look.Stop()
	defer beat.Stop()
	for {
		if err := e.catchUp(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
		case <-beat.C:
			if err := e.out.beat(e.known()); err != nil {
				return err
			}
		}
	}
}

// start finds the end of the record for a reader who wants nothing of before.
// The first sign of life names it, so that nothing is lost between that and
// the first event.
func (e *events) start(ctx context.Context) error {
	if e.place.block < 0 {
		c, err := e.site.Store.Changes(ctx, -1, 0)
		if err != nil {
			return err
		}
		e.place.block = c.Last
	}
	return e.out.beat(e.known())
}

// known is the id of all up to where the reader has come, when it has not got
// that already; empty in the middle of a block.
func (e *events) known() string {
	id := strconv.FormatInt(e.place.block, 10)
	if e.place.session != "" || id == e.told {
		return ""
	}
	e.told = id
	return id
}

// catchUp tells all that is there.
func (e *events) catchUp(ctx context.Context) error {
	for {
		c, err := e.site.Store.Resume(ctx, e.place.block, apiMost)
		if err != nil {
			return err
		}
		if err := e.tell(ctx, c.List); err != nil {
			return err
		}
		done := c.Last == e.place.block
		e.place = eventPlace{block: c.Last}
		if done {
			return nil
		}
	}
}

// tell sends the changes that the filter selects, from the place on.
func (e *events) tell(ctx context.Context, list []store.Change) error {
	f := e.filter.At(e.site.Now())
	for _, c := range list[e.place.skip(list):] {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !f.Match(c.Session) {
			continue
		}
		e.told = strconv.FormatInt(c.Block, 10) + "." + c.Session.ID
		if err := e.out.event("session", e.told, c.Session); err != nil {
			return err
		}
	}
	return nil
}

// skip is how many changes the reader has had of the first block. A session
// that is not in it has been removed since: then all of it is told again.
func (p eventPlace) skip(list []store.Change) int {
	if p.session == "" || len(list) == 0 {
		return 0
	}
	for i, c := range list {
		if c.Block != p.block+1 {
			break
		}
		if c.Session.ID == p.session {
			return i + 1
		}
	}
	return 0
}
