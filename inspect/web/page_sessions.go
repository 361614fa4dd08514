package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/store"
)

// Bounds of the list.
const (
	searchTime = 1500 * time.Millisecond // that a page may be searched for
	longFilter = 1000                    // characters
)

// SessionsPage lists sessions, the newest first, and goes on as they come.
func (s *Site) SessionsPage() []endpoint {
	return []endpoint{{"GET /{$}", s.sessions}, {"GET /live", s.live}}
}

// sessionsBody is what page_sessions.html shows.
type sessionsBody struct {
	Query    string // the filter as it was written
	Problem  string // what is wrong with it
	Rows     []sessionRow
	Facets   facets
	Words    []string // that complete the filter
	Examples []example
	Newest   bool   // there is nothing newer than the first row
	Newer    string // address of the page before this one; empty for none
	Older    string
	Reached  searched
	Live     string // address of the stream; empty for none
	Stands   string // why there is no row: none, nothing, unselected
	Setup    *settings
}

// searched is how far a page was searched for when the time was up.
type searched struct {
	At      string // the moment, for programs; empty when there was time
	Stamp   string
	Forward bool   // towards now
	GoOn    string // address that searches on from there
}

// wanted is what the address of the list asks for.
type wanted struct {
	text   string
	filter inspect.Filter
	store.PageQuery
}

func (s *Site) sessions(w http.ResponseWriter, r *http.Request) error {
	body := sessionsBody{Query: strings.TrimSpace(r.URL.Query().Get("q")), Examples: examples()}
	f, err := filterOf(body.Query)
	status := http.StatusOK
	switch {
	case err != nil:
		body.Problem, status = strings.TrimPrefix(err.Error(), "filter: "), http.StatusBadRequest
	case s.Store == nil:
		body.Stands, body.Setup = "none", s.settings()
	default:
		q := r.URL.Query()
		err := s.list(r.Context(), &body, wanted{body.Query, f, store.PageQuery{Before: q.Get("before"), After: q.Get("after"), Within: searchTime}})
		if err != nil {
			return err
		}
	}
	body.Words = s.completions(body.Rows)
	return s.show(w, r, status, "sessions", view{Title: "Sessions", Nav: "sessions", Body: body})
}

// filterOf reads a filter as it stands in an address.
func filterOf(text string) (inspect.Filter, error) {
	if utf8.RuneCountInString(text) > longFilter {
		return inspect.Filter{}, problem{http.StatusBadRequest, "the filter is longer than 1000 characters", "use fewer words"}
	}
	return inspect.ParseFilter(text)
}

// list fills in what the record has. Where the stream goes on is asked first,
// so that nothing is lost between the two.
func (s *Site) list(ctx context.Context, body *sessionsBody, q wanted) error {
	now, err := s.Store.Changes(ctx, -1, 0)
	if err != nil {
		return err
	}
	page, err := s.Store.Page(ctx, q.filter, q.PageQuery)
	if err != nil {
		return err
	}
	for _, v := range page.Sessions {
		body.Rows = append(body.Rows, s.rowOf(v))
	}
	body.Newest = q.Before == "" && (q.After == "" || !page.Newer)
	body.Live = streamAddress(q.text, now.Last)
	body.turn(page, q)
	body.Reached = searchedTo(page.Reached, q, s.Zone)
	if body.Stands = body.empty(q); body.Stands == "nothing" {
		body.Setup = s.settings()
		return nil
	}
	body.Facets = s.facetsOf(ctx, q.filter)
	return nil
}

// turn says where the pages before and behind this one are.
func (b *sessionsBody) turn(page store.Page, q wanted) {
	if n := len(page.Sessions); n > 0 {
		if page.Newer {
			b.Newer = listAddress(q.text, "after", page.Sessions[0].ID)
		}
		if page.Older {
			b.Older = listAddress(q.text, "before", page.Sessions[n-1].ID)
		}
	}
}

// searchedTo words how far was searched, nothing when there was time.
func searchedTo(at time.Time, q wanted, zone *time.Location) (s searched) {
	if at.IsZero() {
		return s
	}
	s = searched{At: at.UTC().Format(time.RFC3339Nano), Stamp: stamp(at, zone), Forward: q.After != ""}
	key := "before"
	if s.Forward {
		key = "since"
	}
	s.GoOn = listAddress(textWith(without(q.filter, key), key, s.At), "", "")
	return s
}

// empty says why there is no row.
func (b *sessionsBody) empty(q wanted) string {
	switch {
	case len(b.Rows) > 0:
		return ""
	case q.text == "" && q.Before == "" && q.After == "":
		return "nothing"
	}
	return "unselected"
}

// listAddress is the address of a page of the list.
func listAddress(filter, side, id string) string {
	q := url.Values{}
	if filter != "" {
		q.Set("q", filter)
	}
	if side != "" {
		q.Set(side, id)
	}
	if len(q) == 0 {
		return "/"
	}
	return "/?" + q.Encode()
}
