package testenv_test

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/inspect/rules"
	"smtp-proxy/policy"
	"smtp-proxy/testenv"
)

func loadRules(t *testing.T) *rules.Set {
	t.Helper()
	set, err := rules.Load()
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func newEngine(t *testing.T) *diagnose.Engine {
	t.Helper()
	return diagnose.New(loadRules(t), diagnose.Options{
		Built:  time.Now().Add(-time.Hour),
		Failed: func(err error) { t.Error(err) },
	})
}

// atOnce is how many faults are under way together: most of their time they
// wait for each other.
const atOnce = 24

// eachAtOnce runs a subtest for each name, so many at a time.
func eachAtOnce(t *testing.T, names []string, run func(t *testing.T, name string)) {
	t.Helper()
	slots := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for _, name := range names {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			t.Run(name, func(t *testing.T) { run(t, name) })
		})
	}
	all.Wait()
}

// showing is one fault in the words of one persona; without one, it is not
// about words.
type showing struct{ persona, id string }

// showings returns everything that can be shown, by name; what takes longest
// comes first.
func showings(t *testing.T) (names []string, all map[string]showing) {
	t.Helper()
	all = map[string]showing{}
	scenes, err := testenv.Scenes()
	if err != nil {
		t.Fatal(err)
	}
	inWords := map[string]bool{}
	for _, s := range scenes {
		all[s.Persona+"/"+s.ID] = showing{s.Persona, s.ID}
		inWords[s.ID] = true
	}
	for _, id := range allFaults(t) {
		if !inWords[id] {
			all["any/"+id] = showing{id: id}
		}
	}
	names = slices.Sorted(maps.Keys(all))
	slices.SortStableFunc(names, func(a, b string) int { return slow(b) - slow(a) })
	return names, all
}

// slow tells which faults are known by ten seconds of silence.
func slow(name string) int {
	for _, id := range []string{"connect.no-greeting", "tls.implicit-expected", "upstream.timeout"} {
		if strings.HasSuffix(name, "/"+id) {
			return 1
		}
	}
	return 0
}

// Whatever a smarthost, a network or an app can show, the relay's record of it
// is read as what it was: the first finding has the cause, its side and its
// advice. The sessions before it are healthy.
func TestEveryFaultIsFound(t *testing.T) {
	t.Parallel()
	set, engine := loadRules(t), newEngine(t)
	names, all := showings(t)
	eachAtOnce(t, names, func(t *testing.T, name string) {
		f, err := testenv.StartFault(all[name].id, testenv.FaultOptions{Persona: all[name].persona})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		sessions := startLoop(t, f).run(t, f)
		if len(sessions) != f.Sends {
			t.Fatalf("got %d sessions, want %d", len(sessions), f.Sends)
		}
		for _, s := range sessions[:f.Sends-1] {
			wantHealthy(t, engine, s)
		}
		wantCause(t, set, engine.Annotate(sessions[f.Sends-1]), f.Cause, sessions[f.Sends-1])
	})
}

func wantHealthy(t *testing.T, engine *diagnose.Engine, s *inspect.Session) {
	t.Helper()
	for _, f := range engine.Annotate(s) {
		t.Errorf("found %s (%s) in a healthy session\n%s", f.Cause, f.Rule, transcript(s))
	}
}

// wantCause demands cause, side and advice of the first finding.
func wantCause(t *testing.T, set *rules.Set, findings []inspect.Finding, cause string, s *inspect.Session) {
	t.Helper()
	wantCauseOf(t, set, findings, cause, "", s)
}

// wantCauseOf demands the same where the facts of the session may name another
// side than the catalogue; an empty one is the catalogue's.
func wantCauseOf(t *testing.T, set *rules.Set, findings []inspect.Finding, cause, side string, s *inspect.Session) {
	t.Helper()
	if len(findings) == 0 {
		t.Fatalf("found nothing, want %s in\n%s", cause, transcript(s))
	}
	got := findings[0]
	if got.Cause != cause {
		t.Fatalf("found %s (%s), want %s in\n%s", got.Cause, got.Rule, cause, transcript(s))
	}
	known, _ := set.Cause(cause)
	side = cmp.Or(side, known.Side)
	if want := advice(known, codeOf(got, s)); got.Side != side || got.Retry.Advice != want {
		t.Errorf("%s: found side %s and advice %s, want %s and %s in\n%s", cause, got.Side, got.Retry.Advice, side, want, transcript(s))
	}
	if len(got.Evidence) == 0 || got.Title == "" || got.Explanation == "" || len(got.Fix) == 0 || got.Retry.Text == "" {
		t.Errorf("%s: incomplete: %+v", cause, got)
	}
	words := got.Title + got.Explanation + strings.Join(got.Fix, "")
	if placeholder.MatchString(words) {
		t.Errorf("%s: placeholders are left: %+v", cause, got)
	}
}

// advice is what the catalogue says of sending again, "by code" resolved.
func advice(c rules.Cause, code int) string {
	switch {
	case c.Retry() != "by code":
		return c.Retry()
	case code/100 != 5:
		return policy.RetryLater
	case c.Class == policy.ClassByCodeRecipient:
		return policy.RetryNever
	}
	return policy.RetryAfterFix
}

// codeOf returns the code of the reply that a finding points at first.
func codeOf(f inspect.Finding, s *inspect.Session) int {
	for _, e := range s.Events {
		if len(f.Evidence) > 0 && e.Seq == f.Evidence[0].Event {
			return e.Code
		}
	}
	return 0
}
