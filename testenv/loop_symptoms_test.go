package testenv_test

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/inspect/rules"
	"smtp-proxy/proxy"
	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
)

// symptom is one complaint that people bring, and what must become of it.
type symptom struct {
	id    string // S1 to S71, by the phase in which it shows; the numbers have gaps
	sees  string // what a person sees, or suspects
	left  string // what the record alone cannot tell, and an active look would; mostly empty
	check check
}

// check demands a diagnosis.
type check func(t *testing.T, b bench)

// bench is what checks share. The engine remembers nothing.
type bench struct {
	set    *rules.Set
	engine *diagnose.Engine
}

// Every complaint of the table is diagnosed from what the relay records or
// from what a person pastes.
func TestSymptoms(t *testing.T) {
	t.Parallel()
	b := bench{loadRules(t), newEngine(t)}
	byName := map[string]symptom{}
	for _, rows := range [][]symptom{connectSymptoms(), tlsSymptoms(), authSymptoms(), mailSymptoms(), providerSymptoms()} {
		for _, s := range rows {
			byName[s.id+" "+s.sees] = s
		}
	}
	names := slices.Sorted(maps.Keys(byName))
	if got, want := ids(names), wantedIDs(); !slices.Equal(got, want) {
		t.Errorf("got rows %q, want %q", got, want)
	}
	eachAtOnce(t, names, func(t *testing.T, name string) { byName[name].check(t, b) })
}

func ids(names []string) (all []string) {
	for _, n := range names {
		id, _, _ := strings.Cut(n, " ")
		all = append(all, id)
	}
	slices.Sort(all)
	return all
}

func wantedIDs() (all []string) {
	for _, r := range [][2]int{{1, 16}, {20, 37}, {40, 47}, {50, 57}, {60, 71}} {
		for n := r[0]; n <= r[1]; n++ {
			all = append(all, fmt.Sprintf("S%d", n))
		}
	}
	slices.Sort(all)
	return all
}

// each demands several things.
func each(checks ...check) check {
	return func(t *testing.T, b bench) {
		for _, c := range checks {
			c(t, b)
		}
	}
}

// shows demands that a fault, played through the relay, is found by its cause
// in a finding that says all the words.
func shows(id string, words ...string) check { return showsAs("", id, words...) }

// showsAs is shows in the words of a persona.
func showsAs(persona, id string, words ...string) check {
	return func(t *testing.T, b bench) {
		t.Helper()
		f, err := testenv.StartFault(id, testenv.FaultOptions{Persona: persona})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		l := startLoop(t, f)
		sessions := l.run(t, f)
		last := sessions[len(sessions)-1]
		l.inquire(t, b.engine, last)
		b.want(t, last, f.Cause, words)
	}
}

// answers demands a cause for a reply that a persona gives in a phase.
func answers(persona string, phase session.Phase, reply string, app testenv.App, cause string, words ...string) check {
	return func(t *testing.T, b bench) {
		t.Helper()
		f := named(t, testenv.SmarthostOptions{Persona: persona, Answers: map[session.Phase]testenv.Answer{phase: {Reply: reply}}})
		f.App = app
		b.want(t, startLoop(t, f).run(t, f)[0], cause, words)
	}
}

// named starts a smarthost that is known by its persona's host name.
func named(t *testing.T, o testenv.SmarthostOptions) *testenv.Fault {
	t.Helper()
	s := newSmarthost(t, o)
	d, err := testenv.NewDNS()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	d.A(s.Host(), "127.0.0.1")
	_, port, _ := net.SplitHostPort(s.Addr())
	return &testenv.Fault{Upstream: net.JoinHostPort(s.Host(), port), Resolver: d.Addr(), Roots: s.Roots(), Smarthost: s, Sends: 1}
}

func (b bench) want(t *testing.T, s *inspect.Session, cause string, words []string) {
	t.Helper()
	found := b.engine.Annotate(s)
	wantCause(t, b.set, found, cause, s)
	wantWords(t, found, words)
}

// wantWords looks for words in all that the first finding says.
func wantWords(t *testing.T, found []inspect.Finding, words []string) {
	t.Helper()
	f := found[0]
	all := []string{f.Title, f.Explanation, f.Retry.Text}
	for _, e := range f.Evidence {
		all = append(all, e.Text)
	}
	all = append(append(append(all, f.Fix...), f.RuledOut...), f.Changed...)
	text := strings.Join(all, "\n")
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("%s does not say %q:\n%s", f.Cause, w, text)
		}
	}
}

// explains demands a cause for a pasted text; upstream may be empty.
func explains(upstream, text, cause string, words ...string) check {
	return func(t *testing.T, b bench) {
		t.Helper()
		found := b.engine.Explain(text, upstream)
		if len(found) == 0 || found[0].Cause != cause {
			t.Fatalf("%q: found %+v, want %s", text, found, cause)
		}
		wantWords(t, found, words)
	}
}

// course runs faults one after the other, all under one upstream name and with
// a memory, and returns what is found of the last session. An empty name is a
// healthy smarthost.
func course(t *testing.T, faults ...string) (found []inspect.Finding, last *inspect.Session) {
	t.Helper()
	engine := newEngine(t)
	for _, id := range faults {
		f := named(t, testenv.SmarthostOptions{})
		if id != "" {
			f = startFault(t, id)
		}
		sessions := startLoop(t, f, calledAlike).run(t, f)
		for _, last = range sessions {
			found = engine.Annotate(last)
			last.Judge(found)
			engine.Remember(last, found)
		}
	}
	return found, last
}

// calledAlike is what a relay calls a smarthost that moves from test to test.
func calledAlike(o *proxy.Options) { o.Routes[0].Target.Name = "mail.example.com:587" }

// trusting makes a relay go on when the certificate fails.
func trusting(t *testing.T, f *testenv.Fault) func(*proxy.Options) {
	t.Helper()
	c, err := upstream.New(upstream.Options{Resolver: f.Resolver, Insecure: true})
	if err != nil {
		t.Fatal(err)
	}
	return func(o *proxy.Options) { o.Routes[0].Connector = c }
}
