package web

import (
	"fmt"
	"io"
	"net/http"
	"strings"
)

// HealthPage answers whether the proxy lives (/livez) and whether all of it
// works (/readyz). Neither asks for a password or a name of this site; what is
// wrong is told only to those who may see the page: it names files.
func (s *Site) HealthPage() []endpoint {
	return []endpoint{{"GET /livez", s.livez}, {"GET /readyz", s.readyz}}
}

// isHealth reports an address that orchestrators ask, by whatever name.
func isHealth(path string) bool { return path == "/livez" || path == "/readyz" }

func (s *Site) livez(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, err := io.WriteString(w, "ok\n")
	return err
}

func (s *Site) readyz(w http.ResponseWriter, r *http.Request) error {
	if s.Troubles == nil || len(s.Troubles()) == 0 {
		return s.livez(w, r)
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(http.StatusServiceUnavailable)
	text := "not ready: the page and the log of smtp-proxy say why"
	if isLetIn(r) {
		text = strings.Join(s.Troubles(), "\n")
	}
	_, err := fmt.Fprintln(w, text)
	return err
}
