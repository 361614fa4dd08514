package session

import (
	"bytes"
	"fmt"
	"strings"

	"smtp-proxy/proxy/wire"
)

// readUpstream passes reply lines on as they end and acts on whole replies.
func (m *Machine) readUpstream() {
	for len(m.up) > 0 {
		n := m.replyOnce()
		if n == 0 {
			return
		}
		m.up = m.up[n:]
	}
}

// replyOnce returns how many octets it has dealt with.
func (m *Machine) replyOnce() int {
	switch {
	case m.over:
		return len(m.up)
	case m.explaining:
		return 0
	case m.awaitsHello():
		return m.holdInjected()
	case m.tunnel != nil:
		return m.carry(Upstream, m.up)
	case m.opaque:
		m.write(App, m.up, false)
		return len(m.up)
	case m.shaking:
		return m.discardInjected(Upstream, len(m.up))
	}
	n := bytes.IndexByte(m.up, '\n') + 1
	if n > m.cfg.MaxReply || n == 0 && len(m.up) > m.cfg.MaxReply {
		return m.longReply()
	}
	if n > 0 {
		m.replyLine(m.up[:n])
	}
	return n
}

// longReply deals with a line too long to be understood.
func (m *Machine) longReply() int {
	what := fmt.Sprintf("a reply line of more than %d octets", m.cfg.MaxReply)
	m.noteLong(what, string(m.up))
	if m.withholding() || m.mustUnderstand() {
		m.fail("421 4.5.0", m.cfg.Upstream+" sent "+what)
		return len(m.up)
	}
	m.goOpaque("a reply line is too long to be understood", "")
	return 0
}

// noteLong records what the upstream sent too much of, with its first words:
// they tell whether a mail server has said them.
func (m *Machine) noteLong(what string, sent string) {
	const most = 100
	words := oneLine(strings.ReplaceAll(m.mask(sent), "\r\n", " ")) // the whole first: half a secret would not be known
	if len(words) > most {
		words = strings.ToValidUTF8(words[:most], "") + "…"
	}
	m.note(Upstream, OddLongLine, what+": "+words).From = FromUpstream
}

// withholding reports whether the reply under way is kept from the app until
// it is complete.
func (m *Machine) withholding() bool {
	return len(m.waiting) > 0 && m.waiting[0].whole
}

// replyLine deals with one line of a reply.
func (m *Machine) replyLine(raw []byte) {
	code, more, text, ok := wire.ReplyLine(raw)
	switch {
	case m.withholding():
		m.withhold(raw)
	case ok && !more && m.annotates(code):
		m.tail = append([]byte(nil), raw...)
	default:
		m.write(App, raw, false)
		m.partial = more
	}
	if m.over {
		return
	}
	m.keepText(raw, more)
	if !ok {
		m.invalidReply(raw)
		return
	}
	if !more {
		m.replyComplete(code, wire.Enhanced(code, text))
	}
}

// withhold keeps a line back until its reply is complete.
func (m *Machine) withhold(raw []byte) {
	if len(m.withheld) == 0 {
		m.withheld = make([]byte, 0, m.atHand(len(raw)))
	}
	m.withheld = append(m.withheld, raw...)
	if len(m.withheld) > m.cfg.MaxReply {
		what := fmt.Sprintf("a reply of more than %d octets", m.cfg.MaxReply)
		m.noteLong(what, string(m.withheld))
		m.fail("421 4.5.0", m.cfg.Upstream+" sent "+what)
	}
}

// atHand guesses how long a reply of several lines will be: most come in one
// piece, which is here. n is the length of its first line.
func (m *Machine) atHand(n int) int {
	const enough = 512 // what else is here may belong to other replies
	return max(n, min(len(m.up), enough))
}

// keepText adds a line to the text of the reply under way, which is bounded.
func (m *Machine) keepText(raw []byte, more bool) {
	line := trimNewlines(raw)
	if m.reply.Len()+len(line) > m.cfg.MaxReply {
		if !m.cut {
			m.noteLong(fmt.Sprintf("a reply of more than %d octets", m.cfg.MaxReply), m.reply.String())
		}
		m.cut = true
		return
	}
	switch {
	case m.reply.Len() > 0:
		m.reply.WriteByte('\n')
	case more:
		m.reply.Grow(m.atHand(len(line)))
	default:
		m.reply.Grow(len(line))
	}
	m.reply.Write(line)
	if !m.oddReplies && !bytes.HasSuffix(raw, []byte("\r\n")) {
		m.oddReplies = true
		m.note(Upstream, OddBareLF, "the upstream ends a reply line with LF alone")
	}
}

