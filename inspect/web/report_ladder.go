package web

import (
	"slices"
	"strings"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// row is one line of the ladder between app, proxy and upstream.
type row struct {
	Seq      int
	At, Took string
	Class    string // proof, own, edit, of a pipelined group, and how much space stands before it
	Passed   string // how long nothing was said before it, and why
	Left     string // the step between app and proxy: to-app, to-proxy … or nothing
	Right    string
	Point    string // where something happened that nobody said: app, proxy, upstream
	Alt      string // the same in words
	Tag      string // edit, probe, TLS …
	Tone     string
	Lines    []string
	Rest     []string // of a long reply
	Aside    string
	Group    string // what is pipelined, on the first row of it
	Sides    []fact // of an edit: what each side got
	TLS      *leg   // a handshake, unfolded in place
	See      string // address of the message that is not shown here
	Details  []string
	Proves   []int // numbers of the findings that point here
}

// ladder lays entries out, in order.
type ladder struct {
	started time.Time
	zone    *time.Location
	secure  [2]bool // the legs under TLS
	proves  map[int][]int
	stopped map[int]bool
	groups  map[int]piped
	letters map[int]string // addresses of messages by the line that carried them
	full    bool           // handshakes stand here whole, and nowhere else
}

func ladderOf(s *inspect.Session, zone *time.Location) *ladder {
	l := &ladder{started: s.Started, zone: zone, proves: map[int][]int{}, stopped: stopped(s.Events), groups: pipelined(s.Events)}
	for i, f := range s.Findings {
		for _, e := range f.Evidence {
			if n := l.proves[e.Event]; len(n) == 0 || n[len(n)-1] != i+1 {
				l.proves[e.Event] = append(n, i+1)
			}
		}
	}
	return l
}

// stopped finds the app's commands that the proxy answered itself.
func stopped(events []session.Entry) map[int]bool {
	all, waiting, connected := map[int]bool{}, []*session.Entry{}, false
	for i := range events {
		e := &events[i]
		switch {
		case e.Own:
		case e.Kind == session.KindOpen && e.Leg == session.Upstream:
			connected = true
		case e.Kind == session.KindCommand && e.From == session.FromApp:
			waiting = append(waiting, e)
		case e.Kind == session.KindReply:
			at := slices.IndexFunc(waiting, func(c *session.Entry) bool { return strings.EqualFold(c.Verb, e.Verb) })
			if at >= 0 && e.From == session.FromProxy && (!connected || e.Code != 421) {
				all[waiting[at].Seq] = true
			}
			waiting = waiting[at+1:]
		}
	}
	return all
}

func (l *ladder) row(e *session.Entry) row {
	r := row{Seq: e.Seq, At: since(e.At.Sub(l.started)), Proves: l.proves[e.Seq], Tag: tagOf(e), Class: l.class(e), Group: l.groups[e.Seq].name}
	if e.Kind == session.KindTLS && e.Fault == nil && !e.Own {
		l.secure[e.Leg&1] = true
	}
	switch e.Kind {
	case session.KindReply, session.KindGreeting:
		l.reply(&r, e)
	case session.KindCommand, session.KindAuth:
		l.spoken(&r, e)
	case session.KindData:
		l.place(&r, e)
		r.Lines, r.Tone, r.See = []string{carried(e)}, "quiet", l.letters[e.Seq]
	default:
		l.event(&r, e)
	}
	return r
}

func (l *ladder) reply(r *row, e *session.Entry) {
	l.place(r, e)
	r.Lines = keywords(e, strings.Split(e.Text, "\n"))
	if len(r.Lines) > mostSaid {
		r.Lines, r.Rest = r.Lines[:mostSaid-2], r.Lines[mostSaid-2:]
	}
	if e.Wait > 0 {
		r.Took = inspect.Took(e.Wait)
	}
	if e.Code >= 400 {
		r.Tone, _ = tone(e.Code)
	}
	if e.From == session.FromProxy {
		r.Aside = "from the proxy"
	}
	if answers := l.groups[e.Seq].answers; answers != "" {
		r.Aside = "to " + answers
	}
}

// keywords puts those of an EHLO reply behind each other: a line each, they
// hide the dialogue.
func keywords(e *session.Entry, lines []string) []string {
	if len(lines) < 4 || e.Code != 250 || e.Verb != "EHLO" {
		return lines
	}
	list := make([]string, 0, len(lines)-1)
	for _, line := range lines[1:] {
		list = append(list, line[min(4, len(line)):])
	}
	return []string{lines[0], "250 " + strings.Join(list, ", ")}
}

func (l *ladder) spoken(r *row, e *session.Entry) {
	l.place(r, e)
	r.Lines = []string{e.Text}
	if e.Auth != nil && e.From == session.FromApp {
		r.Aside = credentials(e.Auth)
	}
	if e.Wait > 0 {
		r.Took = inspect.Took(e.Wait)
	}
}

func (l *ladder) event(r *row, e *session.Entry) {
	text, lasted := describe(e)
	r.Point, r.Lines, r.Tone = point(e), []string{text}, "quiet"
	r.Alt = "at the " + r.Point
	if lasted > 0 {
		r.Took = inspect.Took(lasted)
	}
	if e.Kind == session.KindError || e.Fault != nil || len(r.Proves) > 0 {
		r.Tone = "bad"
	}
	r.Details, r.Aside = details(e), kernel(e)
	if e.TLS != nil {
		h := legOf("", e.TLS, l.started, l.zone)
		h.Full = l.full
		r.TLS = &h
	}
	if e.Edit {
		r.Sides = sidesOf(e)
	}
}

// class names what sets a line apart.
func (l *ladder) class(e *session.Entry) string {
	var names []string
	if len(l.proves[e.Seq]) > 0 {
		names = append(names, "proof")
	}
	if e.Own {
		names = append(names, "own")
	}
	if e.Edit {
		names = append(names, "edit")
	}
	if at := l.groups[e.Seq].at; at != "" {
		names = append(names, at)
	}
	return strings.Join(names, " ")
}

func point(e *session.Entry) string {
	if e.Kind == session.KindProbe || e.Kind == session.KindNote && e.From == session.FromProxy {
		return session.FromProxy.String()
	}
	return e.Leg.String()
}

// place draws a step: over which legs, which way, and whether under TLS.
func (l *ladder) place(r *row, e *session.Entry) {
	from, to := "app", "upstream"
	switch {
	case e.Own && e.From == session.FromProxy:
		from = "proxy"
	case e.Own:
		from, to = "upstream", "proxy"
	case e.From == session.FromProxy:
		from, to = "proxy", e.Leg.String()
		if e.Leg == session.Upstream && e.Kind == session.KindReply {
			to = "app"
		}
	case e.From == session.FromUpstream:
		from, to = "upstream", "app"
	case l.stopped[e.Seq]:
		to = "proxy"
	}
	r.Left, r.Right = l.step(session.App, from, to), l.step(session.Upstream, from, to)
	r.Alt = from + " to " + to
	if e.Secure {
		r.Alt += ", under TLS"
	}
}

// step is one leg of a step, named for the style sheet: the way, whether the
// point of the arrow is on it, and clear or tls.
func (l *ladder) step(side session.Side, from, to string) string {
	far := side.String()
	if from != far && to != far {
		return ""
	}
	way := "in" // towards the proxy
	if to == far {
		way = "out"
	}
	if to == far || to == "proxy" {
		way += " head"
	}
	if l.secure[side] {
		return way + " tls"
	}
	return way + " clear"
}

// tagOf names what is no dialogue.
func tagOf(e *session.Entry) string {
	switch {
	case e.Edit:
		return "edit"
	case e.Kind == session.KindProbe:
		return "probe"
	case e.Kind == session.KindTLS:
		return "TLS"
	case e.Lookup != nil:
		return "DNS"
	case e.Kind == session.KindError:
		return "error"
	case e.Kind == session.KindOpen, e.Kind == session.KindClose, e.Kind == session.KindNote:
		return string(e.Kind)
	case e.Own:
		return "proxy's own"
	}
	return ""
}
