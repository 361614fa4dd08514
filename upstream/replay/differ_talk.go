package replay

import (
	"fmt"
	"strings"

	"smtp-proxy/proxy/session"
)

// diffTalk compares what the app said and what was answered.
func diffTalk(x, y Recording) (all []Difference) {
	a, b := turnsOf(x.Entries), turnsOf(y.Entries)
	var alone lone
	for _, p := range align(a, b) {
		if p.a < 0 || p.b < 0 {
			alone.add(a, b, p)
			continue
		}
		all = append(all, alone.told()...)
		all = append(all, diffTurn(&a[p.a], &b[p.b])...)
	}
	return append(all, alone.told()...)
}

func diffTurn(a, b *turn) (all []Difference) {
	if a.same != b.same {
		all = append(all, Difference{RankSaid, a.verb, a.text, b.text, "the app said it otherwise"})
	}
	where := a.where(b)
	switch {
	case a.reply == nil && b.reply == nil:
		return all
	case a.reply == nil || b.reply == nil:
		return append(all, Difference{RankRefused, where, said(a.reply), said(b.reply), "only one was answered"})
	}
	if why := compareAnswers(a, b); why != "" {
		all = append(all, Difference{refusedOr(RankReplied, a.reply, b.reply), where, said(a.reply), said(b.reply), why})
	}
	return append(all, slower(a.phase, "reply to "+where, a.reply.Wait, b.reply.Wait)...)
}

// where names what two replies belong to.
func (x *turn) where(other *turn) string {
	switch {
	case x.verb == unasked:
		return "a reply to no command"
	case x.same != other.same:
		return x.verb
	}
	return oneLine(x.text)
}

// compareAnswers leaves the keywords of EHLO to who compares them once for a
// session, and has them as the upstream sent them.
func compareAnswers(a, b *turn) string {
	if a.verb == "EHLO" && a.reply.Code == 250 && b.reply.Code == 250 {
		return ""
	}
	return sideBySide.compare(*a.reply, *b.reply)
}

// refusedOr is the rank of two replies that differ: RankRefused when only one
// is a refusal.
func refusedOr(rank Rank, a, b *session.Entry) Rank {
	if refuses(a) != refuses(b) {
		return RankRefused
	}
	return rank
}

func refuses(e *session.Entry) bool { return e.Code >= 400 || e.Code == 0 }

// said is a reply in one line.
func said(e *session.Entry) string {
	switch {
	case e == nil:
		return ""
	case e.Verb == "EHLO" && e.Code == 250:
		return status(*e)
	}
	return oneLine(unfold(e.Text))
}

// mostSaid bounds a text of a peer that a difference shows, in octets.
const mostSaid = 400

func oneLine(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > mostSaid {
		text = strings.ToValidUTF8(text[:mostSaid], "") + "…"
	}
	return text
}

// lone collects commands in a row that have no counterpart.
type lone struct{ a, b []*turn }

func (l *lone) add(a, b []turn, p pair) {
	if p.b < 0 {
		l.a = append(l.a, &a[p.a])
	} else {
		l.b = append(l.b, &b[p.b])
	}
}

// told makes one difference of what was collected.
func (l *lone) told() []Difference {
	a, b := l.a, l.b
	*l = lone{}
	if len(a)+len(b) == 0 {
		return nil
	}
	d := Difference{RankSaid, "dialogue", inBrief(a), inBrief(b), "said in both, not the same"}
	switch {
	case len(b) == 0:
		d.Why = "only in the first"
	case len(a) == 0:
		d.Why = "only in the second"
	}
	return []Difference{d}
}

// mostTold bounds how many commands in a row are listed.
const mostTold = 8

func inBrief(said []*turn) string {
	var parts []string
	for i, x := range said {
		if i == mostTold {
			parts = append(parts, fmt.Sprintf("… and %d more", len(said)-mostTold))
			break
		}
		part := oneLine(x.text)
		if x.reply != nil {
			part = strings.TrimSpace(part + " (" + status(*x.reply) + ")")
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "; ")
}
