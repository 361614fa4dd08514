package inspect

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
)

// Limits of what is listed of a session; the rest is counted.
const (
	maxRecipients    = 1000   // of a message
	maxAllRecipients = 10_000 // of a session
	maxMessages      = 10_000
)

// none is the index of no message.
const none = -1

// mail follows the transactions of a session. With pipelining a command may
// come before the replies to those ahead of it (RFC 2920), so each command
// waits in due for its reply, together with the message it belongs to.
type mail struct {
	due     []due
	current int // index of the transaction that commands belong to, or none
	body    int // index of the message whose content is under way or was last
	begun   int // messages so far, those that are not listed included
	listed  int // recipients so far that are listed
	open    []transaction
	tallies tallies
	head    []byte // the header section of the message under way, as far as it is in
	headed  bool   // the header section has been read
	flowing bool   // content was announced, and its end is not in
}

// What of its memory mail gives to the next session: more than this belonged
// to one that was unusual.
const (
	spareDue  = 16      // commands without a reply
	spareHead = 4 << 10 // octets of a header section
)

// emptied is one without messages that has the memory of m.
func (m *mail) emptied() mail {
	var next mail
	if cap(m.due) <= spareDue {
		next.due = m.due[:0]
		clear(next.due[:cap(next.due)])
	}
	if cap(m.open) <= spareDue {
		next.open = m.open[:0]
	}
	if cap(m.head) <= spareHead {
		next.head = m.head[:0]
	}
	return next
}

// due is a command whose reply is not in.
type due struct {
	verb      string
	message   int
	recipient int  // index in To, or none
	before    int  // of MAIL: the transaction that was current
	last      bool // of BDAT
}

// at returns a listed message, or nil.
func (m *mail) at(s *Session, i int) *Message {
	if i < 0 || i >= len(s.Messages) {
		return nil
	}
	return &s.Messages[i]
}

func (m *mail) command(s *Session, e *session.Entry) {
	d := due{verb: e.Verb, message: m.current, recipient: none}
	switch e.Verb {
	case "MAIL":
		d.before = m.current
		m.begin(s, e)
		d.message = m.current
	case "RCPT":
		d.recipient = m.recipient(s, e)
	case "DATA":
		m.contentBegins()
	case "BDAT":
		m.contentBegins()
		_, d.last, _, _ = wire.Chunk(argument(e.Text))
	case "RSET", "EHLO", "HELO", "LHLO", "QUIT":
		m.callOff(m.current)
		d.message = none
		m.current = none
	}
	if t := m.transaction(d.message); t != nil {
		t.waiting++
	}
	m.due = append(m.due, d)
}

// begin starts a message.
func (m *mail) begin(s *Session, e *session.Entry) {
	m.current = m.begun
	m.begun++
	m.open = append(m.open, transaction{message: m.current})
	if m.begun > maxMessages {
		s.Omitted++
		return
	}
	s.Messages = append(s.Messages, Message{From: Address(e.Text)})
}

// recipient lists a recipient of the transaction under way.
func (m *mail) recipient(s *Session, e *session.Entry) int {
	msg := m.at(s, m.current)
	if msg == nil {
		return none
	}
	if len(msg.To) >= maxRecipients || m.listed >= maxAllRecipients {
		msg.Omitted++
		return none
	}
	m.listed++
	msg.To = append(msg.To, Recipient{Addr: Address(e.Text)})
	return len(msg.To) - 1
}

// contentBegins says that the content of the transaction under way comes next.
func (m *mail) contentBegins() {
	t := m.transaction(m.current)
	if t == nil {
		return
	}
	if m.body != m.current {
		m.head, m.headed = m.head[:0], false
	}
	m.body, t.content, m.flowing = m.current, true, true
}

// reply gives a reply to the command that it answers.
func (m *mail) reply(s *Session, e *session.Entry) {
	d, ok := m.answer(e.Verb)
	if !ok {
		return
	}
	if t := m.transaction(d.message); t != nil {
		t.waiting--
	}
	switch d.verb {
	case "MAIL":
		m.mailReply(s, d, e)
	case "RCPT":
		m.recipientReply(s, d, e)
	case "DATA":
		m.dataReply(s, d, e)
	case ".":
		m.verdict(s, d, e)
	case "BDAT":
		if d.last || e.Code >= 400 {
			m.verdict(s, d, e)
		}
	}
	m.settleCalledOff(d.message)
}

// answer takes the command that a reply answers out of the queue. Commands
// ahead of it have lost their replies to a gap in the record.
func (m *mail) answer(verb string) (due, bool) {
	for i, d := range m.due {
		if d.verb == verb {
			m.drop(i + 1)
			return d, true
		}
	}
	return due{}, false
}

// drop takes the first n commands off the queue. A short queue keeps its
// memory; moving a long one for each reply would cost too much.
func (m *mail) drop(n int) {
	if len(m.due) <= 16 {
		m.due = append(m.due[:0], m.due[n:]...)
		return
	}
	m.due = m.due[n:]
}

