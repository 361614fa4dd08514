package web

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// timing is where the time of a session went.
type timing struct {
	Total   string
	Marks   []string // moments of the scale, evenly
	Steps   []step
	Omitted string
	Slowest []step
	Shares  []share
}

// step is one thing that took time. Its bar stands on a line of 1000.
type step struct {
	Line     string // address of its line in the dialogue
	Name     string
	Leg      string // app, upstream
	Kind     string // dns, connect, tls, app, upstream, message
	At, Took string
	X, Width float64
	from     time.Duration
	took     time.Duration
}

// share is a part of the whole time.
type share struct {
	Kind, Name string
	Took       string
	Percent    string
	X, Width   float64
}

const (
	mostSteps = 400
	slowest   = 8
	scale     = 1000 // width of the chart
)

func timingOf(v *inspect.Session) *timing {
	steps := stepsOf(v)
	total := lasted(v)
	t := &timing{Total: inspect.Took(total), Marks: marksOf(total), Shares: sharesOf(steps, total)}
	for i := range steps {
		steps[i].draw(total)
	}
	t.Slowest = slices.Clone(steps)
	slices.SortStableFunc(t.Slowest, func(a, b step) int { return cmp.Compare(b.took, a.took) })
	t.Slowest = t.Slowest[:min(len(t.Slowest), slowest)]
	if n := len(steps); n > mostSteps {
		t.Omitted = inspect.Count(n-mostSteps, "step") + " more than are shown"
		steps = steps[:mostSteps]
	}
	t.Steps = steps
	return t
}

// lasted is how long a session took, or how far its record goes. What probes
// took behind its end does not count.
func lasted(v *inspect.Session) time.Duration {
	end := v.Ended
	for i := range v.Events {
		if e := &v.Events[i]; v.Ended.IsZero() && e.At.After(end) && e.Kind != session.KindProbe {
			end = e.At
		}
	}
	return max(end.Sub(v.Started), 0)
}

func (s *step) draw(total time.Duration) {
	s.At, s.Took = since(s.from), inspect.Took(s.took)
	if total <= 0 {
		return
	}
	s.X = round1(scale * float64(s.from) / float64(total))
	s.Width = round1(max(scale*float64(s.took)/float64(total), 1.5))
	s.X = min(max(s.X, 0), scale-1.5)
	s.Width = min(s.Width, scale-s.X)
}

func round1(x float64) float64 { return float64(int(x*10+0.5)) / 10 }

// stepsOf lists what took time, in order: what an entry says that it took, and
// how long the app thought between a reply and its next command.
func stepsOf(v *inspect.Session) []step {
	var all []step
	waiting, last := 0, v.Started // commands without a reply; when the last reply was in
	for i := range v.Events {
		e := &v.Events[i]
		if e.Kind == session.KindProbe {
			continue
		}
		one := stepOf(e, v.Started)
		spoke := e.From == session.FromApp && !e.Own && (e.Kind == session.KindCommand || e.Kind == session.KindAuth || e.Kind == session.KindData)
		if spoke && waiting == 0 {
			one = think(e, last, v.Started)
		}
		switch {
		case spoke && e.Kind != session.KindData:
			waiting++
		case e.Kind == session.KindReply && !e.Own && waiting > 0:
			waiting--
		}
		if e.Kind == session.KindReply || e.Kind == session.KindGreeting || e.TLS != nil {
			last = e.At
		}
		if one.took > 0 {
			one.Line = sessionAddress(v.ID) + "#line-" + strconv.Itoa(e.Seq)
			all = append(all, one)
		}
	}
	return all
}

// think is the time that the app took before it spoke, or to send a message.
func think(e *session.Entry, last, started time.Time) step {
	s := step{Name: "the app, before " + leadWord(e.Text), Leg: "app", Kind: "app", from: last.Sub(started), took: e.At.Sub(last)}
	if e.Kind == session.KindData {
		s.Name, s.Kind = "the message, "+inspect.Octets(e.Bytes), "message"
	}
	return s
}

func stepOf(e *session.Entry, started time.Time) step {
	end := e.At.Sub(started)
	s := step{Leg: e.Leg.String()}
	switch {
	case e.Lookup != nil:
		s.Kind, s.Name, s.took = "dns", "look-up of "+e.Lookup.Type+" "+e.Lookup.Name, e.Lookup.Duration
	case e.Dial != nil:
		s.Kind, s.Name, s.took = "connect", "connection to "+e.Dial.Addr, e.Dial.Duration
	case e.TLS != nil:
		s.Kind, s.Name, s.took = "tls", "TLS handshake with the "+e.Leg.String(), e.TLS.Duration
	case e.Kind == session.KindGreeting:
		s.Kind, s.Name, s.took = "upstream", "greeting", e.Wait
	case e.Kind == session.KindReply && e.From == session.FromUpstream:
		s.Kind, s.Name, s.took = "upstream", "reply to "+answered(e), e.Wait
	}
	s.from = max(end-s.took, 0)
	return s
}

func answered(e *session.Entry) string {
	switch {
	case e.Verb == ".":
		return "the message"
	case e.Own:
		return e.Verb + " (the proxy's own)"
	case e.Verb == "":
		return "nothing"
	}
	return e.Verb
}

func leadWord(text string) string {
	word, _, _ := strings.Cut(text, " ")
	return cut(word).beginning()
}

// marksOf puts five moments on the scale.
func marksOf(total time.Duration) []string {
	all := []string{"0"}
	for i := range 4 {
		all = append(all, inspect.Took(total*time.Duration(i+1)/4))
	}
	return all
}

// sharesOf sums up what each kind took. Where steps overlap, which they do
// when commands are pipelined, time goes to the one that began first; what no
// step covers is the proxy's own, and the way between.
func sharesOf(steps []step, total time.Duration) []share {
	sorted := slices.Clone(steps)
	slices.SortStableFunc(sorted, func(a, b step) int { return cmp.Compare(a.from, b.from) })
	sums, covered := map[string]time.Duration{}, time.Duration(0)
	for _, s := range sorted {
		from, to := max(s.from, covered), min(s.from+s.took, total)
		if to > from {
			sums[s.Kind] += to - from
			covered = to
		}
	}
	rest := total
	for _, d := range sums {
		rest -= d
	}
	sums["proxy"] = max(rest, 0)
	return shares(sums, total)
}

func shares(sums map[string]time.Duration, total time.Duration) []share {
	var all []share
	x := 0.0
	for _, k := range [][2]string{
		{"dns", "DNS"}, {"connect", "Connecting"}, {"tls", "TLS handshakes"}, {"upstream", "Waiting for the upstream"},
		{"app", "Waiting for the app"}, {"message", "Sending messages"}, {"proxy", "The proxy, and what is not measured"},
	} {
		d := sums[k[0]]
		if d <= 0 || total <= 0 {
			continue
		}
		part := float64(d) / float64(total)
		s := share{Kind: k[0], Name: k[1], Took: inspect.Took(d), Percent: strconv.FormatFloat(100*part, 'f', 1, 64) + " %", X: round1(x), Width: round1(scale * part)}
		x += scale * part
		all = append(all, s)
	}
	return all
}
