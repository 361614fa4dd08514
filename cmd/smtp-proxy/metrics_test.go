package main

import (
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/rules"
	"smtp-proxy/policy"
	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
)

// newCounted returns metrics of a proxy with one route.
func newCounted(t testing.TB, upstream string) *metrics {
	t.Helper()
	set, err := rules.Load()
	if err != nil {
		t.Fatal(err)
	}
	c := policy.Defaults()
	c.Upstream = upstream
	return newMetrics(set, c)
}

// plain is a session that went well, in clear.
func plain(upstream string) *inspect.Session {
	s := &inspect.Session{Outcome: inspect.Delivered, Upstream: inspect.UpstreamLeg{Name: upstream}}
	reply := func(kind session.Kind, verb string, code int, own bool) {
		s.Events = append(s.Events,
			session.Entry{Kind: session.KindCommand, Leg: session.Upstream, From: session.FromApp, Verb: verb, Own: own},
			session.Entry{Kind: kind, Leg: session.Upstream, From: session.FromUpstream, Verb: verb, Code: code, Own: own, Wait: 3 * time.Millisecond})
	}
	reply(session.KindGreeting, "", 220, false)
	reply(session.KindReply, "EHLO", 250, true)
	for _, verb := range []string{"EHLO", "MAIL", "RCPT"} {
		reply(session.KindReply, verb, 250, false)
	}
	reply(session.KindReply, "DATA", 354, false)
	reply(session.KindReply, ".", 250, false)
	reply(session.KindReply, "QUIT", 221, false)
	return s
}

// Names, help and units are as Prometheus wants them.
func TestMetricsLint(t *testing.T) {
	m := newCounted(t, "smtp.example.com:587")
	s := plain("smtp.example.com:587")
	s.Upstream.TLS = &session.TLS{Version: "TLS 1.3", Chain: []session.Certificate{{}}}
	s.Events = append(s.Events, session.Entry{Kind: session.KindTLS, TLS: &session.TLS{Duration: time.Millisecond}})
	m.ended(s)
	problems, err := testutil.GatherAndLint(m.registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: got %q, want nothing to remark", p.Metric, p.Text)
	}
}

// What a peer or an app says never becomes a label.
func TestMetricsLabels(t *testing.T) {
	m := newCounted(t, "smtp.example.com:587")
	for i := range 200 {
		name := "192.0.2." + string(rune('0'+i%10)) + strings.Repeat("1", i/10) + ":25"
		s := plain(name)
		s.Findings = []inspect.Finding{{Cause: "no.such-cause-" + name}}
		s.Upstream.TLS = &session.TLS{Version: "TLS " + name, Chain: []session.Certificate{{}}}
		s.Events = append(s.Events,
			session.Entry{Kind: session.KindReply, From: session.FromUpstream, Verb: "X" + name, Code: 250},
			session.Entry{Kind: session.KindReply, From: session.FromUpstream, Verb: "MAIL", Code: 600 + i},
			session.Entry{Kind: session.KindReply, From: session.FromUpstream, Verb: "MAIL", Code: -i})
		m.ended(s)
	}
	m.ended(plain(""))
	m.ended(plain("\xff\xfe:25"))
	for name, most := range map[string]int{
		"smtp_proxy_sessions_total": (mostForeign + 2) * len(outcomes{}), "smtp_proxy_replies_total": 9,
		"smtp_proxy_findings_total": 1 + len(m.causes), "smtp_proxy_tls_sessions_total": 1,
		"smtp_proxy_upstream_certificate_expiry_timestamp_seconds": mostForeign + 1,
	} {
		n, err := testutil.GatherAndCount(m.registry, name)
		if err != nil || n > most || n == 0 {
			t.Errorf("%s: got %d series and %v, want 1 to %d", name, n, err, most)
		}
	}
	if got := testutil.ToFloat64(m.sessions.WithLabelValues("delivered", "other")); got != 152 {
		t.Errorf("sessions to other smarthosts: got %v, want 152", got)
	}
}

// A certificate counts by the chain that was verified, not by what else a
// smarthost sends.
func TestMetricsExpiry(t *testing.T) {
	at := func(days int) session.Certificate {
		return session.Certificate{NotAfter: time.Date(2030, 1, 1+days, 0, 0, 0, 0, time.UTC)}
	}
	for _, test := range []struct {
		name string
		tls  session.TLS
		want int
	}{
		{"a leaf alone", session.TLS{Chain: []session.Certificate{at(9)}}, 9},
		{"an old root was sent", session.TLS{Chain: []session.Certificate{at(9), at(1)}, Path: []session.Certificate{at(9), at(20)}}, 9},
		{"the issuer ends first", session.TLS{Chain: []session.Certificate{at(9), at(5)}, Path: []session.Certificate{at(9), at(5)}}, 5},
	} {
		if got, want := expiryOf(&test.tls), at(test.want).NotAfter; !got.Equal(want) {
			t.Errorf("%s: got %s, want %s", test.name, got, want)
		}
	}
}

// scrape reads /metrics.
func (r *running) scrape(t *testing.T) map[string]string {
	t.Helper()
	resp, err := http.Get("http://" + r.web.addr() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("/metrics: got %s and %v, want 200: %s", resp.Status, err, text)
	}
	all := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if at := strings.LastIndexByte(line, ' '); at > 0 && line[0] != '#' {
			all[line[:at]] = strings.TrimSpace(line[at:])
		}
	}
	return all
}

