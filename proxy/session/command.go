package session

import (
	"bytes"
	"strings"

	"smtp-proxy/proxy/wire"
)

// command deals with one complete command line.
func (m *Machine) command(line []byte) {
	text := wire.LineText(line)
	c := wire.ParseCommandText(text)
	first := !m.spoke
	m.spoke = true
	m.noteEarly()
	if first && wire.LooksLikeHTTP(line) {
		m.refuseHTTP(c)
		return
	}
	m.phase = phaseOf(c, m.phase)
	m.recordCommand(c, text, line)
	if m.forbidden(c, line) {
		return
	}
	m.pass(c, text, line)
}

// phaseOf returns the phase that a command belongs to.
func phaseOf(c wire.Command, now Phase) Phase {
	switch c.Verb {
	case "EHLO", "HELO", "LHLO":
		return PhaseHelo
	case "STARTTLS":
		return PhaseTLS
	case "AUTH":
		return PhaseAuth
	case "MAIL":
		return PhaseMail
	case "RCPT":
		return PhaseRcpt
	case "DATA":
		return PhaseData
	case "BDAT":
		if _, last, _, _ := wire.Chunk(c.Arg); last {
			return PhaseDot
		}
		return PhaseData
	case "QUIT":
		return PhaseQuit
	}
	if now == PhaseConnect {
		return PhaseGreeting
	}
	return now
}

// recordCommand writes a command down, without the secrets that it may hold.
func (m *Machine) recordCommand(c wire.Command, text string, line []byte) {
	if c.Verb == "AUTH" {
		m.recordAuth(c, len(line))
		return
	}
	e := m.entry(App, FromApp, KindCommand, m.phase)
	e.Verb, e.Bytes = m.safeVerb(c.Verb), int64(len(line))
	e.Text = m.maskCommand(c, text)
	lf, cr, nul := wire.Newlines(wire.TrimCRLF(line))
	if lf {
		m.note(App, OddBareLF, "a LF without CR stands inside a command line; it is no line end")
	}
	if cr {
		m.note(App, OddBareCR, "a CR without LF stands inside a command line; it is no line end")
	}
	if nul {
		m.note(App, OddNUL, "a NUL stands inside a command line")
	}
}

// refuseHTTP ends a session that a web page has begun (as Postfix does).
func (m *Machine) refuseHTTP(c wire.Command) {
	path, _, _ := strings.Cut(c.Arg, "?")
	e := m.entry(App, FromApp, KindCommand, m.phase)
	e.Verb, e.Text = c.Verb, c.Verb+" "+path
	m.note(App, OddHTTP, "the app speaks HTTP; nothing of it was sent on")
	m.fail("554 5.5.1", "this port speaks SMTP, not HTTP")
}

// forbidden refuses what the settings do not let through, and reports whether
// it did.
func (m *Machine) forbidden(c wire.Command, line []byte) bool {
	switch c.Verb {
	case "EHLO", "HELO", "NOOP", "RSET", "QUIT":
		if m.guarded() && holdsNewline(line) {
			m.refuse(c.Verb, m.phase, OddTLSRequired, "501 5.5.2 smtp-proxy: a bare newline in a command is not sent on in clear")
			return true
		}
		return false
	case "STARTTLS":
		return false
	}
	if m.cfg.AppTLS == AppRequire && !m.secure[App] {
		m.refuse(c.Verb, m.phase, OddTLSRequired, "530 5.7.0 smtp-proxy: must issue a STARTTLS command first (--app-tls require)")
		return true
	}
	if m.guarded() {
		m.refuse(c.Verb, m.phase, OddTLSRequired, "503 5.5.1 smtp-proxy: say EHLO first: "+m.cfg.Upstream+" gets nothing else before TLS (--upstream-tls starttls)")
		return true
	}
	return false
}

func holdsNewline(line []byte) bool {
	lf, cr, _ := wire.Newlines(wire.TrimCRLF(line))
	return lf || cr
}

// guarded reports whether the upstream leg is in clear and the settings let
// only the commands through that lead to TLS.
func (m *Machine) guarded() bool {
	return m.cfg.UpstreamTLS == UpstreamSTARTTLS && !m.secure[Upstream]
}

// pass sends a command on and says what its reply will decide.
func (m *Machine) pass(c wire.Command, text string, line []byte) {
	switch c.Verb {
	case "EHLO", "HELO":
		m.passHello(c, text, line)
	case "STARTTLS":
		m.starttls(c, line)
	case "BDAT":
		m.passChunk(c, line)
	case "DATA", "AUTH":
		m.forward(c.Verb, line)
		m.hold(c.Verb)
		m.mailed = true
	default:
		m.forward(c.Verb, line)
		m.follow(c.Verb)
	}
}

// follow keeps track of where the transaction stands.
func (m *Machine) follow(verb string) {
	switch verb {
	case "MAIL":
		m.mailed, m.inMessage = true, true
	case "RSET":
		m.inMessage = false
	}
}

// forward sends a command line on as it is.
func (m *Machine) forward(verb string, line []byte) {
	m.write(Upstream, line, false)
	m.expect(pending{verb: m.safeVerb(verb), phase: m.phase})
}

// passChunk sends BDAT on; n octets follow it whatever the reply (RFC 3030,
// section 2).
func (m *Machine) passChunk(c wire.Command, line []byte) {
	size, _, ok, huge := wire.Chunk(c.Arg)
	m.mailed = true
	m.forward("BDAT", line)
	switch {
	case huge:
		m.goOpaque("BDAT names a size that cannot be counted", "")
	case ok && size > 0:
		m.chunk, m.body, m.answered, m.reading = size, 0, false, readChunk
	case ok:
		m.reading = readChunk
		m.recordBody("")
		m.finishContent()
	}
}

// refuse answers a command in the upstream's place; the command is not sent
// on. The reply waits for those of the commands before it.
func (m *Machine) refuse(verb string, phase Phase, odd Oddity, text string) {
	m.edit(App, "the reply "+text[:9]+" is the proxy's own; the command was not sent on")
	m.queueLocal(pending{verb: m.safeVerb(verb), phase: phase, odd: odd, local: []byte(text + "\r\n")})
}

func (m *Machine) queueLocal(p pending) {
	m.expect(p)
	m.answerLocals()
}

// answerLocals sends the proxy's own replies whose turn has come.
func (m *Machine) answerLocals() {
	for len(m.waiting) > 0 && m.waiting[0].local != nil && !m.over && !m.partial {
		p := m.pop()
		m.write(App, p.local, false)
		m.recordLocal(p.verb, p.phase, p.local, p.odd)
		if p.role == roleShake {
			m.shakeApp()
		}
	}
}

func (m *Machine) pop() pending {
	p := m.waiting[0]
	m.waiting = m.waiting[1:]
	if len(m.waiting) == 0 {
		m.waiting = nil
	}
	return p
}

// recordLocal writes a reply of the proxy's own down.
func (m *Machine) recordLocal(verb string, phase Phase, raw []byte, odd Oddity) {
	text := string(bytes.ReplaceAll(bytes.TrimRight(raw, "\r\n"), []byte("\r\n"), []byte("\n")))
	e := m.entry(App, FromProxy, KindReply, phase)
	e.Verb, e.Text, e.Bytes, e.Odd = verb, m.mask(text), int64(len(raw)), odd
	if r, ok := wire.ParseReply(text); ok {
		e.Code, e.Enhanced = r.Code, r.Enhanced
	}
}
