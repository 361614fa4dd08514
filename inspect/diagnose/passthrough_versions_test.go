package diagnose_test

import (
	"slices"
	"strings"
	"testing"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/proxy/session"
)

// A version that the two sides do not have in common is for the side that is
// behind, as far as a probe tells who is.
func TestVersionsNotInCommon(t *testing.T) {
	const withoutCause = "without the proxy the app would fail: it offers TLS 1.2 only; smtp.example.com takes TLS 1.3"
	direct := predicted("tls.version-mismatch")
	direct.Text = withoutCause
	took := func(version string) session.Entry {
		h := chainOf("", "smtp.example.com")
		h.Version = version
		return probed("certificate", "ok", h)
	}
	for _, tt := range []struct {
		name     string
		versions []string
		probes   []session.Entry
		side     string
		first    string // in the first step
		contains string
	}{
		{"app behind, both probes", []string{"TLS 1.2"}, []session.Entry{took("TLS 1.3"), direct}, "app", "switch TLS 1.3 on", "tried what would be taken: the app offers TLS 1.2 only; smtp.example.com takes TLS 1.3."},
		{"app behind, certificate only", []string{"TLS 1.2", "TLS 1.1"}, []session.Entry{took("TLS 1.3")}, "app", "switch TLS 1.3 on", "nothing newer than TLS 1.2"},
		{"app behind, prediction only", []string{"TLS 1.2"}, []session.Entry{direct}, "upstream", "switch TLS 1.3 on", "smtp.example.com takes TLS 1.3."},
		{"GREASE", []string{"0x3a3a", "TLS 1.2"}, []session.Entry{took("TLS 1.3")}, "app", "switch TLS 1.3 on", "TLS 1.2 at most"},
		{"not probed", []string{"TLS 1.2"}, nil, "upstream", "switch TLS 1.3 on", "either smtp.example.com takes TLS 1.3 alone"},
		{"upstream behind", []string{"TLS 1.3"}, []session.Entry{took("TLS 1.2")}, "upstream", "If you run smtp.example.com", "lower its minProtocol"},
		{"upstream far behind", []string{"TLS 1.3", "TLS 1.2"}, []session.Entry{took("TLS 1.0")}, "upstream", "If you run smtp.example.com", "nothing newer than TLS 1.0"},
		{"modern app, not probed", []string{"TLS 1.3", "TLS 1.2"}, nil, "upstream", "If you run smtp.example.com", ""},
	} {
		hello := modern()
		hello.Versions = tt.versions
		c := tunnel{hello: hello, flights: []int64{220, 7}, up: fault(session.FaultAlert, 70), behind: tt.probes}
		findings := engine(t, diagnose.Options{}).Annotate(throughSession(t, c.entries()...))
		if got := sure(findings); got != "tls.version-mismatch certain" {
			t.Errorf("%s: got %q, want tls.version-mismatch certain: the alert says it, and no probe says otherwise", tt.name, got)
			continue
		}
		f := findings[0]
		if f.Side != tt.side || !strings.Contains(f.Fix[0], tt.first) {
			t.Errorf("%s: got side %s and first step %q, want %s and %q", tt.name, f.Side, f.Fix[0], tt.side, tt.first)
		}
		if all := f.Title + f.Explanation + strings.Join(f.Fix, " "); !strings.Contains(all, tt.contains) || strings.ContainsAny(all, "{}") {
			t.Errorf("%s: does not say %q:\n%s", tt.name, tt.contains, all)
		}
		if tells(f, "without the proxy") {
			t.Errorf("%s: tells of a way without the proxy, which the app took:\n%+v", tt.name, f)
		}
	}
}

func tells(f inspect.Finding, words string) bool {
	return strings.Contains(f.Explanation, words) ||
		slices.ContainsFunc(f.Evidence, func(e inspect.Evidence) bool { return strings.Contains(e.Text, words) })
}

// A prediction becomes a sentence of its own, whatever it found.
func TestPredictionsInPassthrough(t *testing.T) {
	for text, want := range map[string]string{
		"without the proxy the app would fail: smtp.example.com takes none of the 2 cipher suites that it offers; offered more, it chose TLS_AES_128_GCM_SHA256": "taken: smtp.example.com takes none of the 2 cipher suites that it offers; offered more, it chose TLS_AES_128_GCM_SHA256.",
		"without the proxy the app would end the handshake itself: to its versions smtp.example.com answers with TLS 1.0":                                        "taken: the app would end the handshake itself: to its versions smtp.example.com answers with TLS 1.0.",
	} {
		e := predicted("tls.cipher-mismatch")
		e.Text = text
		c := tunnel{flights: []int64{220, 7}, up: fault(session.FaultAlert, 71), behind: []session.Entry{e}}
		findings := engine(t, diagnose.Options{}).Annotate(throughSession(t, c.entries()...))
		if got := sure(findings); got != "tls.cipher-mismatch certain" {
			t.Errorf("%s: got %q, want tls.cipher-mismatch certain", text, got)
			continue
		}
		if f := findings[0]; !strings.Contains(f.Explanation, want) || tells(f, "without the proxy") {
			t.Errorf("%s: got %q with evidence %+v, want %q in it", text, f.Explanation, f.Evidence, want)
		}
	}
}
