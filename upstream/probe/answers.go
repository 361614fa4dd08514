package probe

import (
	"maps"
	"slices"
	"sync"

	"smtp-proxy/proxy/session"
)

// maxAnswers bounds how many answers are remembered; the oldest goes first.
const maxAnswers = 256

// answers remembers what probes found out beyond the smarthost's TLS, which
// has grids of its own. It does not keep two from asking the same at once: who
// asks a smarthost stands in the gate, which does.
type answers struct {
	mu   sync.Mutex
	kept map[string]session.Entry
}

func newAnswers() *answers { return &answers{kept: map[string]session.Entry{}} }

// recall returns the answer to a question while it is good, marked as cached.
// One that finds nothing wrong speaks against the failure behind which it is
// asked for, and is good for as long only as it may be of the same moment.
func (a *answers) recall(question string, o Options) (session.Entry, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	e, ok := a.kept[question]
	if !ok || !fresh(e.At, e.Fault, o) || e.Probe.Result == resultOK && o.Now().Sub(e.At) >= keepTrouble {
		return session.Entry{}, false
	}
	again := *e.Probe
	again.Cached = true
	e.Probe = &again
	return e, true
}

// keep remembers an answer. One of skip is none.
func (a *answers) keep(question string, e session.Entry, o Options) session.Entry {
	a.mu.Lock()
	defer a.mu.Unlock()
	if e.Probe.Result == resultSkip {
		return e
	}
	e.At = o.Now()
	for len(a.kept) >= maxAnswers {
		delete(a.kept, slices.MinFunc(slices.Collect(maps.Keys(a.kept)), func(x, y string) int {
			return a.kept[x].At.Compare(a.kept[y].At)
		}))
	}
	a.kept[question] = e
	return e
}
