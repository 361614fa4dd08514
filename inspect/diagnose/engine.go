package diagnose

import (
	"fmt"
	"runtime/debug"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/rules"
)

// Options are what an engine may be given. The zero value works.
type Options struct {
	History History          // what was on record before; nil: only what the engine is told of counts
	Built   time.Time        // when this program was built: a clock that is earlier is wrong
	Now     func() time.Time // the present, for explained text; nil: no time of day is understood
	Failed  func(err error)  // hears of bugs in detectors and of a history that cannot be read; may be nil
}

// Engine diagnoses sessions and explains text. It may be used by several
// goroutines.
type Engine struct {
	set       *rules.Set
	options   Options
	memory    *memory
	providers providers
	uses      []use // of probes
}

// New returns an engine on a knowledge base.
func New(set *rules.Set, options Options) *Engine {
	return &Engine{set: set, options: options, memory: newMemory(options.History), uses: uses{}.all()}
}

// Judge does for a session on record what Provider, Annotate and, once it has
// ended, Remember do, and reads it only once. It names the provider in the
// session and changes nothing else of it.
func (e *Engine) Judge(s *inspect.Session) []inspect.Finding {
	f := e.read(s)
	s.Upstream.Provider = f.provider
	findings := e.annotate(f)
	if !s.Ended.IsZero() {
		e.Remember(s, findings)
	}
	return findings
}

// Annotate returns the findings of a session, the most likely cause first;
// none for a healthy one. It may be called while the session is open and again
// when more has come. It does not change the session.
func (e *Engine) Annotate(s *inspect.Session) []inspect.Finding { return e.annotate(e.read(s)) }

// Provider returns the id of the provider or software on the upstream leg, or
// an empty string.
func (e *Engine) Provider(s *inspect.Session) string { return e.read(s).provider }

// read makes the facts of a session.
func (e *Engine) read(s *inspect.Session) *facts {
	f := &facts{set: e.set, s: s, built: e.options.Built, memory: e.memory, report: e.report}
	e.contain("facts", s.ID, func() {
		f.read()
		f.provider = e.providers.of(e.set, f.hints())
	})
	return f
}

func (e *Engine) annotate(f *facts) (findings []inspect.Finding) {
	var symptoms []symptom
	for _, d := range detectors() {
		e.contain(d.name, f.s.ID, func() {
			symptoms = append(symptoms, named(d.name, d.detect(f, symptoms))...)
		})
	}
	if len(symptoms) == 0 {
		return nil
	}
	e.weigh(f, symptoms)
	e.contain("findings", f.s.ID, func() { findings = e.findings(f, rank(merge(symptoms))) })
	e.contain("history", f.s.ID, func() { e.recall(f, findings) })
	return findings
}

// contain keeps a bug in one part of the diagnosis from the rest of it.
func (e *Engine) contain(part, id string, run func()) {
	defer func() {
		if p := recover(); p != nil {
			e.report(fmt.Errorf("diagnose session %s: bug in %s: %v\n%s", id, part, p, debug.Stack()))
		}
	}()
	run()
}

func (e *Engine) report(err error) {
	if e.options.Failed != nil && err != nil {
		e.options.Failed(err)
	}
}

// detector looks for one family of causes. found is what the detectors before
// it have found.
type detector struct {
	name   string
	detect func(f *facts, found []symptom) []symptom
}

// detectors returns all detectors in the order in which a session would meet
// what they look for; consequences come last.
func detectors() [11]detector {
	return [...]detector{
		{"proxy", proxyTrouble},
		{"network", networkFaults},
		{"upstream-tls", upstreamTLS},
		{"app-tls", appTLS},
		{"passthrough", passthrough},
		{"greeting", greetingTrouble},
		{"starttls", startTLS},
		{"protocol", protocolTrouble},
		{"replies", failingReplies},
		{"silence", silences},
		{"closes", closes},
	}
}

func named(detector string, symptoms []symptom) []symptom {
	for i := range symptoms {
		if symptoms[i].by == "" {
			symptoms[i].by = "detector/" + detector
		}
	}
	return symptoms
}
