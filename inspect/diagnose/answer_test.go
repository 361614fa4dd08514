package diagnose_test

import (
	"strings"
	"testing"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/proxy/session"
)

// asked is the answer of a probe; each part is "what result" or "what result
// text".
func asked(name, result, cause string, parts ...string) session.Entry {
	e := probed(name, result, nil)
	e.Probe.Cause = cause
	for _, part := range parts {
		what, rest, _ := strings.Cut(part, " ")
		word, text, _ := strings.Cut(rest, " ")
		e.Probe.Found = append(e.Probe.Found, session.Found{What: what, Result: word, Text: text})
	}
	return e
}

// answered is one session and what an answer makes of it.
type answered struct {
	name     string
	session  *inspect.Session
	question string // as first diagnosed, this is asked; empty for nothing
	answer   session.Entry
	cause    string
	certain  inspect.Certainty
	side     string   // empty for the catalogue's
	words    []string // in the explanation
	fix      string   // in the first step
}

// run demands the question, the answer's place in the evidence, and what it
// makes of the finding.
func (a *answered) run(t *testing.T) {
	t.Helper()
	e := engine(t, diagnose.Options{})
	s := a.session
	s.Findings = e.Annotate(s)
	if got := askedFor(e.Questions(s)); got != a.question {
		t.Fatalf("of %s asked %q, want %q", causes(s.Findings), got, a.question)
	}
	a.answer.Seq = len(s.Events) + 1
	s.Answer(&a.answer)
	if got := askedFor(e.Questions(s)); got != "" {
		t.Errorf("asked once more: %q", got)
	}
	s.Findings = e.Annotate(s)
	a.wants(t, s.Findings)
}

func (a *answered) wants(t *testing.T, findings []inspect.Finding) {
	t.Helper()
	if len(findings) == 0 || findings[0].Cause != a.cause || findings[0].Certainty != a.certain {
		t.Fatalf("got %+v, want %s, %s", findings, a.cause, a.certain)
	}
	f := findings[0]
	for _, w := range a.words {
		if !strings.Contains(f.Explanation, w) {
			t.Errorf("explanation %q: want %q in it", f.Explanation, w)
		}
	}
	if len(f.Fix) == 0 || !strings.Contains(f.Fix[0], a.fix) || strings.Contains(strings.Join(f.Fix, ""), "{") {
		t.Errorf("fix %q: want %q in the first step, and no placeholder", f.Fix, a.fix)
	}
	if a.side != "" && f.Side != a.side {
		t.Errorf("got side %s, want %s", f.Side, a.side)
	}
	for _, x := range f.Evidence {
		if x.Event == a.answer.Seq {
			return
		}
	}
	t.Errorf("evidence %+v: want the answer, event %d, in it", f.Evidence, a.answer.Seq)
}

func askedFor(list []diagnose.Question) string {
	var names []string
	for _, q := range list {
		names = append(names, q.Probe)
	}
	return strings.Join(names, " ")
}

func runAnswered(t *testing.T, tests []answered) {
	t.Helper()
	for i := range tests {
		t.Run(tests[i].name, tests[i].run)
	}
}

// The answer of a probe that no file here knows counts for the cause that it
// points to, and for no other.
func TestAnswerOfAnyProbe(t *testing.T) {
	e := engine(t, diagnose.Options{})
	for cause, want := range map[string]bool{"connect.timeout": true, "connect.reset": false} {
		answer := asked("path-mtu", "fail", cause)
		answer.Seq, answer.Text = 2, "packets of 1500 octets do not come back"
		s := sessionOf(t, "smtp.example.com:587", dialFault(session.FaultTimeout, "192.0.2.10:587"), answer)
		f := e.Annotate(s)
		if len(f) != 1 || f[0].Cause != "connect.timeout" || strings.Contains(f[0].Explanation, "1500 octets") != want || len(f[0].Evidence) == 2 != want {
			t.Errorf("an answer that points to %s: got %+v, want it in the finding: %v", cause, f, want)
		}
	}
}
