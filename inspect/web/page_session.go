package web

import (
	"context"
	"net/http"
	"strings"

	"smtp-proxy/inspect"
)

// SessionPage shows one session whole: its dialogue, its messages, its octets
// and its times, each under an address of its own.
func (s *Site) SessionPage() []endpoint {
	return []endpoint{
		{"GET /sessions/{id}", s.sessionTab("")},
		{"GET /sessions/{id}/messages", s.sessionTab("messages")},
		{"GET /sessions/{id}/raw", s.sessionTab("raw")},
		{"GET /sessions/{id}/timing", s.sessionTab("timing")},
		{"GET /sessions/{id}/messages/{n}/html", s.inTurn(s.messageHTML)},
		{"GET /sessions/{id}/messages/{n}/source", s.messageSource},
		{"GET /sessions/{id}/messages/{n}/parts/{k}", s.messagePart},
	}
}

// sessionTab shows one tab. An id that is short, or latest, is led to the
// whole one, so that the address in the browser stays that session's.
func (s *Site) sessionTab(tab string) func(http.ResponseWriter, *http.Request) error {
	return s.inTurn(func(w http.ResponseWriter, r *http.Request) error {
		v, err := s.recorded(r)
		if err != nil {
			return err
		}
		if v.ID != r.PathValue("id") {
			http.Redirect(w, r, under(sessionAddress(v.ID), tab, r.URL.RawQuery), http.StatusFound)
			return nil
		}
		body := s.sessionBody(r.Context(), v, tab)
		if err := s.fill(r, v, body); err != nil {
			return err
		}
		return s.show(w, r, http.StatusOK, "session", view{Title: body.Title, Nav: "sessions", Body: body})
	})
}

// recorded reads the session that a request names.
func (s *Site) recorded(r *http.Request) (*inspect.Session, error) {
	if s.Store == nil {
		return nil, noRecord()
	}
	return s.Store.Session(r.Context(), r.PathValue("id"))
}

// noRecord is the answer where there is nothing to read.
func noRecord() problem {
	return problem{http.StatusNotFound, "no record is kept", "start smtp-proxy with --data DIR to keep one"}
}

func sessionAddress(id string) string { return "/sessions/" + id }

func under(address, tab, query string) string {
	address = strings.TrimSuffix(address+"/"+tab, "/")
	if query != "" {
		address += "?" + query
	}
	return address
}

// fill puts into a page what its tab shows.
func (s *Site) fill(r *http.Request, v *inspect.Session, body *sessionBody) (err error) {
	switch body.Tab {
	case "messages":
		err = s.fillMessages(r, v, body)
	case "raw":
		body.Raw = rawOf(v)
	case "timing":
		body.Timing = timingOf(v)
	default:
		body.Dialogue, body.NoDialogue = dialogueOf(v, s.Zone, true), len(v.Events) == 0
		body.Facts = factsOf(v, s.Zone)
	}
	return err
}

// neighbours finds the sessions right before and after one; empty where there
// is none, or it cannot be told.
func (s *Site) neighbours(ctx context.Context, id string) (older, newer string) {
	return s.next(ctx, pageBefore(id)), s.next(ctx, pageAfter(id))
}
