package testenv_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/anonymize"
	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/testenv"
)

// What a session shows it shows with stand-ins, too: the same causes by the
// same rules, each at the same lines.
func TestAnonymizedFaultsAreFound(t *testing.T) {
	t.Parallel()
	set, engine := loadRules(t), newEngine(t)
	names, all := showings(t)
	names = slices.DeleteFunc(names, func(name string) bool { return slow(name) > 0 })
	eachAtOnce(t, names, func(t *testing.T, name string) {
		f, err := testenv.StartFault(all[name].id, testenv.FaultOptions{Persona: all[name].persona})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		a := anonymize.New()
		for _, p := range set.Providers() {
			a.Keep(p.Hosts...)
		}
		for _, s := range startLoop(t, f).run(t, f) {
			wantAlike(t, engine, s, a)
		}
	})
}

func wantAlike(t *testing.T, engine *diagnose.Engine, s *inspect.Session, a *anonymize.Anonymizer) {
	t.Helper()
	s.Findings = engine.Annotate(s)
	hidden := a.Session(s)
	if got, want := proofs(engine.Annotate(hidden)), proofs(s.Findings); got != want {
		t.Errorf("with stand-ins found\n%swant\n%sin\n%sof\n%s", got, want, transcript(hidden), transcript(s))
	}
	text, err := json.Marshal(hidden)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range s.Messages {
		if at := strings.LastIndexByte(m.From, '@'); at > 0 && strings.Contains(string(text), m.From) {
			t.Errorf("%s is still there in\n%s", m.From, text)
		}
	}
}

func proofs(all []inspect.Finding) string {
	var b strings.Builder
	for _, f := range all {
		fmt.Fprintf(&b, "%s %s %s %s %d", f.Cause, f.Certainty, f.Rule, f.Retry.Advice, len(f.Fix))
		for _, e := range f.Evidence {
			fmt.Fprintf(&b, " %d", e.Event)
		}
		b.WriteString("\n")
	}
	return b.String()
}
