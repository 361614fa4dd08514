package diagnose_test

import (
	"strings"
	"testing"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/proxy/session"
)

// What other ports answer tells a blocked port from a host that is down, and
// from a service that listens elsewhere.
func TestAnswerOfPorts(t *testing.T) {
	dialled := func(class session.FaultClass, port string) *inspect.Session {
		return sessionOf(t, "smtp.example.com:"+port, dialFault(class, "192.0.2.10:"+port))
	}
	silent := func(port string) *inspect.Session { return dialled(session.FaultTimeout, port) }
	runAnswered(t, []answered{
		{"this port alone is silent", silent("587"), "ports",
			asked("ports", "fail", "connect.port-blocked", "25 timeout", "465 ok", "587 timeout", "443 ok"),
			"connect.port-blocked", inspect.Certain, "network", []string{"port 465 and 443 answer, 25 and 587 are silent"}, "--upstream smtps://smtp.example.com:465."},
		{"port 25 is blocked, and two are open", silent("25"), "ports",
			asked("ports", "fail", "connect.port-blocked", "25 timeout", "465 ok", "587 ok"),
			"connect.port-blocked", inspect.Certain, "network", []string{"465 and 587 answer"}, "Use port 587, which answers from here: --upstream smtp.example.com:587 (so does 465)."},
		{"another refuses", silent("587"), "ports",
			asked("ports", "fail", "", "465 refused", "587 timeout"),
			"connect.timeout", inspect.Certain, "network", []string{"The host is up: port 465 refuses, 587 is silent"}, "Allow outgoing TCP"},
		{"it refuses now", silent("587"), "ports",
			asked("ports", "fail", "", "465 ok", "587 refused"),
			"connect.timeout", inspect.Certain, "network", []string{"port 587 was refused: port 465 answers"}, "nc -vz"},
		{"no mail port, and the host is up", silent("587"), "ports",
			asked("ports", "ok", "", "465 timeout", "587 timeout", "443 ok"),
			"connect.timeout", inspect.Certain, "network", []string{"The host is up", "443 answers"}, "Allow outgoing TCP"},
		{"the whole host is silent", silent("587"), "ports",
			asked("ports", "fail", "", "25 timeout", "465 timeout", "587 timeout", "443 timeout"),
			"connect.timeout", inspect.Certain, "network", []string{"The whole host is silent from here", "25, 465, 587 and 443 are silent"}, "whether smtp.example.com is up at all"},
		{"it answers now", silent("587"), "ports",
			asked("ports", "ok", "", "465 timeout", "587 ok"),
			"connect.timeout", inspect.Certain, "network", []string{"port 587 answered"}, "nc -vz"},
		{"refused, and 465 is open", dialled(session.FaultRefused, "587"), "ports",
			asked("ports", "ok", "", "465 ok", "587 refused"),
			"connect.refused", inspect.Certain, "operator", []string{"listens elsewhere: port 465 answers, 587 refuses"}, "Use port 465"},
		{"refused everywhere", dialled(session.FaultRefused, "587"), "ports",
			asked("ports", "ok", "", "465 refused", "587 refused", "443 refused"),
			"connect.refused", inspect.Certain, "operator", []string{"Every port that was asked refuses"}, "Compare smtp.example.com:587"},
		{"refused, and the host is up", dialled(session.FaultRefused, "587"), "ports",
			asked("ports", "ok", "", "465 refused", "587 refused", "443 ok"),
			"connect.refused", inspect.Certain, "operator", []string{"No mail port of the host can be reached"}, "Compare smtp.example.com:587"},
		{"refused, and listening now", dialled(session.FaultRefused, "587"), "ports",
			asked("ports", "ok", "", "587 ok"),
			"connect.refused", inspect.Certain, "operator", []string{"is at its limit"}, "Send again"},
		{"reset by the way, 25 is open", dialled(session.FaultReset, "587"), "ports",
			asked("ports", "ok", "", "25 ok", "587 refused"),
			"connect.reset", inspect.Certain, "network", []string{"listens elsewhere"}, "mail between servers"},
	})
}

// The step to another port is one that can be copied, whatever the mode and the
// host.
func TestStepToAnotherPort(t *testing.T) {
	e := engine(t, diagnose.Options{})
	for _, test := range []struct{ upstream, mode, want string }{
		{"smtp.example.com:587", "passthrough", "--upstream smtp.example.com:465, and SSL/TLS (not STARTTLS) in the app."},
		{"[2001:db8::25]:587", "auto", "--upstream smtps://[2001:db8::25]:465."},
	} {
		s := newScriptMode(t, test.upstream, test.mode)
		s.add(dialFault(session.FaultTimeout, test.upstream))
		s.add(asked("ports", "fail", "connect.port-blocked", "587 timeout", "465 ok"))
		s.asm.Close(s.now)
		f := e.Annotate(s.asm.Session())
		if len(f) != 1 || !strings.HasSuffix(f[0].Fix[0], test.want) {
			t.Errorf("%s, %s: got %+v, want %q in the first step", test.upstream, test.mode, f, test.want)
		}
	}
}

// A remembered answer is not said to be newer than the failure.
func TestAnswerThatIsRemembered(t *testing.T) {
	e := engine(t, diagnose.Options{})
	for cached, want := range map[bool]string{false: "Asked once more, port 587", true: "Asked for another session, within a minute of this one, port 587"} {
		answer := asked("ports", "ok", "", "587 ok")
		answer.Seq, answer.Probe.Cached = 2, cached
		f := e.Annotate(sessionOf(t, "smtp.example.com:587", dialFault(session.FaultTimeout, "192.0.2.10:587"), answer))
		if len(f) != 1 || !strings.Contains(f[0].Explanation, want) {
			t.Errorf("cached %v: got %+v, want %q", cached, f, want)
		}
	}
}

// Other ports say nothing about a connection that stood, or never had an
// address to go to.
func TestPortsAreNotAsked(t *testing.T) {
	e := engine(t, diagnose.Options{})
	for name, s := range map[string]*inspect.Session{
		"reset before the greeting": play(t, "smtp.example.com:587", "open\nreset upstream\nend"),
		"closed":                    play(t, "smtp.example.com:587", "open\nclose upstream\nend"),
		"no route":                  sessionOf(t, "smtp.example.com:587", dialFault(session.FaultUnreachable, "192.0.2.10:587")),
		"refused at the door":       play(t, "smtp.example.com:587", "open\nU: 554 5.7.1 go away\nend"),
		"healthy":                   play(t, "smtp.example.com:587", wellDone),
	} {
		s.Findings = e.Annotate(s)
		if got := askedFor(e.Questions(s)); got != "" {
			t.Errorf("%s, %q: asked %q, want nothing", name, causes(s.Findings), got)
		}
	}
}

// In a check the ports are asked beside the session. That one of them takes
// connections says nothing new of a connection that stood.
func TestPortsOfAConnectionThatStood(t *testing.T) {
	e := engine(t, diagnose.Options{})
	s := play(t, "smtp.example.com:587", "open\nreset upstream\nend")
	answer := asked("ports", "ok", "", "465 ok", "587 ok")
	answer.Seq = len(s.Events) + 1
	s.Answer(&answer)
	f := e.Annotate(s)
	if len(f) != 1 || f[0].Cause != "connect.reset" || strings.Contains(f[0].Explanation, "once more") || strings.Contains(f[0].Fix[0], "Send again") {
		t.Errorf("got %+v, want connect.reset and nothing of the ports", f)
	}
}
