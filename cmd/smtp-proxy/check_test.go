package main

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/policy"
	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream/probe"
)

// newCheck prepares a check of one address whose output a test can wait for.
func newCheck(addr string, steps ...string) (*program, checkup, *output) {
	said := newOutput()
	p := &program{stdin: strings.NewReader(""), stdout: said, stderr: said, now: time.Now, file: &policy.File{}, color: "never",
		env: func(string) (string, bool) { return "", false }}
	c := checkup{config: policy.Defaults(), timeout: patience, noBlocklist: true, steps: steps}
	c.config.Upstream = addr
	return p, c, said
}

// silentHost takes connections and says nothing.
func silentHost(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") // its backlog takes them
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

// An interrupted check leaves at once, without findings that would be about
// the interruption.
func TestCheckInterrupted(t *testing.T) {
	p, c, said := newCheck(silentHost(t), "greeting")
	ctx, interrupt := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.checkAll(ctx, c) }()
	if err := said.wait("ok    connect"); err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	interrupt()
	if err := <-ended; !errors.Is(err, exitInterrupted) {
		t.Errorf("got %v, want %v", err, exitInterrupted)
	}
	if took, most := time.Since(at), 5*time.Second; took > most {
		t.Errorf("got away after %s, want at once", took)
	}
	if got := said.String(); strings.Contains(got, "fit for mail") || strings.Contains(got, "FAIL") || strings.Contains(got, "|  ") {
		t.Errorf("got a verdict of a check that was interrupted:\n%s", got)
	}
}

// A target that says nothing does not keep a check beyond its time.
func TestCheckOutOfTime(t *testing.T) {
	p, c, said := newCheck(silentHost(t), "greeting")
	c.timeout = 400 * time.Millisecond
	err := p.checkAll(t.Context(), c)
	if !errors.Is(err, exitGreeting) {
		t.Errorf("got %v, want %v:\n%s", err, exitGreeting, said)
	}
}

