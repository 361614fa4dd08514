package web

import "net/http"

// SessionPage shows one session whole.
func (s *Site) SessionPage() []endpoint {
	return []endpoint{{"GET /sessions/{id}", s.session}}
}

func (s *Site) session(w http.ResponseWriter, r *http.Request) error {
	if s.Store == nil {
		return noRecord()
	}
	v, err := s.Store.Session(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	page := reportOf(v, ReportOptions{Zone: s.Zone})
	return s.show(w, r, http.StatusOK, "session", view{Title: page.Title, Nav: "sessions", Body: page})
}

// noRecord is the answer where there is nothing to read.
func noRecord() problem {
	return problem{http.StatusNotFound, "no record is kept", "start smtp-proxy with --data DIR to keep one"}
}
