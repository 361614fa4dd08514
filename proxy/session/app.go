package session

import (
	"cmp"
	"fmt"

	"smtp-proxy/proxy/wire"
)

// readApp understands as much of the app's bytes as the current reading allows.
func (m *Machine) readApp() {
	if m.busy { // a change made by a line that is being read: the loop below goes on
		return
	}
	m.busy = true
	defer func() { m.busy = false }()
	for len(m.app) > 0 {
		n := m.readOnce()
		if n == 0 {
			return
		}
		m.app = m.app[n:]
	}
}

// readOnce returns how many octets it has dealt with.
func (m *Machine) readOnce() int {
	switch m.reading {
	case readNothing:
		m.noteHaste()
		return 0
	case readGone:
		return len(m.app)
	case readHandshake:
		return m.discardInjected(App, len(m.app))
	case readTunnel:
		return m.carry(App, m.app)
	case readOpaque:
		m.write(Upstream, m.app, false)
		return len(m.app)
	case readBody:
		return m.readBody()
	case readChunk:
		return m.readChunk()
	case readRest:
		return m.readRest()
	}
	return m.readLine()
}

// readLine takes one command or SASL line.
func (m *Machine) readLine() int {
	if yes, sure := m.beginsTLS(); yes && m.reading == readCommands {
		if !sure {
			return 0
		}
		return m.tunnelFromApp()
	}
	if !m.spoke && !m.secure[App] && wire.LooksLikeTLS(m.app) {
		return m.tlsOnPlain()
	}
	n := wire.CommandEnd(m.app)
	if limit := m.lineLimit(); n > limit || n == 0 && len(m.app) > limit {
		return m.refuseLength(n, limit)
	}
	switch {
	case n == 0:
		return 0
	case m.reading == readSASL:
		m.saslLine(m.app[:n])
	default:
		m.command(m.app[:n])
	}
	return n
}

func (m *Machine) lineLimit() int {
	if m.reading == readSASL {
		return m.cfg.MaxSASL
	}
	return m.cfg.MaxCommand
}

// noteHaste records, once, that the app goes on where it has to wait
// (RFC 2920, section 3.1).
func (m *Machine) noteHaste() {
	if m.hasty || m.over || m.speaksTLS() {
		return
	}
	m.hasty = true
	switch {
	case !m.greeted && m.held == "":
		m.noteEarly()
	case m.held != "STARTTLS": // there it is judged when the handshake begins
		m.note(App, OddPipelining, "the app went on without waiting for the reply to "+m.held)
	}
}

// noteEarly records, once, that the app did not wait for the greeting (RFC
// 5321, section 4.3.1).
func (m *Machine) noteEarly() {
	if !m.early && !m.greeted {
		m.early = true
		m.note(App, OddEarlyTalk, "the app spoke before the greeting")
	}
}

// refuseLength answers a line over the limit. A command's line is dropped and
// the session goes on; in an AUTH exchange the upstream would wait for the
// line for ever, so the session ends.
func (m *Machine) refuseLength(n, limit int) int {
	m.note(App, OddLongLine, fmt.Sprintf("a line of more than %d octets", limit))
	if m.reading == readSASL {
		m.fail("500 5.5.6", fmt.Sprintf("this line of the AUTH exchange is longer than %d octets", limit))
		return len(m.app)
	}
	m.spoke = true
	m.refuse("", m.phase, OddLongLine, fmt.Sprintf("500 5.5.2 smtp-proxy: line too long: a command may have %d octets", limit))
	if n > 0 {
		return n
	}
	m.reading = readRest
	return len(m.app) - trailingCR(m.app)
}

// readRest drops the rest of a refused line.
func (m *Machine) readRest() int {
	if n := wire.CommandEnd(m.app); n > 0 {
		m.reading = readCommands
		return n
	}
	return len(m.app) - trailingCR(m.app)
}

// trailingCR is 1 when the last byte may be the first half of a CRLF.
func trailingCR(b []byte) int {
	if len(b) > 0 && b[len(b)-1] == '\r' {
		return 1
	}
	return 0
}