// trimNewlines cuts all CR and LF at the end of a line.
func trimNewlines(line []byte) []byte {
	for n := len(line); n > 0 && (line[n-1] == '\n' || line[n-1] == '\r'); n-- {
		line = line[:n-1]
	}
	return line
}

// takeText returns the text of the reply that is complete, redacted.
func (m *Machine) takeText() string {
	text := m.mask(m.reply.String())
	if m.cut {
		text += "\n[…]"
	}
	m.cut = false
	m.reply.Reset() // the text owns its memory now
	return text
}

// invalidReply records a line that is no SMTP reply. It has gone on to the app
// unless the proxy itself waits for the answer.
func (m *Machine) invalidReply(raw []byte) {
	odd, what := OddInvalidReply, "a line that is no SMTP reply"
	if wire.LooksLikeTLS(raw) {
		odd, what = OddTLSOnPlain, "a TLS record where a plaintext reply was due"
	}
	text := m.takeText()
	if !m.oddLines {
		m.oddLines = true
		m.note(Upstream, odd, what+": "+text).From = FromUpstream
	}
	if m.withholding() {
		m.fail("421 4.5.0", m.cfg.Upstream+" sent "+what)
	}
}

// replyComplete pairs a reply with its command and acts on it.
func (m *Machine) replyComplete(code int, enhanced string) {
	raw := m.withheld
	m.withheld, m.partial = nil, false
	m.goodbye = m.goodbye || code == 221 || code == 421
	size := int64(m.reply.Len())
	text := m.takeText()
	if enhanced == "" {
		enhanced = wire.EnhancedIn(text)
	}
	if len(m.waiting) == 0 {
		m.unsolicited(code, enhanced, text)
		m.explain()
		return
	}
	p := m.pop()
	e := m.entry(Upstream, FromUpstream, KindReply, p.phase)
	e.Verb, e.Own, e.Code, e.Enhanced, e.Text = p.verb, p.own, code, enhanced, text
	e.Wait, e.Bytes = m.now.Sub(p.sent), size
	if p.verb == "" && !m.greeted {
		e.Kind, m.greeted = KindGreeting, true
	}
	m.noteEarlyReply()
	m.explain()
	m.act(p, e, raw)
	m.answerLocals()
}

// unsolicited records a reply to no command. A 421 may come at any moment (RFC
// 5321, section 3.8); anything else means that the two no longer pair up.
func (m *Machine) unsolicited(code int, enhanced, text string) {
	e := m.entry(Upstream, FromUpstream, KindReply, m.phase)
	e.Code, e.Enhanced, e.Text = code, enhanced, text
	if code != 421 {
		m.note(Upstream, OddUnsolicited, "a reply to no command: "+text)
	}
}

// noteEarlyReply records a verdict that came before the end of the message.
func (m *Machine) noteEarlyReply() {
	if m.inBody() && len(m.waiting) == 0 && !m.answered {
		m.answered = true
		m.note(Upstream, OddEarlyReply, "the reply came before the end of the message")
	}
}

// act does what a reply changes. raw is the reply as sent when it was withheld.
func (m *Machine) act(p pending, e *Entry, raw []byte) {
	switch {
	case p.role == roleProbe:
		m.probed(p, e, raw)
		return
	case p.role == roleOwnTLS || p.role == roleAppTLS:
		m.starttlsAnswered(p, e.Code, raw)
		return
	case p.role == roleTunnel:
		m.tunnelAnswered(e.Code)
		return
	case p.verb == "EHLO" || p.verb == "HELO":
		m.helloAnswered(p, e.Code, raw)
		return
	}
	switch p.verb {
	case "DATA":
		m.dataAnswered(e.Code)
	case "AUTH":
		m.authAnswered(e)
	case ".":
		m.verdict()
	case "BDAT":
		if p.phase == PhaseDot {
			m.verdict()
		}
	case "MAIL":
		m.inMessage = m.inMessage && e.Code < 400
	default:
		if e.Code/100 == 3 && p.verb != "" {
			m.goOpaque("the upstream asks for data after "+strings.Replace(p.verb, "?", "a command that is not known", 1), "")
		}
	}
}

func (m *Machine) dataAnswered(code int) {
	if code/100 != 3 {
		m.resume()
		return
	}
	m.phase = PhaseDot
	m.data, m.body, m.answered = wire.Data{}, 0, false
	m.expect(pending{verb: ".", phase: PhaseDot})
	m.reading = readBody
	m.readApp()
}

// verdict closes a transaction.
func (m *Machine) verdict() {
	m.inMessage, m.phase = false, PhaseMail
	if m.gone[App] {
		m.note(App, OddVanishedVerdict, "the app had left before this verdict came")
	}
}
