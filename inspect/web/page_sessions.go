package web

import (
	"net/http"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/store"
)

// SessionsPage lists sessions, the newest first.
func (s *Site) SessionsPage() []endpoint {
	return []endpoint{{"GET /{$}", s.sessions}}
}

// sessionsBody is what page_sessions.html shows.
type sessionsBody struct {
	Filter   string
	Sessions []*inspect.Session
}

func (s *Site) sessions(w http.ResponseWriter, r *http.Request) error {
	body := sessionsBody{Filter: r.URL.Query().Get("q")}
	f, err := inspect.ParseFilter(body.Filter)
	if err != nil {
		return problem{http.StatusBadRequest, err.Error(), "correct the filter"}
	}
	if s.Store != nil {
		page, err := s.Store.Page(r.Context(), f, store.PageQuery{})
		if err != nil {
			return err
		}
		body.Sessions = page.Sessions
	}
	return s.show(w, r, http.StatusOK, "sessions", view{Title: "Sessions", Nav: "sessions", Body: body})
}
