package web

import "net/http"

// MetricsPage answers a scrape by Prometheus. Who may see the page may see how
// much mail goes where, so it stands behind the same guard.
func (s *Site) MetricsPage() []endpoint {
	return []endpoint{{"GET /metrics", s.metrics}}
}

func (s *Site) metrics(w http.ResponseWriter, r *http.Request) error {
	if s.Metrics == nil {
		return problem{http.StatusNotFound, "nothing is counted here", "metrics belong to a running proxy: smtp-proxy run"}
	}
	s.Metrics.ServeHTTP(w, r)
	return nil
}
