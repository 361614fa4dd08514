package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// exposed are the labels of each series that is there, by its name.
func exposed(t *testing.T) map[string][]string {
	t.Helper()
	m := newCounted(t, "smtp.example.com:587")
	s := plain("smtp.example.com:587")
	s.Upstream.TLS = &session.TLS{Version: "TLS 1.3", Chain: []session.Certificate{{}}}
	s.Events = append(s.Events, session.Entry{Kind: session.KindTLS, TLS: &session.TLS{Duration: time.Millisecond}})
	m.ended(s)
	r := practicePage(t)
	all := map[string][]string{}
	for _, registry := range []*metrics{m, r.metrics} {
		families, err := registry.registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			suffixes := []string{""}
			if f.GetType().String() == "HISTOGRAM" {
				suffixes = []string{"_bucket", "_sum", "_count"}
			}
			labels := []string{"le", "instance", "job"}
			for _, l := range f.GetMetric()[0].GetLabel() {
				labels = append(labels, l.GetName())
			}
			for _, suffix := range suffixes {
				all[f.GetName()+suffix] = labels
			}
		}
	}
	return all
}

// What the examples for Prometheus and Grafana ask for is there, with the
// labels that they go by.
func TestDashboardAndAlerts(t *testing.T) {
	known := exposed(t)
	asked := map[string]bool{}
	series := regexp.MustCompile(`(smtp_proxy_[a-z_]+)(?:\{([^}]*)\})?`)
	label := regexp.MustCompile(`([a-z_]+)\s*(?:=~|!=|!~|=)`)
	for _, path := range []string{"grafana/smtp-proxy.json", "prometheus/alerts.yml"} {
		data, err := os.ReadFile(filepath.Join("..", "..", "testenv", "compose", path))
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(data), `\"`, `"`)
		for _, found := range series.FindAllStringSubmatch(text, -1) {
			asked[found[1]] = true
			labels, there := known[found[1]]
			if !there {
				t.Errorf("%s asks for %s, which is not there", path, found[1])
			}
			for _, l := range label.FindAllStringSubmatch(found[2], -1) {
				if !slices.Contains(labels, l[1]) {
					t.Errorf("%s asks for %s by %s: got labels %v", path, found[1], l[1], labels)
				}
			}
		}
	}
	for name := range known {
		if base := strings.TrimSuffix(strings.TrimSuffix(name, "_sum"), "_count"); strings.HasPrefix(name, "smtp_proxy_") && base == name && !asked[name] {
			t.Errorf("nothing in the dashboard or the alerts shows %s", name)
		}
	}
}

// The dashboard is an object that Grafana imports: each panel asks something.
func TestDashboardIsWhole(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "testenv", "compose", "grafana", "smtp-proxy.json"))
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Title  string
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(data, &d); err != nil || d.Title == "" || len(d.Panels) == 0 {
		t.Fatalf("got %v and %+v, want a dashboard", err, d)
	}
	for _, p := range d.Panels {
		if p.Title == "" || len(p.Targets) == 0 || p.Targets[0].Expr == "" {
			t.Errorf("got the panel %+v, want a title and what it asks", p)
		}
	}
}

// A session is counted once, by what it was when it ended.
func TestMetricsOutcomes(t *testing.T) {
	m := newCounted(t, "smtp.example.com:587")
	for i, o := range allOutcomes() {
		if got := outcomeIndex(o); got != i {
			t.Errorf("%s: got number %d, want %d", o, got, i)
		}
		m.ended(&inspect.Session{Outcome: o, Upstream: inspect.UpstreamLeg{Name: "smtp.example.com:587"}})
	}
	for _, o := range allOutcomes() {
		if got := testutil.ToFloat64(m.sessions.WithLabelValues(string(o), "smtp.example.com:587")); got != 1 {
			t.Errorf("%s: got %v, want 1", o, got)
		}
	}
}
