package testenv_test

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

// exam is what is asked of a smarthost.
type exam struct {
	script probe.Script
	others []int         // in place of the other ports of a host, which no test may open
	within time.Duration // the wait for whatever never comes; 0 for 5 s
}

// checked is a check of one smarthost, and the session that it amounts to.
type checked struct {
	*inspect.Session
	report probe.Report
	prober *probe.Prober
	target upstream.Target
	until  time.Time // its time is over
}

// examine checks a smarthost as the command does, with a prober of its own.
func examine(t *testing.T, f *testenv.Fault, x exam) *checked {
	t.Helper()
	limit := cmp.Or(x.within, 5*time.Second)
	mode, err := upstream.ParseMode(f.Relay.UpstreamTLS)
	if err != nil {
		t.Fatal(err)
	}
	target, err := upstream.ParseTarget(f.Upstream, mode)
	if err != nil {
		t.Fatal(err)
	}
	p := probe.New(probe.Options{
		Connector: loopConnector(t, f), AtOnce: 16, PerMinute: 1000, Timeout: limit,
		OtherPorts: append([]int{}, x.others...),
	})
	info := session.Info{ID: "check", Started: time.Now(), Upstream: target.Name, Mode: string(target.Mode), AppTLS: "none"}
	c := &checked{prober: p, target: target, until: info.Started.Add(limit)}
	ctx, cancel := context.WithDeadline(t.Context(), c.until)
	defer cancel()
	c.report = p.Check(ctx, target, probe.Wanted{Blocklists: true, Script: x.script}, func(probe.Line) {})
	c.Session = inspect.Examined(&info, c.report.Dialogue, c.report.Answers, time.Now())
	return c
}

// findings asks the engine, and then what it wants to know beyond the steps, as
// the command does.
func (c *checked) findings(t *testing.T, e *diagnose.Engine) []inspect.Finding {
	t.Helper()
	c.Upstream.Provider = e.Provider(c.Session)
	c.Findings = e.Annotate(c.Session)
	ctx, cancel := context.WithDeadline(t.Context(), c.until)
	defer cancel()
	for _, q := range e.Questions(c.Session) {
		if q.Probe == "speaks" {
			continue // the dialogue has found that out
		}
		answer := c.prober.Ask(ctx, c.target, probe.Question(q).About(c.Events))
		answer.Seq = len(c.Events) + 1
		c.Answer(&answer)
	}
	return e.Annotate(c.Session)
}

// ladder is what a person sees of a check.
func (c *checked) ladder() string {
	var b strings.Builder
	for _, l := range c.report.Lines {
		fmt.Fprintf(&b, "%-12s %-5s %s (%s)\n", l.Step, l.Status, l.Text, l.Took.Round(time.Millisecond))
	}
	return b.String()
}

// failed returns the first part of the dialogue that failed.
func (c *checked) failed() (step string) {
	for _, l := range c.report.Lines {
		if l.Status == probe.StatusFail && slices.Contains(dialogueSteps(), l.Step) {
			return l.Step
		}
	}
	return ""
}

func dialogueSteps() []string {
	return []string{"connect", "greeting", "ehlo", "starttls", "tls", "certificate", "auth", "mail", "rcpt", "delivery"}
}

// scriptOf says what the fault's app says.
func scriptOf(f *testenv.Fault) probe.Script {
	s := probe.Script{
		Name: cmp.Or(f.App.Helo, "app.localhost"), User: f.App.User, Mechanism: f.App.Mechanism,
		From: cmp.Or(f.App.From, "app@example.com"), To: "user@example.net",
	}
	if len(f.App.To) > 0 {
		s.To = f.App.To[0]
	}
	s.Password = f.App.Password
	if f.App.Mechanism == "XOAUTH2" || f.App.Mechanism == "OAUTHBEARER" {
		s.Password, s.Token = "", f.App.Password
	}
	return s
}

// shownToApps returns the faults that a check cannot meet, and why.
func shownToApps() map[string]string {
	all := map[string]string{
		"protocol.parameter-unsupported": "a check sends MAIL without parameters",
		"recipient.too-many":             "a check names one recipient",
	}
	for reason, names := range map[string]string{
		"only an app can make it": "protocol.bad-sequence protocol.syntax-error protocol.command-unsupported " +
			"protocol.line-too-long protocol.pipelining-violation protocol.starttls-injection protocol.smuggling " +
			"protocol.not-smtp auth.malformed-exchange app.disconnected app.timeout",
		"its message is what it is about, and a check's is in order": "message.bare-newline",
		"it is about the app's TLS, and a check has no such leg": "tls.implicit-expected/app tls.plaintext-expected/app " +
			"tls.app-rejected-certificate tls.app-version-mismatch tls.handshake-timeout/app tls.handshake-timeout/app-in-flight " +
			"tls.handshake-reset/app tls.handshake-corrupt/app tls.handshake-corrupt/app-in-clear " +
			"tls.app-rejected-certificate/left tls.app-rejected-certificate/reset tls.required/app",
	} {
		for _, name := range strings.Fields(names) {
			all[name] = reason
		}
	}
	return all
}

