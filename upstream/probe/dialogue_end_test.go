package probe_test

import (
	"context"
	"crypto/tls"
	"runtime"
	"strings"
	"testing"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

// stalls are the verbs at which a smarthost may fall silent, each with the part
// of a dialogue that this is.
func stalls() map[string]string {
	return map[string]string{
		"": "greeting", "EHLO": "ehlo", "AUTH": "auth", "MAIL": "mail", "RCPT": "rcpt", "DATA": "delivery", ".": "delivery",
	}
}

// TestDialogueLeavesAtOnce ends a check wherever a smarthost may be waited for,
// a handshake without an answer included.
func TestDialogueLeavesAtOnce(t *testing.T) {
	waits := map[string]map[string]string{"STARTTLS": {"STARTTLS": "~", "EHLO": "250-" + host + "\r\n250 STARTTLS"}}
	for verb := range stalls() {
		waits[verb] = map[string]string{verb: "-"}
	}
	for verb, says := range waits {
		l := listen(t, says)
		p := newProber(t, nil, probe.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan []session.Entry, 1)
		go func() { ended <- p.Dialogue(ctx, target(l.Addr().String(), upstream.ModeAuto), account(), nil) }()
		if got := <-l.stalled; got != verb {
			t.Fatalf("stalled at %q, want %q", got, verb)
		}
		began := time.Now()
		cancel()
		entries := <-ended
		if took := time.Since(began); took > 100*time.Millisecond {
			t.Errorf("at %q: it took %s to leave", verb, took)
		}
		if note(entries, session.OddShutdown) == nil || note(entries, session.OddTimeout) != nil {
			t.Errorf("at %q: the end is recorded as %+v", verb, entries[len(entries)-1])
		}
	}
}

// note finds the entry with an oddity.
func note(entries []session.Entry, odd session.Oddity) *session.Entry {
	for i := range entries {
		if entries[i].Odd == odd {
			return &entries[i]
		}
	}
	return nil
}

// TestSilence lets the time of a check run out. What it then says is what a
// proxied session says of a smarthost that is silent for too long, and it says
// so before the time is up.
func TestSilence(t *testing.T) {
	for verb, part := range stalls() {
		t.Run("at "+part+" "+verb, func(t *testing.T) {
			t.Parallel()
			endsInTime(t, verb, part)
		})
	}
}

func endsInTime(t *testing.T, verb, part string) {
	l := listen(t, map[string]string{verb: "-"})
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	parts, r := examine(ctx, newProber(t, nil, probe.Options{}), target(l.Addr().String(), upstream.ModeNone), account())
	if ctx.Err() != nil {
		t.Errorf("at %q: it came too late", verb)
	}
	cancel()
	e := note(r.Dialogue, session.OddTimeout)
	if e == nil || e.Leg != session.Upstream || e.Silent == nil || e.Silent.Upstream < 200*time.Millisecond {
		t.Errorf("at %q: the silence is recorded as %+v", verb, e)
	}
	if got := parts[part]; got.Status != probe.StatusFail || !strings.Contains(got.Text, "silent for") {
		t.Errorf("at %q: %s is %q: %q", verb, part, got.Status, got.Text)
	}
}

// TestSilentHandshake lets the time run out in a handshake.
func TestSilentHandshake(t *testing.T) {
	t.Parallel()
	for _, implicit := range []bool{false, true} {
		s := start(t, testenv.SmarthostOptions{Implicit: implicit, Breach: testenv.Breach{Flight: 1}})
		mode := map[bool]upstream.Mode{false: upstream.ModeAuto, true: upstream.ModeImplicit}[implicit]
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		parts, r := examine(ctx, newProber(t, rootsOf(s.Roots()), probe.Options{}), target(s.Addr(), mode), probe.Script{})
		cancel()
		var fault *session.Fault
		for _, e := range r.Dialogue {
			if e.Kind == session.KindTLS {
				fault = e.Fault
				if runtime.GOOS == "linux" && e.TCP == nil {
					t.Errorf("implicit %t: the kernel was not asked about the connection", implicit)
				}
			}
		}
		if fault == nil || fault.Class != session.FaultTimeout || parts["tls"].Status != probe.StatusFail {
			t.Errorf("implicit %t: %+v, line %+v", implicit, fault, parts["tls"])
		}
	}
}

// TestHostileSmarthost meets peers that talk without end. The work that they
// can cause is bounded, and the check says what is wrong.
func TestHostileSmarthost(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ verb, reply, part string }{
		"a greeting without an end":  {"", strings.Repeat("220-more\r\n", 100_000), "greeting"},
		"a line without an end":      {"", strings.Repeat("2", 1<<20), "greeting"},
		"replies without commands":   {"", strings.Repeat("220 hello\r\n", 100_000), "greeting"},
		"an EHLO reply without end":  {"EHLO", strings.Repeat("250-MORE\r\n", 100_000), "ehlo"},
		"challenges without an end":  {"AUTH", strings.Repeat("334 \r\n", 100_000), "auth"},
		"a verdict without an end":   {".", strings.Repeat("250-yes\r\n", 100_000), "delivery"},
		"octets that are no text":    {"MAIL", "\x00\xff\x1b[2J", "mail"},
		"another protocol":           {"", "SSH-2.0-OpenSSH_9.6", "greeting"},
		"half a reply, and the end":  {"", "220-", "greeting"},
		"a TLS record for greeting":  {"", "\x15\x03\x01\x00\x02\x02\x50\n", "greeting"},
		"the reply to another RCPT":  {"MAIL", "250 Ok\r\n250 Ok\r\n250 Ok", "mail"},
		"a farewell out of the blue": {"MAIL", "421 4.3.2 shutting down", "mail"},
	}
	for name, test := range tests {
		l := listen(t, map[string]string{test.verb: test.reply})
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		parts, r := examine(ctx, newProber(t, nil, probe.Options{}), target(l.Addr().String(), upstream.ModeNone), account())
		cancel()
		if got := parts[test.part]; got.Status != probe.StatusFail || got.Text == "" || strings.ContainsAny(got.Text, "\r\n\x00\x1b") || len(got.Text) > 600 {
			t.Errorf("%s: %s is %q: %q", name, test.part, got.Status, got.Text)
		}
		if n := len(r.Dialogue); n > 5000 {
			t.Errorf("%s: %d entries", name, n)
		}
		if n := l.count("AUTH"); n > 1 {
			t.Errorf("%s: AUTH was said %d times", name, n)
		}
	}
}