// tlsOnPlain deals with an app that speaks TLS where text is due. Its bytes go
// through unread unless the settings forbid that anything unknown goes out.
func (m *Machine) tlsOnPlain() int {
	m.spoke = true
	m.note(App, OddTLSOnPlain, "the app began with a TLS record where a plaintext command was due")
	m.goOpaque("what the app sends is TLS", "this port expects plaintext first, and then STARTTLS; you began with TLS")
	if m.over {
		return len(m.app)
	}
	m.write(Upstream, m.app, false)
	return len(m.app)
}

// goOpaque ends understanding: from here the session is a plain tube.
// Where the settings demand TLS first, that is no way out: the session ends,
// with refusal as the reason.
func (m *Machine) goOpaque(why, refusal string) {
	if m.opaque {
		return
	}
	if m.mustUnderstand() {
		m.fail("554 5.5.1", cmp.Or(refusal, why))
		return
	}
	m.opaque, m.reading = true, readOpaque
	m.note(App, OddOpaque, why+"; from here the bytes of both sides pass unread")
}

// mustUnderstand reports settings that let nothing through unread: they demand
// TLS first.
func (m *Machine) mustUnderstand() bool {
	return m.guarded() || m.cfg.AppTLS == AppRequire && !m.secure[App]
}

// readBody passes message text on and watches for its end.
func (m *Machine) readBody() int {
	n, v := m.data.Scan(m.app)
	m.write(Upstream, m.app[:n], true)
	m.body += int64(n)
	switch v {
	case wire.End:
		m.write(Upstream, m.app[n:n+3], false)
		m.endBody()
		return n + 3
	case wire.Ambiguous:
		return m.ambiguous(n)
	}
	return n
}

// ambiguous deals with what a laxer server may read as the end of data.
func (m *Machine) ambiguous(n int) int {
	seq := m.data.Sequence
	if m.cfg.PassSmuggling {
		m.note(App, OddSmuggling, "an ambiguous end of data ("+seq+") passed, as the settings say")
		m.data.Pass()
		m.write(Upstream, m.app[n:n+1], true)
		m.body++
		return n + 1
	}
	m.recordBody("refused")
	m.note(App, OddSmuggling, "an ambiguous end of data ("+seq+") was refused; the upstream's data was left unfinished")
	m.fail("554 5.6.0", "message refused: it holds "+seq+", which some servers take for its end (SMTP smuggling); end lines with CRLF only")
	return len(m.app)
}

// endBody closes the message: its verdict is due from now on.
func (m *Machine) endBody() {
	m.recordBody("")
	m.noteNewlines()
	m.finishContent()
}

// finishContent starts the clock of the reply to a message or chunk.
func (m *Machine) finishContent() {
	if k := len(m.waiting) - 1; k >= 0 && !m.answered {
		m.waiting[k].sent = m.now
	}
	m.body, m.answered = 0, false
	m.reading = readCommands
}

func (m *Machine) recordBody(text string) {
	e := m.entry(App, FromApp, KindData, PhaseDot)
	e.Verb, e.Bytes, e.Text = ".", m.body, text
	if m.reading == readChunk {
		e.Verb, e.Phase = "BDAT", m.phase
	}
}

func (m *Machine) noteNewlines() {
	if m.data.BareLF {
		m.note(App, OddBareLF, "the message holds a LF without CR; it passed unchanged")
	}
	if m.data.BareCR {
		m.note(App, OddBareCR, "the message holds a CR without LF; it passed unchanged")
	}
}

// readChunk passes the octets of a BDAT chunk on, whatever they are.
func (m *Machine) readChunk() int {
	n := int(min(m.chunk, int64(len(m.app))))
	m.write(Upstream, m.app[:n], true)
	m.body += int64(n)
	if m.chunk -= int64(n); m.chunk == 0 {
		m.recordBody("")
		m.finishContent()
	}
	return n
}
