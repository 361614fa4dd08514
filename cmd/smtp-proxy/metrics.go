package main

import (
	"net/http"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/rules"
	"smtp-proxy/policy"
	"smtp-proxy/upstream"
)

// metrics counts sessions as they end, for /metrics. Only the keeper of the
// record counts: what it has found by name once it keeps, without a lock.
//
// No label holds what a peer or an app can choose: upstreams are those of the
// settings and at most mostForeign more, verbs and causes are of fixed lists,
// codes three digits.
type metrics struct {
	registry *prometheus.Registry

	sessions   *prometheus.CounterVec
	replies    *prometheus.CounterVec
	findings   *prometheus.CounterVec
	secured    *prometheus.CounterVec
	waits      *prometheus.HistogramVec
	handshakes *prometheus.HistogramVec
	expiry     *prometheus.GaugeVec
	dropped    prometheus.Counter
	refused    prometheus.Counter

	upstreams map[string]*upstreamMetrics
	foreign   int // of them, those that no setting names
	causes    map[string]prometheus.Counter
	answers   [verbCount]verbMetrics
}

// upstreamMetrics are those of one smarthost.
type upstreamMetrics struct {
	outcomes [len(outcomes{})]prometheus.Counter
	expiry   prometheus.Gauge // nil before the first certificate
	label    string
}

// mostForeign is how many upstreams that no setting names have a label of their
// own: the firewall may redirect connections to any.
const mostForeign = 50

// otherLabel stands for what has no label of its own.
const otherLabel = "other"

// Bounds of the histograms, in seconds. A reply takes a millisecond on the same
// machine, and ten minutes where a filter thinks about a message.
func waitBuckets() []float64 {
	return []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 600}
}

func handshakeBuckets() []float64 {
	return []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
}

func newMetrics(set *rules.Set, c policy.Config) *metrics {
	m := &metrics{registry: prometheus.NewRegistry(), upstreams: map[string]*upstreamMetrics{}, causes: map[string]prometheus.Counter{}}
	m.define()
	m.registry.MustRegister(m.sessions, m.replies, m.findings, m.secured, m.waits, m.handshakes, m.expiry, m.dropped, m.refused,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), buildInfo())
	for _, cause := range set.Causes() {
		m.causes[cause.ID] = m.findings.WithLabelValues(cause.ID)
	}
	for _, r := range c.All() {
		if t, err := upstream.ParseTarget(r.Upstream, upstream.ModeAuto); err == nil {
			m.upstreams[t.Name] = m.newUpstream(t.Name)
		}
	}
	return m
}

func (m *metrics) define() {
	counter := func(name, help string) prometheus.CounterOpts {
		return prometheus.CounterOpts{Namespace: "smtp_proxy", Name: name, Help: help}
	}
	m.sessions = prometheus.NewCounterVec(counter("sessions_total", "Sessions that have ended, by what became of them and the smarthost."), []string{"outcome", "upstream"})
	m.replies = prometheus.NewCounterVec(counter("replies_total", "Replies of smarthosts to commands of apps, by verb and code; end-of-data is the reply to a message."), []string{"verb", "code"})
	m.findings = prometheus.NewCounterVec(counter("findings_total", "Findings of sessions when they ended, by cause."), []string{"cause"})
	m.secured = prometheus.NewCounterVec(counter("tls_sessions_total", "Sessions that were under TLS, by leg and version."), []string{"leg", "version"})
	m.dropped = prometheus.NewCounter(counter("recorder_dropped_total", "Entries that the record lacks: it could not keep up, or not be written."))
	m.refused = prometheus.NewCounter(counter("app_connections_refused_total", "Connections of apps that the proxy turned away: limits, --allow-from, shutdown, loops."))
	m.waits = prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: "smtp_proxy", Name: "reply_seconds", Buckets: waitBuckets(),
		Help: "Time from a command on its way to the smarthost to its reply, by verb; the app leg has commands of apps, the upstream leg those of the proxy itself."}, []string{"verb", "leg"})
	m.handshakes = prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: "smtp_proxy", Name: "handshake_seconds", Buckets: handshakeBuckets(),
		Help: "Time that TLS handshakes took, failed ones included."}, []string{"leg"})
	m.expiry = prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "smtp_proxy", Name: "upstream_certificate_expiry_timestamp_seconds",
		Help: "When the certificate that the smarthost showed last is no longer valid; the earliest of its chain where that was verified."}, []string{"upstream"})
}

// buildInfo is the constant by which versions are told apart.
func buildInfo() prometheus.Collector {
	info := prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "smtp_proxy", Name: "build_info", Help: "Always 1; the labels tell the version.",
		ConstLabels: prometheus.Labels{"version": version(), "goversion": runtime.Version()}})
	info.Set(1)
	return info
}

// measure adds what is asked of the plant at each scrape.
func (m *metrics) measure(x *plant) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "smtp_proxy", Name: "sessions_open", Help: "Sessions that are running."},
		func() float64 { return float64(x.open()) }))
	if x.store == nil {
		return
	}
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "smtp_proxy", Name: "store_bytes", Help: "Octets that the files of the record take."},
		func() float64 { return float64(recordSize(x.store.Path())) }))
}

// handler answers a scrape.
func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}

// ended counts a session. Its events are good until it returns.
func (m *metrics) ended(s *inspect.Session) {
	if m == nil {
		return
	}
	up := m.upstream(s.Upstream.Name)
	up.outcomes[outcomeIndex(s.Outcome)].Inc()
	for i := range s.Findings {
		m.finding(s.Findings[i].Cause).Inc()
	}
	if s.Dropped > 0 {
		m.dropped.Add(float64(s.Dropped))
	}
	m.security(s, up)
	for i := range s.Events {
		m.event(&s.Events[i])
	}
}