// TestTLSFound goes on under TLS where a port that is not known for it waits
// for TLS, and says that the settings should; where they say otherwise, it ends
// there and tells the diagnosis why.
func TestTLSFound(t *testing.T) {
	t.Parallel()
	s := start(t, testenv.SmarthostOptions{Implicit: true})
	p := newProber(t, rootsOf(s.Roots()), probe.Options{})
	var lines []probe.Line
	r := p.Check(t.Context(), target(s.Addr(), upstream.ModeAuto), probe.Wanted{Steps: []string{"dialogue"}, Script: account()}, func(l probe.Line) { lines = append(lines, l) })
	warned := false
	for _, l := range lines {
		warned = warned || l.Step == "connect" && l.Status == probe.StatusWarn && strings.Contains(l.Text, "--upstream-tls implicit")
		if l.Status == probe.StatusFail {
			t.Errorf("%s is %q: %q", l.Step, l.Status, l.Text)
		}
	}
	if !warned || len(s.Messages()) != 1 || len(r.Answers) != 0 {
		t.Errorf("warned %t, %d messages, answers %+v", warned, len(s.Messages()), r.Answers)
	}
	parts, r := examine(t.Context(), p, target(s.Addr(), upstream.ModeSTARTTLS), account())
	if len(r.Answers) != 1 || r.Answers[0].Probe.Name != "speaks" || r.Answers[0].Probe.Cause != "tls.implicit-expected" {
		t.Errorf("answers %+v, want one of speaks", r.Answers)
	}
	if got := parts["greeting"]; got.Status != probe.StatusFail || note(r.Dialogue, session.OddTimeout) == nil {
		t.Errorf("greeting is %q: %q", got.Status, got.Text)
	}
}

