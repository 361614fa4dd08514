package web

import (
	"strconv"
	"strings"

	"smtp-proxy/proxy/session"
)

// piped is where a line stands within commands that were sent without waiting
// for the replies between them (RFC 2920).
type piped struct {
	at      string // piped, with first or last
	name    string // of the group, on its first line
	answers string // the command that a reply belongs to
}

// pipelined finds the groups of a dialogue: from the first command until all of
// them are answered. The proxy's own dialogue does not count.
func pipelined(events []session.Entry) map[int]piped {
	all := map[int]piped{}
	var g group2920
	for i := range events {
		e := &events[i]
		switch {
		case e.Own:
		case e.From == session.FromApp && (e.Kind == session.KindCommand || e.Kind == session.KindAuth):
			g.said(i, e)
		case e.Kind == session.KindReply && len(g.waiting) > 0:
			g.answered(e, all)
			if len(g.waiting) == 0 {
				g.close(events[g.from:i+1], all)
			}
		}
	}
	if g.most > 1 && len(g.waiting) > 0 {
		g.close(events[g.from:], all)
	}
	return all
}

// group2920 is a group under way.
type group2920 struct {
	from    int      // index of its first command
	waiting []string // commands without a reply
	most    int      // how many waited at once
	sent    int
}

func (g *group2920) said(i int, e *session.Entry) {
	if len(g.waiting) == 0 {
		*g = group2920{from: i}
	}
	g.waiting = append(g.waiting, e.Text)
	g.sent++
	g.most = max(g.most, len(g.waiting))
}

// answered pairs a reply with its command. One for another verb leaves the
// commands before it without a reply.
func (g *group2920) answered(e *session.Entry, all map[int]piped) {
	at := 0
	for i, text := range g.waiting {
		if e.Verb != "" && len(text) >= len(e.Verb) && strings.EqualFold(text[:len(e.Verb)], e.Verb) {
			at = i
			break
		}
	}
	if g.most > 1 {
		all[e.Seq] = piped{answers: cut(g.waiting[at]).beginning()}
	}
	g.waiting = g.waiting[at+1:]
}

func (g *group2920) close(events []session.Entry, all map[int]piped) {
	if g.most < 2 {
		return
	}
	for i := range events {
		p := all[events[i].Seq]
		p.at = "piped"
		if i == 0 {
			p.at, p.name = "piped first", strconv.Itoa(g.sent)+" commands without waiting"
		}
		if i == len(events)-1 {
			p.at += " last"
		}
		all[events[i].Seq] = p
	}
}

// beginning is a text, or its head when it is long.
func (f folded) beginning() string {
	if f.Head != "" {
		return f.Head + "…"
	}
	return f.Whole
}