// mailReply ends a message that was refused; the transaction before it, if
// there is one still, goes on then. One that was accepted takes its place.
func (m *mail) mailReply(s *Session, d due, e *session.Entry) {
	if e.Code < 400 {
		if t := m.transaction(d.before); t != nil && !t.content {
			m.callOff(d.before)
		}
		return
	}
	m.verdict(s, d, e)
	if m.current == none && m.transaction(d.before) != nil {
		m.current = d.before
	}
}

func (m *mail) recipientReply(s *Session, d due, e *session.Entry) {
	refused := e.Code >= 400
	msg := m.at(s, d.message)
	if msg != nil && refused {
		msg.Refused++
	}
	if msg != nil && d.recipient >= 0 {
		r := &msg.To[d.recipient]
		r.Code, r.Enhanced, r.Text = e.Code, e.Enhanced, replyText(e.Text)
	}
	t := m.transaction(d.message)
	switch {
	case t == nil:
	case refused && !undecided(e):
		t.refused++
	case !refused:
		t.taken++
	}
}

// dataReply lets the verdict wait behind a 354.
func (m *mail) dataReply(s *Session, d due, e *session.Entry) {
	if e.Code/100 != 3 {
		m.verdict(s, d, e)
		return
	}
	if t := m.transaction(d.message); t != nil {
		t.waiting++
	}
	m.due = slices.Insert(m.due, 0, due{verb: ".", message: d.message, recipient: none})
}

// verdict ends a message with the reply that decided it.
func (m *mail) verdict(s *Session, d due, e *session.Entry) {
	t := m.transaction(d.message)
	if t == nil { // decided before: the first refusal counts, the rest follow from it
		return
	}
	if msg := m.at(s, d.message); msg != nil {
		msg.Code, msg.Enhanced, msg.Text = e.Code, e.Enhanced, replyText(e.Text)
	}
	switch {
	case e.Code < 400:
		m.tallies.accepted++
		if t.refused > 0 {
			m.tallies.partial++
		}
	case undecided(e):
		m.tallies.cut++
	default:
		m.tallies.refused++
	}
	m.end(d.message)
}

// undecided reports whether a refusal is the proxy's word that the upstream
// gave none.
func undecided(e *session.Entry) bool {
	return e.From == session.FromProxy && e.Code < 500
}

// data adds the octets of a body or chunk that was passed on.
func (m *mail) data(s *Session, e *session.Entry) {
	m.flowing = false
	if msg := m.at(s, m.body); msg != nil {
		msg.Size += e.Bytes
	}
}

// content reads the header section of the message under way.
func (m *mail) content(s *Session, b []byte, capture string) {
	msg := m.at(s, m.body)
	if msg == nil {
		return
	}
	if msg.Captured == "" {
		msg.Captured = capture
	}
	if capture == "none" || m.headed {
		return
	}
	head := b
	if len(m.head) > 0 {
		m.head = append(m.head, b[:min(len(b), maxHead)]...)
		head = m.head
	}
	end := HeaderEnd(head)
	if end == 0 && len(head) < maxHead {
		if len(m.head) == 0 {
			m.head = append(m.head, b...)
		}
		return
	}
	m.headed = true
	if end == 0 {
		end = maxHead
	}
	msg.Subject, msg.MessageID = headers(head[:min(end, len(head))])
	m.head = m.head[:0]
}

// Address returns the address of a MAIL or RCPT command: without brackets,
// source route and parameters. A quoted local part may hold anything.
func Address(text string) string {
	arg := argument(text)
	if _, after, ok := strings.Cut(arg, ":"); ok {
		arg = after
	}
	arg = strings.TrimSpace(arg)
	if rest, ok := strings.CutPrefix(arg, "<"); ok {
		arg = rest[:pathEnd(rest, '>')]
		if _, after, routed := strings.Cut(arg, ":"); routed && strings.HasPrefix(arg, "@") {
			arg = after
		}
		return strings.Clone(arg)
	}
	return strings.Clone(arg[:pathEnd(arg, ' ')])
}

// pathEnd finds the first end outside quotes.
func pathEnd(s string, end byte) int {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == end && !quoted:
			return i
		}
	}
	return len(s)
}

// argument cuts the verb off a command line.
func argument(text string) string {
	_, arg, _ := strings.Cut(strings.TrimLeft(text, " \t"), " ")
	return arg
}

// replyText is the text of a reply without the codes of its lines.
func replyText(text string) string {
	if !strings.Contains(text, "\n") {
		if _, _, rest, ok := wire.ReplyLine([]byte(text)); ok {
			return text[len(text)-len(rest):]
		}
		return text
	}
	if r, ok := wire.ParseReply(text); ok {
		return r.Text()
	}
	return text
}

func codeText(code int, enhanced string) string {
	if enhanced == "" {
		return strconv.Itoa(code)
	}
	return strconv.Itoa(code) + " " + enhanced
}

// HeaderEnd returns the length of the header section of a message, the blank
// line included, or 0 when its end is not in b.
func HeaderEnd(b []byte) int {
	if bytes.HasPrefix(b, []byte("\r\n")) {
		return 2
	}
	if i := bytes.Index(b, []byte("\r\n\r\n")); i >= 0 {
		return i + 4
	}
	return 0
}
