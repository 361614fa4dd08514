package web

import (
	"strings"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// raw is a dialogue as it went over the two legs, a line each.
type raw struct {
	Lines   []rawRow
	Omitted string
}

// rawRow is one line with swaks's mark: who spoke, and whether under TLS; ==
// for what nobody said.
type rawRow struct {
	Mark, Text string
	Own        bool // of the proxy's own dialogue
	Star       bool // a finding points here
	Message    int  // number of the message that stands here; 0 for none
}

// mostRaw is how many lines a page shows; the files to download have all.
const mostRaw = 20_000

func rawOf(v *inspect.Session) *raw {
	r := &raw{}
	starred := map[int]bool{}
	for _, f := range v.Findings {
		for _, e := range f.Evidence {
			starred[e.Event] = true
		}
	}
	asm := inspect.NewAssembler(&session.Info{ID: v.ID, Started: v.Started})
	for i := range v.Events {
		e := &v.Events[i]
		asm.Add(e)
		if len(r.Lines) >= mostRaw {
			r.Omitted = inspect.Count(len(v.Events)-i, "entry") + " more than are shown: download the session"
			break
		}
		r.add(e, starred[e.Seq], asm.Message()+1)
	}
	return r
}

func (r *raw) add(e *session.Entry, star bool, message int) {
	l := rawRow{Mark: direction(e), Own: e.Own, Star: star}
	switch e.Kind {
	case session.KindReply, session.KindGreeting, session.KindCommand, session.KindAuth:
		for text := range strings.SplitSeq(e.Text, "\n") {
			l.Text = text
			r.Lines = append(r.Lines, l)
			l.Star = false
		}
		return
	case session.KindData:
		l.Text, l.Message = carried(e), message
	default:
		l.Mark = "=="
		l.Text, _ = describe(e)
	}
	r.Lines = append(r.Lines, l)
}
