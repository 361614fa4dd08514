package main

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
)

// How the record becomes two conversations.
//
// The record holds each word once, on the leg that it came from; the other leg
// got it too, unless the proxy stood in between, and then a note says so. acts
// reads the notes and writes down what happened on each leg:
//
//	an app's command        app leg; upstream leg unless it "was not sent on"
//	the proxy's own command upstream leg
//	an upstream's reply     upstream leg; app leg unless it was the proxy's to
//	                        read, and with the edits that follow it
//	the proxy's reply       app leg
//
// Remarks are for the packet that comes next.

// act is one thing that happened on a leg, or on both at once (a body).
type act struct {
	at   time.Time
	seq  int // of the entry that tells of it
	leg  session.Side
	kind actKind
	up   bool   // towards the smarthost: from the app, or from the proxy to the upstream
	text string // words, with their line ends
	dial *session.Dial
	dead bool // of a dial: it was refused; of an end: a reset

	content *passage
	remarks []string
}

// actKind is what an act does to a leg's stream.
type actKind uint8

const (
	actRemark actKind = iota // nothing
	actDial                  // SYN
	actOpen                  // the handshake of TCP is complete
	actSay                   // words
	actBody                  // message content, on both legs
	actSecure                // from here the words were under TLS
	actEnd                   // FIN or RST from one end
	actDone                  // the proxy closes what it has open
)

// passage is a stretch of message content.
type passage struct {
	message int
	size    int64
	tail    string // what follows it on the wire, in the same breath
	sealed  bool   // it ends with CRLF, whether that was captured or not
	counted bool   // by BDAT: its size was announced
}

// plot finds the acts of a session.
type plot struct {
	acts  []act
	seq   int
	reach bool // the upstream leg is open

	asked  bool   // the last word was the app's
	sent   *act   // the upstream's share of the app's last command
	shown  *act   // the app's share of the last reply
	held   string // a HELO that waits behind the proxy's own EHLO
	awaits *act   // the upstream's 220 to the app's STARTTLS, until that leg has shaken hands
	hello  string // the last good EHLO reply of the upstream
}

