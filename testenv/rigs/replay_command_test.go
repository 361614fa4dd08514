//go:build rigs

package rigs_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// replayed is what replay --json says, and how it ends.
type replayed struct {
	exit      int
	text      string // all that it printed
	Session   string
	Target    string
	Identical bool
	Steps     []replayedStep
	NotSent   []string `json:"not_sent"`
}

type replayedStep struct {
	Command, Recorded, Now string
	Same                   bool
}

// replay plays a session of the record again, to the server that it went to.
func (p *proxy) replay(t *testing.T, m *mta, id string, args ...string) replayed {
	t.Helper()
	args = append([]string{"replay", id, "--json", "--data", p.data, "--upstream-ca", m.ca}, args...)
	out, errs, code := execute(t, job{}, p.binary, args...)
	r := replayed{exit: code, text: string(out) + string(errs)}
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("%v: got exit code %d and no JSON: %v\n%s", args, code, err, r.text)
	}
	return r
}

// different returns the steps that were answered otherwise than then.
func (r replayed) different() []replayedStep {
	var all []replayedStep
	for _, s := range r.Steps {
		if !s.Same {
			all = append(all, s)
		}
	}
	return all
}

// wantIdentical demands that all was answered as recorded.
func (r replayed) wantIdentical(t *testing.T) {
	t.Helper()
	if r.exit != 0 || !r.Identical || len(r.Steps) == 0 || len(r.different()) > 0 {
		t.Errorf("got exit code %d, identical %t, %d steps, want 0, identical, some steps and none of them different\n%s", r.exit, r.Identical, len(r.Steps), r.text)
	}
}

// wantDifference demands this exit code and one step that differs: the RCPT
// of addr, answered with these codes then and now.
func (r replayed) wantDifference(t *testing.T, exit int, addr, then, now string) {
	t.Helper()
	all := r.different()
	if r.exit != exit || r.Identical || len(all) != 1 {
		t.Errorf("got exit code %d, identical %t, different %+v, want %d, and one difference, at %s\n%s", r.exit, r.Identical, all, exit, addr, r.text)
		return
	}
	if s := all[0]; !strings.EqualFold(s.Command, "RCPT TO:<"+addr+">") || code(s.Recorded) != then || code(s.Now) != now {
		t.Errorf("got the difference %+v, want RCPT of %s answered with %s then, %s now", s, addr, then, now)
	}
}

// code returns the reply code at the start of a text.
func code(reply string) string { return reply[:min(3, len(reply))] }