// scrapeWhen does so until a series has a value: a session is counted about
// when the log has it.
func (r *running) scrapeWhen(t *testing.T, series, value string) map[string]string {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		all := r.scrape(t)
		if all[series] == value || time.Now().After(deadline) {
			return all
		}
	}
}

// After sessions that are known the counters have exactly their numbers, with a
// record or without.
func TestMetricsOfSessions(t *testing.T) {
	for _, data := range []string{"", "none"} {
		box, err := testenv.NewSandbox(testenv.SandboxOptions{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { box.Close() })
		c := policy.Defaults()
		c.Upstream, c.UpstreamInsecure, c.Probe = box.Addr(), true, "off"
		r := startPage(t, c, data)
		for _, to := range []string{"a@example.net", "b@example.net", "550_5.1.1@example.net"} {
			if _, err := (testenv.App{Addr: r.addr(), To: []string{to}}).Send(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		r.awaitSessions(t, 3)
		got := r.scrapeWhen(t, `smtp_proxy_replies_total{code="221",verb="QUIT"}`, "3")
		for series, want := range map[string]string{
			`smtp_proxy_sessions_total{outcome="delivered",upstream="` + box.Addr() + `"}`: "2",
			`smtp_proxy_sessions_total{outcome="rejected",upstream="` + box.Addr() + `"}`:  "1",
			`smtp_proxy_sessions_total{outcome="failed",upstream="` + box.Addr() + `"}`:    "0",
			`smtp_proxy_replies_total{code="220",verb="greeting"}`:                         "3",
			`smtp_proxy_replies_total{code="250",verb="MAIL"}`:                             "3",
			`smtp_proxy_replies_total{code="250",verb="RCPT"}`:                             "2",
			`smtp_proxy_replies_total{code="550",verb="RCPT"}`:                             "1",
			`smtp_proxy_replies_total{code="354",verb="DATA"}`:                             "2",
			`smtp_proxy_replies_total{code="250",verb="end-of-data"}`:                      "2",
			`smtp_proxy_findings_total{cause="recipient.unknown"}`:                         "1",
			`smtp_proxy_findings_total{cause="tls.required"}`:                              "0",
			`smtp_proxy_reply_seconds_count{leg="app",verb="MAIL"}`:                        "3",
			`smtp_proxy_handshake_seconds_count{leg="upstream"}`:                           "3",
			`smtp_proxy_tls_sessions_total{leg="upstream",version="TLS 1.3"}`:              "3",
			`smtp_proxy_recorder_dropped_total`:                                            "0",
			`smtp_proxy_app_connections_refused_total`:                                     "0",
			`smtp_proxy_sessions_open`:                                                     "0",
		} {
			if got[series] != want {
				t.Errorf("--data %q: %s: got %q, want %s", data, series, got[series], want)
			}
		}
		if _, there := got["smtp_proxy_store_bytes"]; there == (data == "none") {
			t.Errorf("--data %q: smtp_proxy_store_bytes is there: %t", data, there)
		}
		if !strings.HasPrefix(got[`smtp_proxy_upstream_certificate_expiry_timestamp_seconds{upstream="`+box.Addr()+`"}`], "1.") {
			t.Errorf("--data %q: got no time at which the certificate of %s ends: %v", data, box.Addr(), got)
		}
		r.end()
	}
}

// A connection that is turned away is counted as one.
func TestMetricsOfRefusals(t *testing.T) {
	m := newCounted(t, "smtp.example.com:587")
	for _, e := range []session.Entry{
		{Odd: session.OddLimit, Phase: session.PhaseConnect},
		{Odd: session.OddPolicy, Phase: session.PhaseConnect},
		{Phase: session.PhaseConnect},                       // the smarthost cannot be reached
		{Odd: session.OddPolicy, Phase: session.PhaseMail},  // a message is
		{Odd: session.OddTimeout, Phase: session.PhaseHelo}, // the app said nothing
	} {
		e.Kind, e.From, e.Leg = session.KindReply, session.FromProxy, session.App
		m.ended(&inspect.Session{Events: []session.Entry{e}})
	}
	if got := testutil.ToFloat64(m.refused); got != 2 {
		t.Errorf("got %v connections refused, want 2", got)
	}
}

// An app that may not connect is turned away, and that shows.
func TestMetricsOfAnAppTurnedAway(t *testing.T) {
	c := policy.Defaults()
	c.Upstream, c.Probe, c.AllowFrom = sandboxUpstream, "off", policy.Nets{netip.MustParsePrefix("192.0.2.0/24")}
	r := startPage(t, c, "none")
	conn, err := net.Dial("tcp", r.addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if said, err := io.ReadAll(conn); err != nil || !strings.HasPrefix(string(said), "554 ") {
		t.Fatalf("got %q and %v, want a refusal", said, err)
	}
	const series = "smtp_proxy_app_connections_refused_total"
	if got := r.scrapeWhen(t, series, "1")[series]; got != "1" {
		t.Errorf("%s: got %s, want 1", series, got)
	}
}

// The keeper of the record counts: a plain session takes it well below a
// microsecond.
func BenchmarkMetrics(b *testing.B) {
	m := newCounted(b, "smtp.example.com:587")
	s := plain("smtp.example.com:587")
	b.ReportAllocs()
	for b.Loop() {
		m.ended(s)
	}
}
