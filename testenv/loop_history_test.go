package testenv_test

import (
	"crypto/tls"
	"strings"
	"sync/atomic"
	"testing"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
)

// send lets the fault's app run n sessions, one after the other.
func (l *loop) send(t *testing.T, f *testenv.Fault, n int) {
	t.Helper()
	app := f.App
	app.Addr = l.addr
	ctx := within(t)
	for range n {
		if _, err := app.Send(ctx); err != nil {
			t.Logf("the app's end of the session: %v", err)
		}
		select {
		case <-l.ended:
		case <-ctx.Done():
			t.Fatal("a session did not end")
		}
	}
}

// diagnose ends the relay, has its sessions diagnosed in order by an engine
// that remembers them, and returns the findings of the last.
func (l *loop) diagnose(t *testing.T, healthy int) []inspect.Finding {
	t.Helper()
	l.stop()
	e := newEngine(t)
	var findings []inspect.Finding
	for i, s := range l.sessions {
		findings = e.Annotate(s)
		s.Judge(findings)
		e.Remember(s, findings)
		if i < healthy && len(findings) > 0 {
			t.Fatalf("session %d: found %q, want nothing in\n%s", i, findings[0].Cause, transcript(s))
		}
	}
	if len(findings) == 0 {
		t.Fatalf("found nothing in the last of %d sessions\n%s", len(l.sessions), transcript(l.sessions[len(l.sessions)-1]))
	}
	return findings
}

func wantFirst(t *testing.T, findings []inspect.Finding, cause string, says ...string) {
	t.Helper()
	f := findings[0]
	if f.Cause != cause {
		t.Fatalf("found %q, want %q", f.Cause, cause)
	}
	for _, want := range says {
		if !strings.Contains(f.Explanation, want) {
			t.Errorf("%s: got explanation %q, want %q in it", cause, f.Explanation, want)
		}
	}
}

// A certificate that was renewed for another name is named with the old one.
func TestRenewedCertificateIsNoticed(t *testing.T) {
	ca, err := testenv.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	var shown atomic.Pointer[tls.Certificate]
	show := func(name string) {
		leaf, err := ca.Leaf(name)
		if err != nil {
			t.Fatal(err)
		}
		shown.Store(&leaf)
	}
	show("127.0.0.1")
	s := newSmarthost(t, testenv.SmarthostOptions{TLS: &tls.Config{
		SessionTicketsDisabled: true, // a resumed session shows no certificate
		GetCertificate:         func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return shown.Load(), nil },
	}})
	f := &testenv.Fault{Upstream: s.Addr(), Roots: ca.PEM(), App: testenv.App{User: "u", Password: "p"}}
	l := startLoop(t, f)
	l.send(t, f, 2)
	show("mail.other.example")
	l.send(t, f, 1)
	wantFirst(t, l.diagnose(t, 2), "tls.certificate-name-mismatch",
		"New since the last session that worked", "the upstream's certificate is another one: for mail.other.example instead of 127.0.0.1")
}

// An EHLO reply that has lost AUTH explains the sign-in that fails.
func TestAuthThatIsGoneIsNoticed(t *testing.T) {
	const good = 2
	s := newSmarthost(t, testenv.SmarthostOptions{NoTLS: true, Answers: map[session.Phase]testenv.Answer{
		session.PhaseHelo: {Reply: "250-mail.example.com\n250-PIPELINING\n250 8BITMIME", After: good},
		session.PhaseAuth: {Reply: "502 5.5.1 Error: command not implemented", After: good},
	}})
	f := &testenv.Fault{Upstream: s.Addr(), App: testenv.App{User: "u", Password: "p"}}
	l := startLoop(t, f)
	l.send(t, f, good+1)
	wantFirst(t, l.diagnose(t, good), "auth.mechanism-unsupported", "New since the last session that worked", "EHLO reply lists no AUTH any more, before: AUTH")
}

// A smarthost that takes three messages, refuses two, and takes three again
// shows its limit; when it refuses by closing the door, the advice is the time
// after which it opened the last time.
func TestRateLimitIsMeasured(t *testing.T) {
	s := newSmarthost(t, testenv.SmarthostOptions{NoTLS: true, Answers: map[session.Phase]testenv.Answer{
		session.PhaseMail:     {Reply: "450 4.7.1 Error: too much mail from {peer}", After: 3, Times: 2},
		session.PhaseGreeting: {Reply: "421 4.7.0 {host} Error: too many connections from {peer}", Then: testenv.EndClose, After: 8},
	}})
	f := &testenv.Fault{Upstream: s.Addr(), App: testenv.App{User: "u", Password: "p"}}
	l := startLoop(t, f)
	l.send(t, f, 9)
	findings := l.diagnose(t, 3)
	wantFirst(t, findings, "rate.connections", "3 sessions went well within", "with 1 session open at once; the next good one began")
	first := findings[0]
	if r := first.Retry; r.Advice != "later" || r.AfterS != 1 || !strings.Contains(r.Text, "it took mail again when it last refused so") {
		t.Errorf("got retry %+v, want the second after which it took mail again", r)
	}
	if r := first.Recurrence; r == nil || r.Seen != 1 || r.Of != 9 {
		t.Errorf("got recurrence %+v, want 1 of 9", r)
	}
}