// actsOf returns what happened on the legs of a session, in order of time.
func actsOf(s *inspect.Session) []act {
	// Pointers into acts stay good as long as the slice does not grow beyond:
	// an entry makes three at most.
	b := &plot{acts: make([]act, 0, 3*len(s.Events)+2)}
	n := newNumbering(s)
	last := s.Started // a clock that was set back must not turn the order round
	for _, e := range s.Events {
		last = later(last, e.At)
		e.At = last
		b.entry(&e, n.of(&e))
	}
	b.seq = 0
	if !s.Ended.IsZero() {
		b.add(act{at: later(last, s.Ended), leg: session.App, kind: actDone})
		b.add(act{at: later(last, s.Ended), leg: session.Upstream, kind: actDone})
	}
	slices.SortStableFunc(b.acts, func(x, y act) int { return cmp.Compare(x.at.UnixNano(), y.at.UnixNano()) })
	return b.acts
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func (b *plot) add(a act) *act {
	a.seq = b.seq
	b.acts = append(b.acts, a)
	return &b.acts[len(b.acts)-1]
}

func (b *plot) entry(e *session.Entry, message int) {
	b.seq = e.Seq
	switch e.Kind {
	case session.KindOpen:
		b.open(e)
	case session.KindCommand, session.KindAuth:
		b.command(e)
	case session.KindGreeting, session.KindReply:
		b.reply(e)
	case session.KindData:
		b.body(e, message)
	case session.KindTLS:
		b.secured(e)
	case session.KindClose:
		b.closed(e)
	case session.KindError:
		b.failed(e)
	default:
		b.note(e)
	}
}

func (b *plot) open(e *session.Entry) {
	if e.Leg == session.Upstream {
		b.reach = true
		if e.Dial == nil {
			e.Dial = &session.Dial{}
		}
	}
	b.dialled(e)
	b.add(act{at: e.At, leg: e.Leg, kind: actOpen, dial: e.Dial})
}

// dialled puts the SYN where the attempt began.
func (b *plot) dialled(e *session.Entry) *act {
	began := e.At
	if e.Dial != nil {
		began = began.Add(-e.Dial.Duration)
	}
	return b.add(act{at: began, leg: e.Leg, kind: actDial, dial: e.Dial})
}

// failed is an attempt that nobody answered, or with a reset. Other errors
// have no packet.
func (b *plot) failed(e *session.Entry) {
	if e.Dial == nil || e.Fault == nil {
		b.note(e)
		return
	}
	refused := e.Fault.Class == session.FaultRefused
	b.dialled(e).dead = true
	if refused {
		b.add(act{at: e.At, leg: e.Leg, kind: actEnd, dial: e.Dial, dead: true, remarks: []string{visible(e.Text)}})
		return
	}
	b.note(e)
}

func (b *plot) command(e *session.Entry) {
	line := e.Text + "\r\n"
	if e.Own {
		if b.held != "" && e.Verb == "HELO" {
			b.held = ""
		}
		b.add(act{at: e.At, leg: session.Upstream, kind: actSay, up: true, text: line})
		return
	}
	b.add(act{at: e.At, leg: session.App, kind: actSay, up: true, text: line})
	b.sent, b.asked = nil, true
	if b.reach {
		b.sent = b.add(act{at: e.At, leg: session.Upstream, kind: actSay, up: true, text: line})
	}
}

func (b *plot) reply(e *session.Entry) {
	text := replyBytes(e.Text)
	b.asked = false
	if e.From == session.FromProxy {
		b.awaits = nil // whatever the app waited for, this is the answer
		b.shown = b.add(act{at: e.At, leg: session.App, kind: actSay, text: text})
		return
	}
	if b.held != "" && e.Verb == "HELO" && !e.Own {
		b.add(act{at: e.At.Add(-e.Wait), leg: session.Upstream, kind: actSay, up: true, text: b.held})
		b.held = ""
	}
	b.add(act{at: e.At, leg: session.Upstream, kind: actSay, text: text})
	if e.Own {
		b.shown = nil
		return
	}
	b.shown = b.add(act{at: e.At, leg: session.App, kind: actSay, text: text})
	switch {
	case e.Verb == "EHLO" && e.Code/100 == 2:
		b.hello = text
	case e.Verb == "STARTTLS" && e.Code == 220:
		b.awaits = b.shown
	}
}

// replyBytes gives the lines of a reply their line ends back. The record marks
// the end of one that was too long to keep; the mark is not the upstream's.
func replyBytes(text string) string {
	text = strings.TrimSuffix(text, "\n[…]")
	return strings.ReplaceAll(text, "\n", "\r\n") + "\r\n"
}

func (b *plot) body(e *session.Entry, message int) {
	p := &passage{message: message, size: e.Bytes, counted: e.Verb == "BDAT"}
	if e.Verb == "." && e.Text == "" {
		p.tail, p.sealed = ".\r\n", true
	}
	a := b.add(act{at: e.At, leg: e.Leg, kind: actBody, up: true, content: p})
	if e.Text != "" {
		a.remarks = []string{"the message was " + visible(e.Text)}
	}
}

// secured begins what was under TLS. In passthrough nothing of it can be read.
func (b *plot) secured(e *session.Entry) {
	passthrough := e.TLS != nil && e.TLS.Passthrough
	if e.Leg == session.Upstream && !passthrough {
		b.upstreamSecured(e)
	}
	text := visible(e.Text)
	switch {
	case passthrough && e.Fault == nil && e.Leg == session.App:
		b.remark(e, text+": what they said under it is not in the record")
	case passthrough && e.Fault == nil: // the app's leg has told it
	case e.Fault != nil:
		b.remark(e, text)
	default:
		b.add(act{at: e.At, leg: e.Leg, kind: actSecure, text: text})
	}
}

// upstreamSecured lets the app have the 220 that it has waited for, or never.
func (b *plot) upstreamSecured(e *session.Entry) {
	if b.awaits == nil {
		return
	}
	b.awaits.at = e.At
	if e.Fault != nil {
		drop(b.awaits)
	}
	b.awaits = nil
}

func (b *plot) closed(e *session.Entry) {
	reset := e.Fault != nil && e.Fault.Class == session.FaultReset
	ended := e.Fault == nil || reset || e.Fault.Class == session.FaultClosed || e.Fault.Class == session.FaultAlert || e.Fault.Class == session.FaultHiddenAlert
	if e.From != session.Origin(e.Leg) || !ended { // the proxy's own end, or a silence
		b.note(e)
		return
	}
	b.add(act{at: e.At, leg: e.Leg, kind: actEnd, up: e.Leg == session.App, dead: reset, remarks: []string{visible(e.Text)}})
}

// note reads what was different on the two legs.
func (b *plot) note(e *session.Entry) {
	switch text := e.Text; {
	case e.Odd == session.OddHTTP:
		b.withhold()
	case e.Odd == session.OddNotOffered && b.asked:
		b.withhold()
	case e.Odd == session.OddNotOffered:
		drop(b.shown) // the app gets the proxy's refusal instead
	case !e.Edit:
	case strings.HasSuffix(text, "the command was not sent on"), strings.HasPrefix(text, "the proxy answered the app's STARTTLS"),
		strings.HasPrefix(text, "the EHLO after STARTTLS on the app's leg was answered"):
		b.withhold()
	case strings.HasPrefix(text, "the proxy said EHLO before the app's HELO"):
		b.delay()
	case e.Leg == session.App && b.shown != nil:
		b.edited(text)
		b.shown.remarks = append(b.shown.remarks, "edit: "+visible(text))
		return
	}
	if e.Text != "" {
		b.remark(e, string(e.Kind)+": "+visible(e.Text))
	}
}

// withhold takes the app's last command from the upstream leg.
func (b *plot) withhold() {
	drop(b.sent)
	b.sent = nil
}

// delay keeps the app's HELO until the proxy has asked its own question.
func (b *plot) delay() {
	if b.sent != nil {
		b.held = b.sent.text
	}
	b.withhold()
}

func drop(a *act) {
	if a != nil {
		a.kind = actRemark
	}
}

// edited makes the change to the last reply that a note tells of.
func (b *plot) edited(text string) {
	reply, line, added := b.shown.text, "", false
	switch {
	case strings.HasPrefix(text, "the upstream refused a second EHLO"):
		reply = b.hello
	case strings.HasPrefix(text, "added STARTTLS"):
		reply = editEHLO(reply, wire.EHLOEdit{Add: "STARTTLS"})
	case strings.HasPrefix(text, "removed STARTTLS"):
		reply = editEHLO(reply, wire.EHLOEdit{Remove: "STARTTLS"})
	case strings.HasPrefix(text, "removed "):
		reply = editEHLO(reply, wire.EHLOEdit{Unbindable: true})
	default:
		if line, added = strings.CutPrefix(text, "added a line to the reply: "); added {
			reply = withLine(reply, line)
		}
	}
	b.shown.text = reply
}

func editEHLO(reply string, edit wire.EHLOEdit) string {
	out, _ := wire.EditEHLO([]byte(reply), edit)
	return string(out)
}

// withLine adds a line with the codes of the last one (RFC 5321, section
// 4.2.1).
func withLine(reply, line string) string {
	body := strings.TrimSuffix(reply, "\r\n")
	i := strings.LastIndexByte(body, '\n') + 1
	last := body[i:]
	code, _, text, ok := wire.ReplyLine([]byte(last + "\r\n"))
	if !ok {
		return reply
	}
	head := last[:3]
	if enhanced := wire.Enhanced(code, text); enhanced != "" {
		head += " " + enhanced
	}
	return body[:i] + last[:3] + "-" + strings.TrimPrefix(last[3:], " ") + "\r\n" + head + " " + line + "\r\n"
}

func (b *plot) remark(e *session.Entry, text string) {
	b.add(act{at: e.At, leg: e.Leg, kind: actRemark, remarks: []string{text}})
}
