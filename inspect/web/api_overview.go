package web

import (
	"math"
	"net/http"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/store"
)

// OverviewAPI sums up what happened within a span of time.
func (s *Site) OverviewAPI() []endpoint {
	return []endpoint{{"GET /api/v1/overview", s.apiOverview}}
}

// Bounds of an overview.
const (
	mostColumns  = 500
	shortestSpan = time.Minute
	longestSpan  = 10 * 366 * 24 * time.Hour
	usualSpan    = 24 * time.Hour
)

func (s *Site) apiOverview(w http.ResponseWriter, r *http.Request) error {
	q, err := queryOf(r, "since", "until", "columns", "upstream")
	if err != nil {
		return err
	}
	if _, err := agreed(r, typeJSON); err != nil {
		return err
	}
	ask, err := q.overview(s.Now())
	if err != nil {
		return err
	}
	if s.Store == nil {
		return noRecord()
	}
	o, err := s.Store.Overview(r.Context(), ask)
	if err != nil {
		return err
	}
	return answerJSON(w, http.StatusOK, overviewObjectOf(&o))
}

// overview is what span is asked for: the last day unless it is said.
func (q query) overview(now time.Time) (ask store.OverviewQuery, err error) {
	if ask.Until, err = q.moment("until", now, now); err != nil {
		return ask, err
	}
	if ask.Since, err = q.moment("since", ask.Until.Add(-usualSpan), now); err != nil {
		return ask, err
	}
	if span := ask.Until.Sub(ask.Since); span < shortestSpan || span > longestSpan {
		return ask, problem{http.StatusBadRequest, "the span from since to until is " + inspect.Took(max(span, 0)), "give one of a minute to ten years"}
	}
	ask.Upstream = q.Get("upstream")
	ask.Columns, err = q.number("columns", 60, 1, mostColumns)
	return ask, err
}

// overviewObject is a [store.Overview]; times are in UTC, lengths of time in
// milliseconds.
type overviewObject struct {
	Since     time.Time        `json:"since"`
	Until     time.Time        `json:"until"`
	Width     float64          `json:"width_ms"`
	Columns   []columnObject   `json:"columns"`
	Causes    []trendObject    `json:"causes"`
	Codes     []codeObject     `json:"codes"`
	Waits     []waitObject     `json:"waits"`
	Upstreams []upstreamObject `json:"upstreams"`
	Others    sumObject        `json:"others"`
}

type columnObject struct {
	At       time.Time               `json:"at"`
	Outcomes map[inspect.Outcome]int `json:"outcomes"`
}

type trendObject struct {
	Cause  string `json:"cause"`
	N      int    `json:"n"`
	Before int    `json:"before"`
	Counts []int  `json:"counts"`
}

type codeObject struct {
	Code string `json:"code"`
	N    int    `json:"n"`
}

type waitObject struct {
	Verb string  `json:"verb"`
	N    int     `json:"n"`
	P50  float64 `json:"p50_ms"`
	P95  float64 `json:"p95_ms"`
	P99  float64 `json:"p99_ms"`
}

// sumObject is the sum of the upstreams that are not listed.
type sumObject struct {
	Sessions int                     `json:"sessions"`
	Outcomes map[inspect.Outcome]int `json:"outcomes"`
}

type upstreamObject struct {
	Name        string                  `json:"name"`
	Provider    string                  `json:"provider"`
	Sessions    int                     `json:"sessions"`
	Outcomes    map[inspect.Outcome]int `json:"outcomes"`
	LastGood    *inspect.Session        `json:"last_good"`
	LastFailed  *inspect.Session        `json:"last_failed"`
	Certificate *time.Time              `json:"certificate_ends"` // null without TLS
	Changed     []string                `json:"changed"`
	Throttled   *throttledObject        `json:"throttled"` // null when it refused nothing for its rate
}

type throttledObject struct {
	Since   time.Time `json:"since"`
	Minutes int       `json:"minutes"`
	Then    float64   `json:"then_per_minute"`
	Else    float64   `json:"else_per_minute"`
	Most    int       `json:"most_per_minute"`
	AtOnce  int       `json:"at_once"`
}

func overviewObjectOf(o *store.Overview) overviewObject {
	return overviewObject{
		Since: o.Since.UTC(), Until: o.Until.UTC(), Width: milliseconds(o.Width),
		Columns: each(o.Columns, func(c store.Column) columnObject { return columnObject{c.At.UTC(), counted(c.Outcomes)} }),
		Causes: each(o.Causes, func(c store.CauseTrend) trendObject {
			return trendObject{c.Cause, c.N, c.Before, some(c.Counts)}
		}),
		Codes: each(o.Codes, func(c store.CodeCount) codeObject { return codeObject(c) }),
		Waits: each(o.Waits, func(v store.Wait) waitObject {
			return waitObject{v.Verb, v.N, milliseconds(v.P50), milliseconds(v.P95), milliseconds(v.P99)}
		}),
		Upstreams: each(o.Upstreams, upstreamObjectOf),
		Others:    sumObject{o.Others.Sessions, counted(o.Others.Outcomes)},
	}
}

func upstreamObjectOf(u store.Upstream) upstreamObject {
	x := upstreamObject{
		Name: u.Name, Provider: u.Provider, Sessions: u.Sessions, Outcomes: counted(u.Outcomes),
		LastGood: u.LastGood, LastFailed: u.LastFailed, Changed: some(u.Changed),
	}
	if !u.Certificate.IsZero() {
		ends := u.Certificate.UTC()
		x.Certificate = &ends
	}
	if t := u.Throttled; t != nil {
		x.Throttled = &throttledObject{t.Since.UTC(), t.Minutes, t.Then, t.Else, t.Most, t.AtOnce}
	}
	return x
}

// milliseconds is a length of time with three decimals.
func milliseconds(d time.Duration) float64 { return math.Round(d.Seconds()*1e6) / 1e3 }

func each[T, U any](list []T, word func(T) U) []U {
	out := make([]U, len(list))
	for i := range list {
		out[i] = word(list[i])
	}
	return out
}

func counted(m map[inspect.Outcome]int) map[inspect.Outcome]int {
	if m == nil {
		return map[inspect.Outcome]int{}
	}
	return m
}
