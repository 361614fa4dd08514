package web

import (
	"net/http"
	"net/url"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/store"
)

// How many sessions a page of the API has, how long is searched for them, and
// how many are counted.
const (
	apiLimit     = 50
	mostAPILimit = 500
	apiWithin    = 5 * time.Second
	mostTallied  = 10_000
)

// SessionsAPI lists sessions and searches them.
func (s *Site) SessionsAPI() []endpoint {
	return []endpoint{{"GET /api/v1/sessions", s.apiSessions}, {"GET /api/v1/search", s.apiSearch}}
}

// sessionList is one page of a list.
type sessionList struct {
	Sessions []*inspect.Session `json:"sessions"` // newest first
	Older    string             `json:"older"`    // address of the page behind; empty when there is none
	Newer    string             `json:"newer"`
	Reached  string             `json:"reached"` // how far back was searched when the time was up; empty when there was time
	Tally    *tally             `json:"tally,omitempty"`
}

// tally counts what the filter selects.
type tally struct {
	All      int                     `json:"all"`
	Outcomes map[inspect.Outcome]int `json:"outcomes"`
	Causes   map[string]int          `json:"causes"`
	Bounded  bool                    `json:"bounded"` // there are more than were counted
}

func (s *Site) apiSessions(w http.ResponseWriter, r *http.Request) error {
	kind, err := agreed(r, typeJSON, typeLines)
	if err != nil {
		return err
	}
	switch r.URL.Query().Get("format") {
	case "":
	case "json":
		kind = typeJSON
	case "ndjson":
		kind = typeLines
	default:
		return problem{http.StatusBadRequest, "there is no such format", "give json or ndjson"}
	}
	if kind == typeLines {
		return s.apiLines(w, r)
	}
	list, _, err := s.apiPage(r, "format")
	if err != nil {
		return err
	}
	return answerJSON(w, http.StatusOK, list)
}

func (s *Site) apiSearch(w http.ResponseWriter, r *http.Request) error {
	if _, err := agreed(r, typeJSON); err != nil {
		return err
	}
	list, f, err := s.apiPage(r)
	if err != nil {
		return err
	}
	t, err := s.Store.Tally(r.Context(), f, mostTallied)
	if err != nil {
		return err
	}
	list.Tally = &tally{All: t.All, Outcomes: t.Outcomes, Causes: map[string]int{}, Bounded: t.Bounded}
	for _, c := range t.Causes {
		list.Tally.Causes[c.Cause] = c.N
	}
	return answerJSON(w, http.StatusOK, list)
}

// apiPage reads one page, and returns the filter that its address has. More
// parameters are those that the address takes beside a page's.
func (s *Site) apiPage(r *http.Request, more ...string) (*sessionList, inspect.Filter, error) {
	q, err := queryOf(r, append([]string{"q", "limit", "before", "after", "reached"}, more...)...)
	if err != nil {
		return nil, inspect.Filter{}, err
	}
	f, err := q.filter()
	if err != nil {
		return nil, f, err
	}
	at, err := q.page()
	if err != nil {
		return nil, f, err
	}
	within, err := q.behind(f)
	if err != nil {
		return nil, f, err
	}
	if s.Store == nil {
		return nil, f, noRecord()
	}
	p, err := s.Store.Page(r.Context(), within, at)
	if err != nil {
		return nil, f, err
	}
	return q.list(r.URL.Path, p), f, nil
}

// page is which page of a list is wanted.
func (q query) page() (store.PageQuery, error) {
	limit, err := q.number("limit", apiLimit, 1, mostAPILimit)
	if err != nil {
		return store.PageQuery{}, err
	}
	if q.Get("before") != "" && q.Get("after") != "" {
		return store.PageQuery{}, problem{http.StatusBadRequest, "before and after stand there both", "give one of them"}
	}
	return store.PageQuery{Before: q.Get("before"), After: q.Get("after"), Limit: limit, Within: apiWithin}, nil
}

// behind leaves out what an earlier search has been through: towards older
// sessions, or with after towards newer ones.
func (q query) behind(f inspect.Filter) (inspect.Filter, error) {
	reached, err := q.moment("reached", time.Time{}, time.Time{})
	if err != nil || reached.IsZero() {
		return f, err
	}
	word := "before:"
	if q.Get("after") != "" {
		word = "since:"
	}
	behind, err := inspect.ParseFilter(word + reached.UTC().Format(time.RFC3339Nano))
	return f.With(behind), err
}

// list words a page, with the addresses of those beside it.
func (q query) list(path string, p store.Page) *sessionList {
	list := &sessionList{Sessions: p.Sessions}
	if list.Sessions == nil {
		list.Sessions = []*inspect.Session{}
	}
	if n := len(p.Sessions); n > 0 {
		if p.Older {
			list.Older = q.beside(path, "before", p.Sessions[n-1].ID)
		}
		if p.Newer {
			list.Newer = q.beside(path, "after", p.Sessions[0].ID)
		}
	}
	if p.Reached.IsZero() {
		return list
	}
	list.Reached = p.Reached.UTC().Format(time.RFC3339Nano)
	if after := q.Get("after"); after != "" {
		list.Newer = q.beside(path, "after", after) + "&reached=" + url.QueryEscape(list.Reached)
	} else {
		list.Older = q.beside(path, "reached", list.Reached)
	}
	return list
}

// beside is the address of another page of the same list.
func (q query) beside(path, name, value string) string {
	other := url.Values{name: {value}}
	for _, same := range []string{"q", "limit"} {
		if v := q.Get(same); v != "" {
			other.Set(same, v)
		}
	}
	return path + "?" + other.Encode()
}

// apiLines writes every session that a filter selects, an object a line, as
// smtp-proxy sessions --json does. What it has read it lets go of.
func (s *Site) apiLines(w http.ResponseWriter, r *http.Request) error {
	q, err := queryOf(r, "q", "limit", "format")
	if err != nil {
		return err
	}
	f, err := q.filter()
	if err != nil {
		return err
	}
	limit, err := q.number("limit", 0, 1, 1<<30)
	if err != nil {
		return err
	}
	if s.Store == nil {
		return noRecord()
	}
	out := newPipe(w, typeLines)
	if r.Method == http.MethodHead {
		return out.begin()
	}
	err = s.Store.Sessions(r.Context(), f, limit, func(v *inspect.Session) error { return out.line(v) })
	return out.end(r, err)
}