// TestGreetingFound goes on with STARTTLS where a port that is known for TLS
// greets in clear.
func TestGreetingFound(t *testing.T) {
	s := start(t, testenv.SmarthostOptions{})
	p := newProber(t, rootsOf(s.Roots()), probe.Options{})
	entries, mode := p.OpenDialogue(t.Context(), target(s.Addr(), upstream.ModeAuto), account())
	if n := len(s.Messages()); n != 1 || mode != upstream.ModeSTARTTLS {
		t.Errorf("%d messages came, want 1; the mode is %q, want starttls", n, mode)
	}
	for _, e := range entries {
		if e.Kind == session.KindTLS && e.Fault != nil {
			t.Errorf("the first hello is recorded as a failure: %+v", *e.Fault)
		}
	}
}

// TestBrokenParts meets a dozen faults: each is told by the part that fails, in
// words that name it, and nothing behind it is told at all.
func TestBrokenParts(t *testing.T) {
	tests := []struct{ fault, part, says string }{
		{"connect.dns-no-such-host", "connect", "no such host"},
		{"connect.refused", "connect", "connection refused"},
		{"connect.closed", "greeting", "closed the connection before its greeting"},
		{"connect.closed/half-a-greeting", "greeting", "in the middle of a reply"},
		{"connect.rejected", "greeting", "554 No SMTP service here"},
		{"connect.rejected/at-ehlo", "ehlo", "554"},
		{"tls.not-offered", "starttls", "not on offer"},
		{"tls.starttls-refused", "starttls", "454 4.7.0"},
		{"tls.version-mismatch", "tls", "protocol version"},
		{"tls.handshake-reset", "tls", "reset in the handshake"},
		{"tls.plaintext-expected", "tls", "220 mail.example.com"},
		{"tls.certificate-expired", "certificate", "expired"},
		{"tls.certificate-name-mismatch", "certificate", "is not for"},
		{"auth.bad-credentials", "auth", "535 5.7.8"},
		{"upstream.storage-full", "mail", "452"},
		{"upstream.closed/reset", "mail", "reset the connection"},
		{"relay.denied", "rcpt", "Relay access denied"},
		{"message.spam", "delivery", "554"},
	}
	for _, test := range tests {
		f, err := testenv.StartFault(test.fault, testenv.FaultOptions{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		c, err := upstream.New(upstream.Options{Resolver: f.Resolver, Roots: rootsOf(f.Roots)})
		if err != nil {
			t.Fatal(err)
		}
		to, err := upstream.ParseTarget(f.Upstream, upstream.Mode(f.Relay.UpstreamTLS))
		if err != nil {
			t.Fatal(err)
		}
		script := account()
		script.User, script.Password = f.App.User, f.App.Password
		var last probe.Line
		probe.New(probe.Options{Connector: c}).Check(t.Context(), to, probe.Wanted{Steps: []string{"dialogue"}, Script: script}, func(l probe.Line) { last = l })
		if last.Step != test.part || last.Status != probe.StatusFail || !strings.Contains(last.Text, test.says) {
			t.Errorf("%s: ended with %s %q: %q, want %s to fail with %q", test.fault, last.Step, last.Status, last.Text, test.part, test.says)
		}
	}
}

// TestUnderTLS counts what comes under TLS: the sign-in, and nothing of it
// before.
func TestUnderTLS(t *testing.T) {
	ca := newCA(t)
	leaf, err := ca.Leaf(host)
	if err != nil {
		t.Fatal(err)
	}
	l := listen(t, map[string]string{"EHLO": "250-" + host + "\r\n250-STARTTLS\r\n250 AUTH PLAIN", "AUTH": "535 no"})
	l.tls = &tls.Config{Certificates: []tls.Certificate{leaf}}
	newProber(t, ca.Pool(), probe.Options{Name: "probe.example.com"}).Dialogue(t.Context(), target(l.Addr().String(), upstream.ModeAuto), account(), nil)
	var said []string
	for _, line := range l.heard() {
		said = append(said, strings.Fields(line)[0])
	}
	if got, want := strings.Join(said, " "), "EHLO STARTTLS EHLO AUTH QUIT"; got != want {
		t.Errorf("the smarthost heard %q, want %q", got, want)
	}
}
