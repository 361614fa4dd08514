package main

import (
	"strings"
	"testing"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

// The verdict names the step that the first finding is about, whatever else
// failed above it.
func TestCheckFailure(t *testing.T) {
	lines := func(failed ...string) (list []probe.Line) {
		for _, step := range failed {
			list = append(list, probe.Line{Step: step, Status: probe.StatusFail})
		}
		return list
	}
	dialogue := []session.Entry{{Seq: 1, Phase: session.PhaseConnect}, {Seq: 2, Phase: session.PhaseRcpt}}
	answers := []session.Entry{{Seq: 3, Phase: session.PhaseTLS, Probe: &session.Probe{Name: "dnsbl"}}}
	found := func(cause string, events ...int) []inspect.Finding {
		f := inspect.Finding{Cause: cause}
		for _, n := range events {
			f.Evidence = append(f.Evidence, inspect.Evidence{Event: n})
		}
		return []inspect.Finding{f}
	}
	for _, test := range []struct {
		lines    []probe.Line
		findings []inspect.Finding
		want     string
		code     ended
	}{
		{lines("tcp", "ports", "connect"), found("connect.refused", 1, 3), "connect failed first (connect.refused)", 2},
		{lines("mx", "rcpt"), found("recipient.unknown", 2), "rcpt failed first (recipient.unknown)", 24},
		{lines("dnsbl", "rcpt"), found("reputation.ip-blocklisted", 3), "dnsbl failed first (reputation.ip-blocklisted)", 1},
		{lines("dnsbl", "rcpt"), found("reputation.ip-blocklisted", 0, 2), "rcpt failed first (reputation.ip-blocklisted)", 24},
		{lines("tcp"), found("connect.timeout", 1), "tcp failed first (connect.timeout)", 2},
		{nil, found("rate.messages", 0), "rate.messages", 1},
		{lines("mx", "connect"), nil, "connect failed", 2},
		{lines("ports", "tcp"), nil, "tcp failed", 2},
		{lines("mx"), nil, "mx failed", 1},
	} {
		r := &examined{
			examinee: &examinee{target: upstream.Target{Name: "mx:25"}}, findings: test.findings,
			report: probe.Report{Lines: test.lines, Dialogue: dialogue, Answers: answers},
		}
		if got := r.failure().String(); got != test.want {
			t.Errorf("%v, %v: got %q, want %q", test.lines, test.findings, got, test.want)
		}
		if got := r.code(); got != test.code {
			t.Errorf("%v, %v: got code %d, want %d", test.lines, test.findings, got, test.code)
		}
		want := "mx:25 is not fit for mail from here: " + test.want
		if test.code == exitRcpt {
			want = "mx:25 does not take this mail: " + test.want
		}
		if got := r.verdict(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// What a session and a probe say in the same words is shown once, and the
// finding itself keeps it.
func TestShown(t *testing.T) {
	const lost = "mx does not send the certificate of its issuer"
	r := &examined{findings: []inspect.Finding{{Evidence: []inspect.Evidence{
		{Event: 3, Text: "handshake failed: " + lost}, {Event: 9, Text: lost}, {Event: 9, Text: "TLS 1.3"}, {Event: 10, Text: "TLS 1.3"},
	}}, {Evidence: []inspect.Evidence{}}}}
	shown := r.shown()
	got := shown[0].Evidence
	if len(got) != 2 || got[0].Text != "handshake failed: "+lost || got[1].Text != "TLS 1.3" || got[0].Event != 0 {
		t.Errorf("got %+v, want the handshake and TLS 1.3 without their numbers", got)
	}
	if shown[1].Evidence == nil {
		t.Error("got no list for a finding without evidence, want an empty one")
	}
	if len(r.findings[0].Evidence) != 4 || r.findings[0].Evidence[0].Event != 3 {
		t.Errorf("got %+v of the finding itself, want it as it was", r.findings[0].Evidence)
	}
}

// What a check has found out and a session would not is part of the verdict.
func TestVerdictNamesTheSetting(t *testing.T) {
	greeting := session.Entry{Kind: session.KindGreeting, Leg: session.Upstream, Secure: true}
	for _, test := range []struct {
		port int
		mode upstream.Mode
		want bool
	}{{2465, upstream.ModeAuto, true}, {465, upstream.ModeAuto, false}, {2465, upstream.ModeImplicit, false}} {
		r := &examined{
			examinee: &examinee{target: upstream.Target{Name: "mx", Port: test.port, Mode: test.mode}},
			report:   probe.Report{Dialogue: []session.Entry{greeting}},
		}
		if got := strings.HasPrefix(r.verdict(), "mx is fit for mail from here with --upstream-tls implicit"); got != test.want {
			t.Errorf("%d, %s: got %q, want the setting in it: %v", test.port, test.mode, r.verdict(), test.want)
		}
	}
}
