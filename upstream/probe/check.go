package probe

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

// Status is what became of a step of a check.
type Status string

// The statuses, as the contract names them. A warning is no finding.
const (
	StatusOK   Status = resultOK
	StatusWarn Status = "warn"
	StatusFail Status = resultFail
	StatusSkip Status = resultSkip
)

// Line is one rung of the ladder that a check prints.
type Line struct {
	Step   string // what was examined: the name of the step, or of a part of it
	Status Status
	Text   string // one line: what was seen, and the reason where that is not well
	Took   time.Duration
}

// Wanted says what a check is to do beyond what it always does.
type Wanted struct {
	Steps      []string // the steps to take, by name; nil means all
	Blocklists bool     // the DNS blocklists may be asked about this machine's address
	Script     Script
}

// Report is what a check has brought to light.
type Report struct {
	Lines    []Line
	Dialogue []session.Entry // the proxy's own session with the smarthost, as a record of a relayed one has it
	Answers  []session.Entry // those of the other probes, of kind probe
}

// step is one question of a check. A step is a method of [steps].
type step struct {
	name  string
	also  []string // the parts that its lines are named after, by which it may be chosen, too
	rank  int      // its place in the ladder
	after []string // the steps whose answers it reads
	about string   // for a person who chooses steps: a few words
	run   func(ctx context.Context, x *examination)
}

// steps carries one method for each step, its name ending in Step, so that a
// step is a file and no list names them all.
type steps struct{}

// all returns the steps in the order of the ladder.
func (s steps) all() (list []step) {
	methods := reflect.ValueOf(s)
	for i := range methods.NumMethod() {
		if !strings.HasSuffix(methods.Type().Method(i).Name, "Step") {
			continue
		}
		if make, ok := methods.Method(i).Interface().(func() step); ok {
			list = append(list, make())
		}
	}
	slices.SortFunc(list, func(a, b step) int { return a.rank - b.rank })
	return list
}

// Steps returns the names of all steps with a few words about each, in the
// order of the ladder.
func Steps() (list [][2]string) {
	for _, s := range (steps{}).all() {
		list = append(list, [2]string{s.name, s.about})
	}
	return list
}

// StepNames returns all names by which [Wanted] knows steps: theirs, each
// followed by those of its parts.
func StepNames() (list []string) {
	for _, s := range (steps{}).all() {
		list = append(append(list, s.name), s.also...)
	}
	return list
}

// examination is one check under way. Steps that do not need each other's
// answers run side by side.
type examination struct {
	prober *Prober
	target upstream.Target
	want   Wanted
	known  known

	mu      sync.Mutex
	step    map[string]*rungs
	answers []session.Entry
}

// maxLine is how many octets of a line are told: what fills more was written to
// do so.
const maxLine = 1000

// rungs is what one step has to say so far.
type rungs struct {
	lines []Line
	news  chan struct{} // there are more lines
	done  chan struct{}
}

// Check examines a smarthost and tells each line of the ladder in its order, as
// soon as it and those before it are known. It returns when all steps have
// ended, or a moment after ctx has: what was not reached by a deadline is told
// as skipped.
func (p *Prober) Check(ctx context.Context, t upstream.Target, w Wanted, told func(Line)) Report {
	x := &examination{prober: p, target: t, want: w, step: map[string]*rungs{}}
	return x.climb(ctx, x.chosen(), told)
}

// climb takes the steps and tells their lines.
func (x *examination) climb(ctx context.Context, list []step, told func(Line)) (r Report) {
	for _, s := range list {
		x.step[s.name] = &rungs{news: make(chan struct{}, 1), done: make(chan struct{})}
	}
	over, leave := lastWords(ctx)
	defer leave()
	for _, s := range list {
		go x.take(ctx, s) // ends soon after ctx, or is left behind
	}
	for _, s := range list {
		x.tell(over, s.name, func(l Line) {
			r.Lines = append(r.Lines, l)
			told(l)
		})
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	r.Dialogue, r.Answers = x.dialogue(), slices.Clone(x.answers)
	return r
}

// chosen returns the steps that are wanted, and those whose answers they need.
func (x *examination) chosen() []step {
	list := (steps{}).all()
	if x.want.Steps == nil {
		return list
	}
	wanted := map[string]bool{}
	for _, name := range x.want.Steps {
		wanted[name] = true
	}
	for _, s := range slices.Backward(list) { // a step reads only what stands above it
		if wanted[s.name] || slices.ContainsFunc(s.also, func(part string) bool { return wanted[part] }) {
			wanted[s.name] = true
			for _, name := range s.after {
				wanted[name] = true
			}
		}
	}
	return slices.DeleteFunc(list, func(s step) bool { return !wanted[s.name] })
}

// take runs one step when those that it reads have ended.
func (x *examination) take(ctx context.Context, s step) {
	defer close(x.step[s.name].done)
	for _, name := range s.after {
		if before := x.step[name]; before != nil {
			<-before.done
		}
	}
	if ctx.Err() == nil {
		s.run(ctx, x)
	}
	if ctx.Err() != nil && x.silent(s.name) {
		x.say(s.name, late())
	}
}

// say adds a line to a step's. A line that names no part of it stands for the
// step. Whatever a peer or the DNS has put into its text, it is one line.
func (x *examination) say(step string, l Line) {
	l.Step, l.Text = orElse(l.Step, step), legible(cut(l.Text, maxLine))
	x.mu.Lock()
	defer x.mu.Unlock()
	r := x.step[step]
	r.lines = append(r.lines, l)
	select {
	case r.news <- struct{}{}:
	default:
	}
}

// answer keeps what a probe found, for the diagnosis.
func (x *examination) answer(e session.Entry) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.answers = append(x.answers, e)
}

// tell tells the lines of a step as they come, until it has ended or is given
// up.
func (x *examination) tell(over context.Context, step string, told func(Line)) {
	r := x.step[step]
	for count, ended := 0, false; !ended; {
		select {
		case <-r.news:
		case <-r.done:
			ended = true
		case <-over.Done():
			ended = true
		}
		lines := x.lines(r, count)
		if ended && count+len(lines) == 0 && over.Err() != nil {
			lines = []Line{late()}
			lines[0].Step = step
		}
		count += len(lines)
		for _, l := range lines {
			told(l)
		}
	}
}

// lines returns what a step has said, from the given line on.
func (x *examination) lines(r *rungs, from int) []Line {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Clone(r.lines[from:])
}

func (x *examination) silent(step string) bool { return len(x.lines(x.step[step], 0)) == 0 }
