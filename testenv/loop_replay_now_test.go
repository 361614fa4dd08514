package testenv_test

import (
	"slices"
	"strings"
	"testing"

	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream/replay"
)

// other is a session whose smarthost has changed by the time it is repeated.
type other struct {
	name      string
	app       testenv.App
	then, now testenv.SmarthostOptions
	auth      *replay.Credentials
	change    func(t *testing.T, f *testenv.Fault) // before it is repeated

	differs []string // the commands with another reply, when it is delivered
	phase   session.Phase
	notSent []string // the same
}

func nowSays(phase session.Phase, reply string) testenv.SmarthostOptions {
	return answering(phase, testenv.Answer{Reply: reply})
}

func others() []other {
	mailed := "MAIL FROM:<app@example.com>"
	given := "RCPT TO:<user@example.net>"
	twice := testenv.App{Script: "<- 220*\n" + hello + envelope + message + "-> MAIL FROM:<two@example.com>\n<- *\n" + "-> RCPT TO:<user@example.net>\n<- *\n" + message + bye}
	signed := testenv.App{User: "app", Password: "abcdefghijklmnop"}
	account := func(password string) testenv.SmarthostOptions {
		return testenv.SmarthostOptions{User: "app", Password: password}
	}
	return []other{
		{name: "451 is gone", then: nowSays(session.PhaseRcpt, "451 4.7.1 Greylisted, come back later"), differs: []string{given}},
		{name: "421 is gone", then: nowSays(session.PhaseMail, "421 4.7.0 later"), differs: []string{mailed}},
		{name: "DATA is taken now", then: nowSays(session.PhaseData, "451 4.3.0 later"), differs: []string{"DATA"},
			notSent: []string{"QUIT: DATA was accepted now, and the record holds no message for it"}},
		{name: "message is taken now", then: nowSays(session.PhaseDot, "554 5.7.1 spam"), differs: []string{"."}},
		{name: "MAIL is refused now", now: nowSays(session.PhaseMail, "550 5.7.1 not you"), differs: []string{mailed}, phase: session.PhaseMail,
			notSent: []string{given + ": its MAIL was refused", "DATA: its MAIL was refused", "the message: its MAIL was refused"}},
		{name: "RCPT is refused now", now: nowSays(session.PhaseRcpt, "550 5.1.1 unknown"), differs: []string{given}, phase: session.PhaseRcpt,
			notSent: []string{"DATA: no recipient was accepted", "the message: no recipient was accepted"}},
		{name: "DATA is refused now", now: nowSays(session.PhaseData, "550 5.7.1 not you"), differs: []string{"DATA"}, phase: session.PhaseData,
			notSent: []string{"the message: its DATA was refused"}},
		{name: "the message is refused now", now: nowSays(session.PhaseDot, "550 5.7.1 spam"), differs: []string{"."}, phase: session.PhaseDot},
		{name: "the first of two is refused now", app: twice, now: answering(session.PhaseRcpt, testenv.Answer{Reply: "452 4.2.2 full", Times: 1}), differs: []string{given},
			notSent: []string{"DATA: no recipient was accepted", "the message: no recipient was accepted"}},
		{name: "closed now", now: answering(session.PhaseRcpt, testenv.Answer{Then: testenv.EndClose}), differs: []string{given}, phase: session.PhaseRcpt,
			notSent: []string{"DATA: the session was ended with 421", "the message: the session was ended with 421", "QUIT: the session was ended with 421"}},
		{name: "nobody there now", change: nobodyThere, differs: []string{""}, phase: session.PhaseConnect},
		{name: "another certificate now", change: untrusted, differs: []string{"EHLO app.localhost"}, phase: session.PhaseTLS},
		{name: "another password now", app: signed, now: account("another"), auth: right(), differs: []string{"AUTH PLAIN"}, phase: session.PhaseAuth},
		{name: "another keyword now", app: signed, now: testenv.SmarthostOptions{EHLO: []string{"PIPELINING", "AUTH PLAIN"}}, auth: right(), differs: []string{"EHLO app.localhost"}},
	}
}

func TestWhatIsOtherNowIsNamed(t *testing.T) {
	t.Parallel()
	byName := map[string]other{}
	var names []string
	for _, o := range others() {
		names = append(names, o.name)
		byName[o.name] = o
	}
	eachAtOnce(t, names, func(t *testing.T, name string) { byName[name].check(t) })
}

func (o other) check(t *testing.T) {
	then := newSmarthost(t, o.then)
	f := &testenv.Fault{Upstream: then.Addr(), Roots: then.Roots()}
	c := rerunCase{name: o.name, app: o.app}
	s := c.record(t, f)
	now := newSmarthost(t, o.now)
	f = &testenv.Fault{Upstream: now.Addr(), Roots: now.Roots()}
	if o.change != nil {
		o.change(t, f)
	}
	got := startRerun(t, f).play(t, s.recording(), replay.Options{Deliver: true, Auth: o.auth})
	var differs []string
	for _, step := range got.Steps {
		if !step.Same {
			differs = append(differs, step.Command)
		}
	}
	if !slices.Equal(differs, o.differs) {
		t.Errorf("got a difference at %q, want %q:\n%s", differs, o.differs, told(got, s))
	}
	if phase, short := got.Short(); short != (o.phase != "") || short && phase != o.phase {
		t.Errorf("short %v in phase %s, want %q:\n%s", short, phase, o.phase, told(got, s))
	}
	if o.notSent != nil && !slices.Equal(got.NotSent, o.notSent) {
		t.Errorf("not sent %q, want %q:\n%s", got.NotSent, o.notSent, told(got, s))
	}
	if len(now.Messages()) != got.Delivered {
		t.Errorf("says that %d messages were delivered, and the smarthost has %d", got.Delivered, len(now.Messages()))
	}
	for _, step := range got.Steps {
		if strings.Contains(step.Command+step.Now, "abcdefghijklmnop") {
			t.Errorf("a secret in %+v", step)
		}
	}
}
