package main

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// transcript writes sessions for people, one block each: a header, the
// dialogue with each finding under the line that shows it, a summary.
//
// The dialogue has four columns: ** where a finding points, how long a reply
// took, the mark (-> from the app, <- from the upstream, ~> and <~ where that
// leg is under TLS, == for what is no dialogue), and the words. The proxy's
// own dialogue with the upstream is indented.
type transcript struct {
	screen
	full bool             // every line as it was; else long replies and long sessions are folded
	now  func() time.Time // dates are written unless they are today's
}

// Columns of the dialogue.
const (
	timingWidth = 8
	textColumn  = 2 + timingWidth + 2 + 3 // gutter, timing, blanks, mark
	ownIndent   = 4
)

// session writes one session's block in a single write, so that two writers
// never mix their lines.
func (t transcript) session(s *inspect.Session) error {
	var b bytes.Buffer
	t.header(&b, s, "")
	t.dialogue(&b, s)
	t.summary(&b, s)
	b.WriteByte('\n')
	_, err := t.out.Write(b.Bytes())
	return err
}

// update writes the findings of a session whose block has been written, when
// they or the prediction have changed since.
func (t transcript) update(s *inspect.Session) error {
	var b bytes.Buffer
	t.header(&b, s, " (findings changed)")
	t.findings(&b, s.Findings, "")
	t.direct(&b, s.Direct)
	b.WriteByte('\n')
	_, err := t.out.Write(b.Bytes())
	return err
}

func (t transcript) header(b *bytes.Buffer, s *inspect.Session, suffix string) {
	peers := visible(s.App.Addr) + " -> " + upstreamName(s)
	fmt.Fprintf(b, "%s  %s  %s  %s  %s%s\n",
		t.paint(bold, t.clock(s.Started)), t.paint(cyan, visible(s.ID)), visible(s.Route), peers,
		t.paint(outcomeStyle(s.Outcome), string(s.Outcome)), t.paint(dim, suffix))
	if s.Linked != "" {
		t.line(b, line{mark: "==", text: "repeats session " + s.Linked, style: dim})
	}
}

// upstreamName says where a session went: as configured, then what answered.
func upstreamName(s *inspect.Session) string {
	var facts []string
	if ip, _, ok := cutPort(s.Upstream.Addr); ok && !strings.HasPrefix(s.Upstream.Name, ip) {
		facts = append(facts, ip)
	}
	if s.Upstream.Provider != "" {
		facts = append(facts, s.Upstream.Provider)
	}
	name := visible(s.Upstream.Name)
	if len(facts) == 0 {
		return name
	}
	return name + " (" + visible(strings.Join(facts, ", ")) + ")"
}

func cutPort(addr string) (host, port string, ok bool) {
	i := strings.LastIndexByte(addr, ':')
	if i < 0 {
		return "", "", false
	}
	return addr[:i], addr[i+1:], true
}

// clock writes a moment of the local time, with its date unless it is today.
func (t transcript) clock(at time.Time) string {
	at = at.In(t.zone)
	if now := t.now().In(t.zone); at.YearDay() == now.YearDay() && at.Year() == now.Year() {
		return at.Format("15:04:05.000")
	}
	return at.Format("2006-01-02 15:04:05.000")
}

// outcomeStyle is the colour of an outcome wherever one is shown.
func outcomeStyle(o inspect.Outcome) style {
	switch o {
	case inspect.Delivered:
		return green
	case inspect.Partial, inspect.Aborted:
		return yellow
	case inspect.Rejected, inspect.Failed:
		return boldRed
	case inspect.Open:
		return cyan
	}
	return dim
}

// dialogue writes the entries, each finding below the entry it belongs to.
// Findings that belong to none come last.
func (t transcript) dialogue(b *bytes.Buffer, s *inspect.Session) {
	points := point(s)
	kept := t.fold(s.Events, points)
	pairs := pairing{}
	hidden := 0
	for i := range s.Events {
		e := &s.Events[i]
		answers := pairs.next(e)
		if !kept[i] {
			hidden++
			continue
		}
		t.folded(b, s, &hidden)
		t.entry(b, e, points.marked[e.Seq], answers)
		t.findings(b, points.under[e.Seq], e.Text)
	}
	t.folded(b, s, &hidden)
	t.findings(b, points.nowhere, "")
}

func (t transcript) folded(b *bytes.Buffer, s *inspect.Session, hidden *int) {
	if *hidden == 0 {
		return
	}
	text := fmt.Sprintf("%s not shown here: smtp-proxy show %s", inspect.Count(*hidden, "line"), visible(s.ID))
	t.line(b, line{mark: "==", text: text, style: dim})
	*hidden = 0
}

// points says where the findings of a session belong.
type points struct {
	marked  map[int]bool              // entries that a finding points at
	under   map[int][]inspect.Finding // findings to show below an entry
	nowhere []inspect.Finding
}

// point finds the entry that each finding is shown under: the first of its
// evidence that is in the record.
func point(s *inspect.Session) points {
	p := points{marked: map[int]bool{}, under: map[int][]inspect.Finding{}}
	there := map[int]bool{}
	for i := range s.Events {
		there[s.Events[i].Seq] = true
	}
	for _, f := range s.Findings {
		place := 0
		for _, e := range f.Evidence {
			if !there[e.Event] {
				continue
			}
			p.marked[e.Event] = true
			if place == 0 {
				place = e.Event
			}
		}
		if place == 0 {
			p.nowhere = append(p.nowhere, f)
			continue
		}
		p.under[place] = append(p.under[place], f)
	}
	return p
}

// Lines of a folded session that are always shown.
const (
	foldHead = 40
	foldTail = 10
)

// fold decides which entries are shown: all of a short session; of a long one
// its beginning, its end, and what a finding points at with the line before.
func (t transcript) fold(events []session.Entry, p points) []bool {
	kept := make([]bool, len(events))
	for i := range events {
		near := p.marked[events[i].Seq] || i+1 < len(events) && p.marked[events[i+1].Seq]
		kept[i] = t.full || i < foldHead || i >= len(events)-foldTail || near
	}
	return kept
}

// pairing follows which command each reply answers.
type pairing struct{ waiting [2][]string } // the app's commands, the proxy's own

// next takes the next entry. For a reply that came while several commands
// were waiting it returns the command that is answered.
func (p *pairing) next(e *session.Entry) string {
	queue := &p.waiting[0]
	if e.Own {
		queue = &p.waiting[1]
	}
	switch {
	case e.From != session.FromUpstream && e.Kind == session.KindCommand:
		*queue = append(*queue, e.Text)
	case e.Kind == session.KindReply && len(*queue) > 0 && begins((*queue)[0], e.Verb):
		answered, several := (*queue)[0], len(*queue) > 1
		*queue = (*queue)[1:]
		if several {
			return answered
		}
	}
	return ""
}

// begins reports whether a command line is of a verb.
func begins(line, verb string) bool {
	return verb != "" && len(line) >= len(verb) && strings.EqualFold(line[:len(verb)], verb)
}
