package replay

import (
	"strings"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
)

// waited is from how long on an app is taken to have waited for an answer. One
// that leaves sooner says nothing about the smarthost.
const waited = 300 * time.Millisecond

// learner reads one recording. The smarthost answers in order, so that each
// reply belongs to the oldest command of its verb: those before it were the
// proxy's to answer.
type learner struct {
	model     *Model
	recording int

	at      standing
	shook   bool // TLS was tried
	seen    map[moment]*exchange
	pending []asked
	early   bool // the verdict on the message under way is in

	last    *answer // the newest
	lastAt  time.Time
	appLeft time.Time
	over    bool // what follows is not about the smarthost, or cannot be read

	auth *answer // the exchange under way
	user string  // mechanism and name of it
}

// asked is something that the smarthost has not answered yet.
type asked struct {
	verb, text string
	at         time.Time
	auth       *session.Auth
	octets     int64  // of a message that was cut off
	words      string // an answer that is no reply
	part       bool   // of whose last line more had come
}

func (l *learner) read(e *session.Entry) {
	switch {
	case e.Kind == session.KindClose && e.Leg == session.App:
		l.appLeft = e.At
	case e.Kind == session.KindError && e.Leg == session.Upstream && l.last == nil && len(l.pending) == 0:
		l.failed(e)
	case l.over:
	case e.Kind == session.KindOpen && e.Leg == session.Upstream:
		l.pending = append(l.pending, asked{at: e.At})
	case e.Kind == session.KindCommand || e.Kind == session.KindAuth || e.Kind == session.KindData:
		l.heard(e)
	case e.From == session.FromUpstream && (e.Kind == session.KindReply || e.Kind == session.KindGreeting):
		l.replied(e)
	case e.From == session.FromUpstream && e.Kind == session.KindNote:
		l.noted(e)
	case e.Kind == session.KindTLS && e.Leg == session.Upstream:
		l.shaken(e)
	case e.Kind == session.KindClose && e.Leg == session.Upstream:
		l.left(e)
	}
}

// failed keeps why the newest connection did not come about.
func (l *learner) failed(e *session.Entry) {
	if l.recording == 0 || l.model.failure == "" {
		l.model.failure = e.Text
	}
}

// heard keeps what is to be answered.
func (l *learner) heard(e *session.Entry) {
	a := asked{verb: e.Verb, text: e.Text, at: e.At, auth: e.Auth}
	if e.Kind == session.KindData {
		if e.Verb != "." || l.early {
			l.early = false
			return
		}
		if e.Text != "" {
			a.octets = max(1, e.Bytes)
		}
		a.text = ""
	}
	if e.Leg == session.App && !e.Secure && l.at.secure && !leadsToTLS(e.Verb) {
		l.model.clear = true
	}
	l.pending = append(l.pending, a)
}

// leadsToTLS tells what an app says in clear on its way to STARTTLS.
func leadsToTLS(verb string) bool { return verb == "EHLO" || verb == "HELO" || verb == "STARTTLS" }

// replied files a reply under what it answers.
func (l *learner) replied(e *session.Entry) {
	a, ok := l.take(e)
	text := l.words(e.Text)
	if !ok {
		l.more(act{wait: max(0, e.At.Sub(l.lastAt)), text: text})
		l.lastAt = e.At
		return
	}
	if a.words != "" {
		text = a.words + "\n" + text
	}
	spoken := act{wait: e.Wait, text: text}
	if a.verb == "AUTH" {
		l.signIn(a, e, spoken)
		return
	}
	l.file(l.at.moment(a.verb, a.text), &answer{at: e.At, code: e.Code, acts: []act{spoken}, early: l.early})
}

// take returns what a reply answers.
func (l *learner) take(e *session.Entry) (asked, bool) {
	for i, a := range l.pending {
		if a.verb == e.Verb {
			l.pending = l.pending[i+1:]
			return a, true
		}
	}
	if e.Verb == "." {
		l.early = true
		return asked{verb: ".", at: e.At}, true
	}
	return asked{}, false
}

// words returns a recorded text as it was said, less the mark of what the
// record left out.
func (l *learner) words(text string) string {
	kept, cut := strings.CutSuffix(text, "\n[…]")
	l.model.cut = l.model.cut || cut
	return kept
}

// more adds what the smarthost does unasked.
func (l *learner) more(a act) {
	if l.last != nil {
		l.last.acts = append(l.last.acts, a)
	}
}

// file keeps the answer to a moment.
func (l *learner) file(q moment, a *answer) {
	l.at.advance(q, a.code)
	l.last, l.lastAt = a, a.at
	x := l.seen[q]
	if x == nil {
		x = &exchange{moment: q, recording: l.recording}
		l.seen[q] = x
		if q.verb != "" {
			l.model.exchanges[q.verb] = append(l.model.exchanges[q.verb], x)
		} else if l.model.greeting == nil {
			l.model.greeting, l.model.implicit = x, l.shook
		}
	}
	x.answers = append(x.answers, a)
}

