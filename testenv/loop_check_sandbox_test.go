package testenv_test

import (
	"testing"

	"smtp-proxy/testenv"
)

// What an address provokes at the sandbox is found by a check with that address
// as it is by a relayed session.
func TestCheckNamesWhatAnAddressProvokes(t *testing.T) {
	t.Parallel()
	set, engine := loadRules(t), newEngine(t)
	all := map[string]testenv.App{
		"a refused user":  {User: "535_5.7.8@example.com", Password: "secret-password"},
		"a user too many": {User: "454_4.7.0@example.com", Password: "secret-password"},
	}
	for _, p := range testenv.Provocations() {
		app := testenv.App{To: []string{p.Example}}
		if p.Phase == "mail" {
			app = testenv.App{From: p.Example}
		}
		all[p.Pattern+" as "+p.Example] = app
	}
	var names []string
	for name := range all {
		names = append(names, name)
	}
	eachAtOnce(t, names, func(t *testing.T, name string) {
		f, _ := boxed(testenv.SandboxOptions{})(t)
		f.App = all[name]
		relayed := startLoop(t, f).run(t, f)[0]
		want := engine.Annotate(relayed)
		if len(want) == 0 {
			t.Fatalf("found nothing in the relayed session\n%s", transcript(relayed))
		}
		f, mails := boxed(testenv.SandboxOptions{})(t) // another one, that has not seen the address
		f.App = all[name]
		script := scriptOf(f)
		script.Deliver = true
		c := examine(t, f, exam{script: script})
		found := c.findings(t, engine)
		c.wantLadder(t, found)
		wantCauseOf(t, set, found, want[0].Cause, want[0].Side, c.Session)
		if n := mails(); n > 0 {
			t.Errorf("%d messages were delivered, want none", n)
		}
	})
}
