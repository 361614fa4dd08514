package web

import (
	"net/http"
	"path/filepath"
	"strings"
)

// frame fills in what the layout has around each page. Strangers see less of
// it.
func (s *Site) frame(v *view, r *http.Request) {
	v.Assets, v.Site, v.Path = s.assets, s, r.URL.Path
	if !isLetIn(r) {
		return
	}
	v.Version = s.Version
	if s.Troubles != nil {
		v.Troubles = s.Troubles()
	}
	if s.Store != nil {
		v.Data = filepath.Dir(s.Store.Path())
	}
}

// known answers requests for what the site does not have with a page that says
// so, in place of the bare words of net/http.
func (s *Site) known(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		answer := &unseen{header: http.Header{}}
		h.ServeHTTP(answer, r)
		s.refuse(w, r, s.unknown(w.Header(), answer, r))
	})
}

// unknown words what net/http would have said of an address.
func (s *Site) unknown(h http.Header, answer *unseen, r *http.Request) problem {
	if answer.status != http.StatusMethodNotAllowed {
		return problem{http.StatusNotFound, "there is no page " + short(r.URL.Path), "look at the address, or begin at the list of sessions"}
	}
	allowed := answer.header.Get("Allow")
	h.Set("Allow", allowed)
	return problem{http.StatusMethodNotAllowed, short(r.URL.Path) + " takes no " + short(r.Method), "it takes " + strings.ReplaceAll(allowed, ", ", " and ")}
}

// unseen is an answer of which only the head is wanted.
type unseen struct {
	header http.Header
	status int
}

func (u *unseen) Header() http.Header         { return u.header }
func (u *unseen) WriteHeader(status int)      { u.status = status }
func (u *unseen) Write(b []byte) (int, error) { return len(b), nil }