// signIn gathers an AUTH exchange until the reply that ends it.
func (l *learner) signIn(a asked, e *session.Entry, spoken act) {
	if l.auth == nil {
		l.auth = &answer{initial: len(strings.Fields(a.text)) > 2}
	}
	if a.auth != nil {
		l.user = authArgument(a.auth.Mechanism, a.auth.Username)
	}
	if e.Code == 334 {
		l.auth.challenges = append(l.auth.challenges, spoken)
		return
	}
	l.auth.at, l.auth.code, l.auth.acts = e.At, e.Code, []act{spoken}
	q := l.at.moment("AUTH", "")
	q.arg = l.user
	l.file(q, l.auth)
	l.auth = nil
}

func authArgument(mechanism, user string) string {
	return strings.ToUpper(mechanism) + " " + strings.ToLower(user)
}

// noted keeps words that are no reply, in front of the answer that is due.
func (l *learner) noted(e *session.Entry) {
	switch e.Odd {
	case session.OddInvalidReply, session.OddLongLine:
	default:
		return
	}
	_, words, _ := strings.Cut(e.Text, ": ")
	words, cut := strings.CutSuffix(words, "…")
	l.model.cut = l.model.cut || cut
	if len(l.pending) == 0 || words == "" {
		return
	}
	first := &l.pending[0]
	first.words = strings.TrimPrefix(first.words+"\n"+words, "\n")
	first.part = e.Odd == session.OddLongLine
}

// shaken keeps what the handshake showed.
func (l *learner) shaken(e *session.Entry) {
	if e.TLS == nil {
		return
	}
	if l.model.handshake == nil {
		l.model.handshake = &Handshake{TLS: *e.TLS, Fault: e.Fault, At: e.At}
	}
	l.shook = true
	l.over = e.Fault != nil || e.TLS.Passthrough
	l.model.sealed = l.model.sealed || e.TLS.Passthrough && e.Fault == nil
	if l.last == nil && l.over {
		l.greetless(e.At)
	}
	l.at.shaken()
}

// greetless files a greeting that could not come: the handshake before it
// failed.
func (l *learner) greetless(at time.Time) {
	l.pending = nil
	l.file(moment{}, &answer{at: at})
}

// left keeps how the smarthost went: instead of an answer that was due, or
// behind the last one. What it did when the app had gone is no news.
func (l *learner) left(e *session.Entry) {
	end := act{end: closes}
	switch {
	case e.Fault != nil && e.Fault.Class == session.FaultReset:
		end.end = resets
	case e.Fault != nil && e.Fault.Class == session.FaultClosed:
		end.end = drops
	}
	if e.Fault != nil && e.Fault.Class == session.FaultAlert && l.model.handshake != nil && l.model.handshake.AskedCert {
		l.model.handshake.rejects = e.Fault.Alert
	}
	if !l.appLeft.IsZero() {
		return
	}
	l.over = true
	if len(l.pending) > 0 {
		l.owed(end, e.At)
		return
	}
	end.wait = max(0, e.At.Sub(l.lastAt))
	l.more(end)
}

// owed files an end instead of an answer.
func (l *learner) owed(end act, at time.Time) {
	a := l.pending[0]
	l.pending = nil
	end.wait = max(0, at.Sub(a.at))
	got := &answer{at: at, octets: a.octets, acts: []act{end}}
	if a.words != "" {
		got.acts = []act{{wait: end.wait, text: a.words, part: a.part}, {end: end.end}}
	}
	if end.end == stays {
		got.acts = got.acts[:len(got.acts)-1]
	}
	l.file(l.due(a), got)
}

// due is the moment of something that got no answer.
func (l *learner) due(a asked) moment {
	q := l.at.moment(a.verb, a.text)
	if a.verb == "AUTH" && a.auth != nil {
		q.arg = authArgument(a.auth.Mechanism, a.auth.Username)
	}
	return q
}

// finish files silence where the app has waited in vain. A connection that
// stood for a shorter time than that shows an empty greeting all the same:
// there was a port that took it.
func (l *learner) finish() {
	if l.over || len(l.pending) == 0 {
		return
	}
	a := l.pending[0]
	if a.verb == "" || a.words != "" || l.appLeft.Sub(a.at) >= waited {
		l.owed(act{}, a.at)
	}
}

// verbOfLine returns the verb of a line as records name it.
func verbOfLine(c wire.Command) string {
	if wire.Known(c.Verb) {
		return c.Verb
	}
	if len(c.Verb) > 16 || strings.Trim(c.Verb, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "" {
		return "?"
	}
	return c.Verb
}
