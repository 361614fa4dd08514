package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/policy"
)

// How the API works. Each api_*.go is some addresses below /api/v1, described
// in openapi.json; tests hold the two against each other. Whoever asks gets
// what they asked for or an object that says what is wrong and what to do:
// names that mean nothing are refused, so that a slip does not pass for an
// answer. What changes something takes JSON only, which a form of another site
// cannot send.

// query is what stands behind the "?" of an address.
type query struct{ url.Values }

// queryOf reads a query whose names are all known and stand there once.
func queryOf(r *http.Request, known ...string) (query, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return query{}, problem{http.StatusBadRequest, "the query of the address cannot be read: " + visible(err.Error()), "write % as %25 and ; as %3B"}
	}
	for name, list := range values {
		if !slices.Contains(known, name) {
			return query{}, problem{http.StatusBadRequest, "there is no parameter " + strconv.Quote(visible(name)), meant(name, known)}
		}
		if len(list) > 1 {
			return query{}, problem{http.StatusBadRequest, "the parameter " + name + " stands there twice", "give it once"}
		}
	}
	return query{values}, nil
}

// meant says which names there are where another was given.
func meant(name string, known []string) string {
	if near := policy.Nearest(name, known); near != "" {
		return "did you mean " + near + "?"
	}
	if len(known) == 0 {
		return "this address takes none"
	}
	return "this address takes " + strings.Join(known, ", ")
}

// filter is the parameter q.
func (q query) filter() (inspect.Filter, error) {
	f, err := filterOf(q.Get("q"))
	if err != nil {
		return f, problem{http.StatusBadRequest, "the filter cannot be read: " + visible(err.Error()), "write it as smtp-proxy sessions takes it: cause:tls.* outcome:failed since:2h"}
	}
	return f, nil
}

// number is a parameter between two bounds; without it, otherwise.
func (q query) number(name string, otherwise, low, high int) (int, error) {
	text := q.Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < low || n > high {
		return 0, problem{http.StatusBadRequest, name + " is " + strconv.Quote(visible(text)), "give a number from " + strconv.Itoa(low) + " to " + strconv.Itoa(high)}
	}
	return n, nil
}

// yes is a parameter that is on or off.
func (q query) yes(name string) (bool, error) {
	switch q.Get(name) {
	case "1", "true":
		return true, nil
	case "", "0", "false":
		return false, nil
	}
	return false, problem{http.StatusBadRequest, name + " is " + strconv.Quote(visible(q.Get(name))), "give 1 or 0"}
}

// moment is a parameter that names a time as the filter's since does; without
// it, otherwise.
func (q query) moment(name string, otherwise, now time.Time) (time.Time, error) {
	text := q.Get(name)
	if text == "" {
		return otherwise, nil
	}
	f, err := inspect.ParseFilter(`since:"` + text + `"`)
	if terms := f.Terms(); err == nil && len(terms) == 1 && terms[0].Key == "since" && !terms[0].Not {
		return terms[0].Moment(now), nil
	}
	return time.Time{}, problem{http.StatusBadRequest, name + " is " + strconv.Quote(visible(text)), "give a time (2026-11-20T12:00:00Z), a day (2026-11-20), or how long ago (2h, 7d)"}
}

// lacking is the answer where a part of the site was left out.
func lacking(what, advice string) problem {
	return problem{http.StatusServiceUnavailable, what, advice}
}
