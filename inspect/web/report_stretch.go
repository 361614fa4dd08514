package web

import (
	"strconv"
	"strings"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// stretch is some lines of a dialogue. A long dialogue is folded where nothing
// is found, and probes are.
type stretch struct {
	Rows   []row
	Folded string // what is folded, empty when it is shown
}

// A ladder that is longer than this is folded: its beginning, its end and what
// findings point at stay.
const (
	mostRows = 300
	headRows = 120
	tailRows = 40
	mostSaid = 12 // lines of a reply
)

// fold is why a line is not in view.
type fold int

const (
	inView fold = iota
	uneventful
	probing
)

func dialogueOf(s *inspect.Session, zone *time.Location, full bool) []stretch {
	l := ladderOf(s, zone)
	if l.full = full; full {
		l.letters = lettersOf(s)
	}
	var all []stretch
	for from := 0; from < len(s.Events); {
		why, until := l.fold(s.Events, from), from+1
		for until < len(s.Events) && l.fold(s.Events, until) == why {
			until++
		}
		all = append(all, l.stretch(s.Events, from, until, why))
		from = until
	}
	return all
}

func (l *ladder) stretch(events []session.Entry, from, until int, why fold) stretch {
	var t stretch
	for i := from; i < until; i++ {
		r := l.row(&events[i])
		if i > 0 {
			r.after(events[:i], &events[i])
		}
		t.Rows = append(t.Rows, r)
	}
	switch why {
	case uneventful:
		t.Folded = inspect.Count(len(t.Rows), "line") + " without a finding"
	case probing:
		t.Folded = probesOf(events[from:until])
	}
	return t
}

func (l *ladder) fold(events []session.Entry, i int) fold {
	switch long := len(events) > mostRows && i >= headRows && i < len(events)-tailRows; {
	case l.near(events, i):
		return inView
	case events[i].Kind == session.KindProbe:
		return probing
	case long:
		return uneventful
	}
	return inView
}

func (l *ladder) near(events []session.Entry, i int) bool {
	next := min(i+1, len(events)-1)
	return len(l.proves[events[i].Seq]) > 0 || len(l.proves[events[next].Seq]) > 0 && events[i].Kind != session.KindProbe
}

// lettersOf finds the page of the message that each line carried.
func lettersOf(s *inspect.Session) map[int]string {
	all := map[int]string{}
	asm := inspect.NewAssembler(&session.Info{ID: s.ID, Started: s.Started})
	for i := range s.Events {
		e := &s.Events[i]
		if asm.Add(e); e.Kind == session.KindData {
			n := strconv.Itoa(asm.Message() + 1)
			all[e.Seq] = sessionAddress(s.ID) + "/messages?from=" + n + "#message-" + n
		}
	}
	return all
}

// probesOf sums up what was asked after a failure.
func probesOf(events []session.Entry) string {
	var names []string
	for i := range events {
		if p := events[i].Probe; p != nil {
			names = append(names, p.Name+": "+p.Result)
		}
	}
	return inspect.Count(len(events), "probe") + " by the proxy after the failure (" + visible(strings.Join(names, ", ")) + ")"
}
