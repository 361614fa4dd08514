package web

import (
	"net/http"
	"strings"
)

// ElsewhereAPI answers below /api/ where nothing is, or not by that method.
func (s *Site) ElsewhereAPI() []endpoint {
	return []endpoint{{"/api/", s.apiElsewhere}}
}

func (s *Site) apiElsewhere(w http.ResponseWriter, r *http.Request) error {
	allowed := s.methods(r)
	if len(allowed) == 0 {
		return problem{http.StatusNotFound, "there is nothing at " + visible(r.URL.Path), "/api/v1/openapi.json describes what there is"}
	}
	list := strings.Join(allowed, ", ")
	w.Header().Set("Allow", list)
	return problem{http.StatusMethodNotAllowed, "this address does not take " + visible(r.Method), "it takes " + list}
}

// methods are those by which an address can be asked.
func (s *Site) methods(r *http.Request) (allowed []string) {
	mux := http.NewServeMux()
	for _, e := range s.endpoints() {
		if _, path, ok := strings.Cut(e.pattern, " "); ok && strings.HasPrefix(path, "/api/") {
			mux.HandleFunc(e.pattern, http.NotFound)
		}
	}
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
		try := &http.Request{Method: method, URL: r.URL, Host: r.Host}
		if _, pattern := mux.Handler(try); pattern != "" {
			allowed = append(allowed, method)
		}
	}
	return allowed
}
