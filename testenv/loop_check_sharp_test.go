package testenv_test

import (
	"slices"
	"testing"

	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/testenv"
)

// A check asks at once what a failed session leaves open: it names the cause
// that such a session has when its questions are answered, in the same words.
func TestCheckNamesWhatAnAnswerSharpens(t *testing.T) {
	t.Parallel()
	engine := newEngine(t)
	var names []string
	all := map[string]sharpened{}
	for _, s := range sharpenedFaults() {
		if s.first == "connect.timeout" && !slices.Contains(allFaults(t), s.first) {
			continue // this system cannot play it
		}
		names, all[s.name] = append(names, s.name), s
	}
	eachAtOnce(t, names, func(t *testing.T, name string) {
		s := all[name]
		s.checkOf(t, engine)
	})
}

func (s *sharpened) checkOf(t *testing.T, engine *diagnose.Engine) {
	t.Helper()
	f := s.fault(t)
	elsewhere := newSmarthost(t, testenv.SmarthostOptions{})
	c := examine(t, f, exam{script: scriptOf(f), others: s.ports(t, elsewhere)})
	found := c.findings(t, engine)
	c.wantLadder(t, found)
	wantCause(t, loadRules(t), found, s.cause, c.Session)
	wantWords(t, found, s.words)
	if n := len(elsewhere.Messages()); n > 0 {
		t.Errorf("%d messages were delivered to another port, want none", n)
	}
}
