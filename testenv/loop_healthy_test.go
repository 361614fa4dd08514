package testenv_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
)

// setting is one way to run relay and smarthost.
type setting struct {
	persona     string
	upstreamTLS string // a mode of the relay
	appTLS      testenv.AppTLS
}

func (s setting) String() string {
	return fmt.Sprintf("%s, upstream %s, app %s", s.persona, s.upstreamTLS, orPlain(s.appTLS))
}

func orPlain(a testenv.AppTLS) string {
	if a == testenv.AppPlain {
		return "plain"
	}
	return string(a)
}

func settings() (all []setting) {
	for _, persona := range testenv.Personas() {
		for _, mode := range []string{"none", "auto", "starttls", "implicit"} {
			for _, app := range []testenv.AppTLS{testenv.AppPlain, testenv.AppSTARTTLS, testenv.AppImplicit} {
				all = append(all, setting{persona, mode, app})
			}
		}
	}
	return all
}

// healthy is a session that has nothing wrong with it.
type healthy struct {
	name    string
	app     testenv.App
	outcome inspect.Outcome
}

// Whoever the smarthost is, however the legs are secured, and whatever the app
// may rightly do: nothing is found where nothing is wrong.
func TestHealthySessionsHaveNoFinding(t *testing.T) {
	t.Parallel()
	engine := newEngine(t)
	counts := make(chan int, len(settings()))
	byName := map[string]setting{}
	var names []string
	for _, s := range settings() {
		names = append(names, s.String())
		byName[s.String()] = s
	}
	eachAtOnce(t, names, func(t *testing.T, name string) {
		how := byName[name]
		counts <- runHealthy(t, engine, how, append(mails(t, how), dialogues(t, how, slices.Index(names, name))...))
	})
	close(counts)
	total := 0
	for n := range counts {
		total += n
	}
	if total < 200 {
		t.Errorf("got %d sessions, want 200 at least", total)
	}
}

// runHealthy runs sessions through one relay, and returns how many they were.
// The smarthost is slow to judge the first message: one slow reply is nothing
// to report.
func runHealthy(t *testing.T, engine *diagnose.Engine, how setting, cases []healthy) int {
	s := newSmarthost(t, testenv.SmarthostOptions{
		Persona: how.persona, Implicit: how.upstreamTLS == "implicit",
		Answers: map[session.Phase]testenv.Answer{session.PhaseDot: slowOnce("250 2.0.0 Ok: queued", 300*time.Millisecond)},
	})
	f := &testenv.Fault{Upstream: s.Addr(), Roots: s.Roots(), Sends: 1}
	f.Relay.UpstreamTLS = how.upstreamTLS
	f.Relay.AppTLS = map[testenv.AppTLS]string{testenv.AppSTARTTLS: "offer", testenv.AppImplicit: "implicit"}[how.appTLS]
	l := startLoop(t, f)
	for _, c := range cases {
		app := c.app
		app.Addr, app.TLS, app.Config, app.Patience = l.addr, how.appTLS, testenv.Trust(l.roots), 10*time.Second
		if _, err := app.Send(within(t)); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		l.await(10 * time.Second)
	}
	l.stop()
	if len(l.sessions) != len(cases) {
		t.Fatalf("got %d sessions, want %d", len(l.sessions), len(cases))
	}
	how.wantDirect(t, l, engine)
	for i, got := range l.sessions {
		if got.Outcome != cases[i].outcome {
			t.Errorf("%s: got outcome %s, want %s\n%s", cases[i].name, got.Outcome, cases[i].outcome, transcript(got))
		}
		for _, f := range engine.Annotate(got) {
			t.Errorf("%s: found %s (%s)\n%s", cases[i].name, f.Cause, f.Rule, transcript(got))
		}
	}
	return len(cases)
}

// wantDirect demands of the first session that its app would get through
// without the proxy, as far as its offer is known.
func (s setting) wantDirect(t *testing.T, l *loop, engine *diagnose.Engine) {
	t.Helper()
	first := l.sessions[0]
	l.inquire(t, engine, first)
	direct, known := first.Direct, s.appTLS != testenv.AppPlain && s.upstreamTLS != "none"
	switch {
	case known && (direct == nil || !direct.Tested || !direct.WouldConnect):
		t.Errorf("%s: got the prediction %+v, want that it would connect", s, direct)
	case s.appTLS == testenv.AppPlain && direct != nil && direct.Tested:
		t.Errorf("%s: got the prediction %+v of an app in clear", s, direct)
	}
}

// mails are sessions of ordinary programs: without a sign-in, and with each
// mechanism that the smarthost offers.
func mails(t *testing.T, how setting) []healthy {
	all := []healthy{
		{"mail", testenv.App{}, inspect.Delivered},
		{"several recipients", testenv.App{To: slices.Repeat([]string{"one@example.net"}, 20)}, inspect.Delivered},
		{"a bounce", testenv.App{From: ""}, inspect.Delivered},
		{"a large message", testenv.App{Message: []byte("Subject: large\r\n\r\n" + strings.Repeat("x.............................................................\r\n", 4000))}, inspect.Delivered},
	}
	for _, mechanism := range mechanismsOf(t, how) {
		all = append(all, healthy{"AUTH " + mechanism, testenv.App{User: "app@example.com", Password: "abcdefghijklmnop", Mechanism: mechanism}, inspect.Delivered})
	}
	return all
}

// mechanismsOf returns what the smarthost offers to the relay and an app
// knows.
func mechanismsOf(t *testing.T, how setting) (all []string) {
	p, err := testenv.LoadPersona(how.persona)
	if err != nil {
		t.Fatal(err)
	}
	keywords := p.EHLOTLS
	if how.upstreamTLS == "none" {
		keywords = p.EHLO
	}
	for _, k := range keywords {
		words := strings.Fields(k)
		for _, mechanism := range []string{"PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2", "OAUTHBEARER"} {
			if words[0] == "AUTH" && slices.Contains(words, mechanism) {
				all = append(all, mechanism)
			}
		}
	}
	return all
}

// slowOnce pauses before the first of many replies.
func slowOnce(reply string, pause time.Duration) testenv.Answer {
	a := testenv.Answer{Reply: reply, Times: 1}
	_ = a.Pause.UnmarshalText([]byte(pause.String()))
	return a
}

// A smarthost of the last century refuses EHLO and takes HELO.
func TestHELOAfterARefusedEHLOHasNoFinding(t *testing.T) {
	engine := newEngine(t)
	for _, mode := range []string{"none", "auto"} {
		s := newSmarthost(t, testenv.SmarthostOptions{NoTLS: true, Answers: map[session.Phase]testenv.Answer{
			session.PhaseHelo: {Reply: "502 5.5.1 Command not implemented", Times: 1},
		}})
		f := &testenv.Fault{Upstream: s.Addr(), Sends: 1}
		f.Relay.UpstreamTLS = mode
		f.App.Script = "<- 220*\n-> EHLO app.localhost\n<- 502*\n-> HELO app.localhost\n<- 250*\n" + envelope + message + bye
		got := startLoop(t, f).run(t, f)[0]
		if wantHealthy(t, engine, got); got.Outcome != inspect.Delivered {
			t.Errorf("%s: got outcome %s, want delivered\n%s", mode, got.Outcome, transcript(got))
		}
	}
}