// wantsMessage tells the faults that show only when a message is sent.
func wantsMessage(t *testing.T) map[string]bool {
	t.Helper()
	scenes, err := testenv.Scenes()
	if err != nil {
		t.Fatal(err)
	}
	late := map[string]bool{}
	for _, s := range scenes {
		if s.Phase == session.PhaseData || s.Phase == session.PhaseDot {
			late[s.Persona+"/"+s.ID] = true
		}
	}
	return late
}

// Whatever a smarthost, a network or a resolver can show to an app, it shows to
// a check: the first finding is that of the relayed session. What is known only
// from a message takes one that is delivered.
func TestCheckNamesTheCauseOfEveryFault(t *testing.T) {
	t.Parallel()
	set, engine, late := loadRules(t), newEngine(t), wantsMessage(t)
	names, all := showings(t)
	excused := shownToApps()
	names = slices.DeleteFunc(names, func(name string) bool { return excused[all[name].id] != "" })
	for id := range excused {
		if !slices.Contains(allFaults(t), id) {
			t.Errorf("%s is excused, and there is no such fault", id)
		}
	}
	eachAtOnce(t, names, func(t *testing.T, name string) {
		f, err := testenv.StartFault(all[name].id, testenv.FaultOptions{Persona: all[name].persona})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		script := scriptOf(f)
		script.Deliver = late[name]
		var c *checked
		for n := range f.Sends {
			c = examine(t, f, exam{script: script})
			if n < f.Sends-1 {
				c.wantNothing(t, engine)
			}
		}
		found := c.findings(t, engine)
		c.wantLadder(t, found)
		c.wantNoSecret(t, script)
		wantCause(t, set, found, f.Cause, c.Session)
		if n := mailsOf(f); n > 0 {
			t.Errorf("%d messages were delivered, want none", n)
		}
	})
}

func mailsOf(f *testenv.Fault) int {
	if f.Smarthost == nil {
		return 0
	}
	return len(f.Smarthost.Messages())
}

// wantLadder demands that the part of the dialogue which failed first is the
// one that the first finding is about.
func (c *checked) wantLadder(t *testing.T, found []inspect.Finding) {
	t.Helper()
	if len(found) == 0 {
		return
	}
	for _, proof := range found[0].Evidence {
		if proof.Event == 0 || proof.Event > len(c.report.Dialogue) {
			continue
		}
		at, step := c.report.Dialogue[proof.Event-1].Phase, c.failed()
		missing := at == session.PhaseHelo && step == "starttls" // what the reply to EHLO does not offer
		if phaseOfStep(step) != at && !missing {
			t.Errorf("%q failed first, and %s is about %s in\n%s", step, found[0].Cause, at, c.ladder())
		}
		return
	}
	t.Errorf("%s points at nothing in the dialogue: %+v\n%s", found[0].Cause, found[0].Evidence, c.ladder())
}

func phaseOfStep(step string) session.Phase {
	return map[string]session.Phase{
		"connect": session.PhaseConnect, "greeting": session.PhaseGreeting, "ehlo": session.PhaseHelo,
		"starttls": session.PhaseTLS, "tls": session.PhaseTLS, "certificate": session.PhaseTLS,
		"auth": session.PhaseAuth, "mail": session.PhaseMail, "rcpt": session.PhaseRcpt, "delivery": session.PhaseDot,
	}[step]
}

// wantNoSecret looks for the secret in all that a check hands on.
func (c *checked) wantNoSecret(t *testing.T, s probe.Script) {
	t.Helper()
	if s.User == "" {
		return
	}
	secret := s.Password + s.Token
	record, err := json.Marshal(c.Session.Events)
	if err != nil {
		t.Fatal(err)
	}
	all := string(record) + c.ladder()
	for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret)), base64.StdEncoding.EncodeToString([]byte("\x00" + s.User + "\x00" + secret))} {
		if strings.Contains(all, form) {
			t.Errorf("the secret is in the record or the ladder as %q:\n%s", form, all)
		}
	}
}

// wantNothing demands a check without findings, whose ladder has no failure.
func (c *checked) wantNothing(t *testing.T, engine *diagnose.Engine) {
	t.Helper()
	for _, f := range c.findings(t, engine) {
		t.Errorf("found %s (%s) at a healthy smarthost\n%s%s", f.Cause, f.Rule, c.ladder(), transcript(c.Session))
	}
	for _, l := range c.report.Lines {
		if l.Status == probe.StatusFail {
			t.Errorf("%s fails at a healthy smarthost\n%s", l.Step, c.ladder())
		}
	}
}