// A watch shows a round whole, then only what is new, and ends with the code
// of the last round.
func TestCheckWatch(t *testing.T) {
	host, err := testenv.NewSandbox(testenv.SandboxOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p, c, said := newCheck(host.Addr(), "tcp", "greeting")
	c.watch, c.config.UpstreamTLS = 20*time.Millisecond, "none"
	targets, err := p.examinees(c)
	if err != nil {
		t.Fatal(err)
	}
	x, err := p.newExaminer(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- x.watch(ctx, targets) }()
	await := func(text string) {
		t.Helper()
		if err := said.wait(text); err != nil {
			t.Fatal(err)
		}
	}
	await("nothing failed in the steps that were taken")
	host.Close()
	await("was ok: ")
	await("is not fit for mail from here")
	interrupt()
	if err := <-ended; !errors.Is(err, exitConnect) {
		t.Errorf("got %v, want %v", err, exitConnect)
	}
	got := said.String()
	for text, most := range map[string]int{"ok    tcp": 1, "FAIL  tcp": 1, "connect.refused  ": 1} {
		if n := strings.Count(got, text); n > most {
			t.Errorf("got %q %d times, want each change once:\n%s", text, n, got)
		}
	}
}

// Blocklists are asked once an hour about an address, however often the rest
// is; what they said stands.
func TestCheckWatchBlocklists(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	x := &examiner{}
	first := &examined{at: at}
	if w := x.wanted(first, nil); !w.Blocklists || w.Steps != nil {
		t.Errorf("first round: got %+v, want all steps", w)
	}
	second := &examined{at: at.Add(10 * time.Minute)}
	w := x.wanted(second, first)
	for _, name := range w.Steps {
		if name == stepBlocklists {
			t.Errorf("10 minutes later: got the step %s, want all others", name)
		}
	}
	if len(w.Steps) != len(probe.StepNames())-1 {
		t.Errorf("10 minutes later: got %v, want all steps but %s", w.Steps, stepBlocklists)
	}
	if w := x.wanted(&examined{at: at.Add(time.Hour)}, second); w.Steps != nil {
		t.Errorf("an hour after they were asked: got %v, want all steps", w.Steps)
	}
}

// A refused password ends a watch; a sign-in that failed for the moment does
// not.
func TestSignInRefused(t *testing.T) {
	for code, want := range map[int]bool{235: false, 334: false, 454: false, 535: true} {
		r := &examined{report: probe.Report{Dialogue: []session.Entry{{Kind: session.KindReply, Phase: session.PhaseAuth, Code: code}}}}
		if got := r.signInRefused(); got != want {
			t.Errorf("%d: got %v, want %v", code, got, want)
		}
	}
}

// The number of the phase that failed first, as swaks has it.
func TestCheckCode(t *testing.T) {
	line := func(step string, s probe.Status) probe.Line { return probe.Line{Step: step, Status: s} }
	reply := func(seq int, phase session.Phase, code int) session.Entry {
		return session.Entry{Seq: seq, Kind: session.KindReply, Phase: phase, Code: code}
	}
	finding := func(cause string, event int) []inspect.Finding {
		return []inspect.Finding{{Cause: cause, Evidence: []inspect.Evidence{{Event: event}}}}
	}
	for _, test := range []struct {
		name     string
		lines    []probe.Line
		dialogue []session.Entry
		findings []inspect.Finding
		want     ended
	}{
		{"healthy", []probe.Line{line("connect", "ok"), line("dnsbl", "warn"), line("auth", "skip")}, nil, nil, 0},
		{"dns", []probe.Line{line("dns", "fail"), line("connect", "fail")}, nil, finding("connect.dns-failure", 0), 2},
		{"greeting", []probe.Line{line("greeting", "fail")}, nil, finding("connect.closed", 0), 21},
		{"ehlo", []probe.Line{line("ehlo", "fail")}, nil, finding("connect.rejected", 0), 22},
		{"no TLS on offer", []probe.Line{line("ehlo", "fail")}, nil, finding("tls.not-offered", 0), 29},
		{"certificate", []probe.Line{line("tls", "ok"), line("certificate", "fail")}, nil, finding("tls.certificate-expired", 0), 29},
		{"auth", []probe.Line{line("auth", "fail")}, nil, finding("auth.disabled", 0), 28},
		{"mail", []probe.Line{line("mail", "fail")}, nil, finding("tls.required", 0), 23},
		{"rcpt", []probe.Line{line("rcpt", "fail")}, nil, finding("relay.denied", 0), 24},
		{"data", []probe.Line{line("delivery", "fail")}, []session.Entry{reply(1, session.PhaseData, 554)}, finding("message.rejected", 1), 25},
		{"dot", []probe.Line{line("delivery", "fail")}, []session.Entry{reply(1, session.PhaseData, 354), reply(2, session.PhaseDot, 550)}, finding("message.spam", 2), 26},
		{"beside the dialogue first", []probe.Line{line("ports", "fail"), line("rcpt", "fail")}, nil, nil, 24},
		{"beside the dialogue only", []probe.Line{line("dnsbl", "fail")}, nil, nil, 1},
		{"a finding alone", []probe.Line{line("auth", "ok")}, []session.Entry{reply(7, session.PhaseAuth, 235)}, finding("auth.disabled", 7), 28},
		{"no time for a session", []probe.Line{{Step: "dialogue", Status: probe.StatusSkip, Text: probe.OutOfTime}}, nil, nil, 1},
		{"no time for a list", []probe.Line{{Step: "dnsbl", Status: probe.StatusSkip, Text: probe.OutOfTime}}, nil, nil, 0},
		{"a finding of a probe", nil, nil, finding("reputation.ip-blocklisted", 9), 1},
	} {
		r := &examined{examinee: &examinee{}, report: probe.Report{Lines: test.lines, Dialogue: test.dialogue}, findings: test.findings}
		if got := r.code(); got != test.want {
			t.Errorf("%s: got %d, want %d", test.name, got, test.want)
		}
	}
}

// A code is the exit code and no message.
func TestEnded(t *testing.T) {
	said := newOutput()
	p := &program{stderr: said}
	for want, err := range map[int]error{0: ended(0).orNil(), 29: exitTLS.orNil(), 64: usagef("wrong")} {
		if got := code(err); got != want {
			t.Errorf("code of %v: got %d, want %d", err, got, want)
		}
	}
	p.report(exitTLS.orNil())
	if got := said.String(); got != "" {
		t.Errorf("got %q on stderr, want nothing", got)
	}
}
