package session

import (
	"fmt"
	"slices"
	"time"
)

// Closed reports that a side will send no more; fault is nil for a clean end
// of its stream.
func (m *Machine) Closed(now time.Time, side Side, fault *Fault) []Effect {
	m.begin(now)
	if m.gone[side] {
		return nil
	}
	m.gone[side] = true
	if m.over {
		return nil
	}
	if m.goodbye && fault != nil && fault.Class == FaultReset {
		fault = nil // a party that has said its last word may be gone when ours arrives
	}
	if m.tunnel != nil {
		m.tunnelClosed(side, fault)
		return m.effects
	}
	e := m.entry(side, Origin(side), KindClose, m.phase)
	e.Fault, e.Silent, e.Text = fault, m.silent(), closedText(side, fault)
	if side == App {
		m.appClosed(fault)
	} else {
		m.upstreamClosed()
	}
	m.settle()
	return m.effects
}

// appClosed lets what the app has sent come to its end: a verdict that is due
// is waited for, so that "did it send?" has an answer.
func (m *Machine) appClosed(fault *Fault) {
	m.deaf = m.deaf || fault != nil
	if m.inBody() {
		m.recordBody("cut off before its end")
	}
	switch {
	case !m.connected || m.shaking || m.withholding():
		m.end()
	case !m.verdictDue(): // nobody will miss the replies that are still due
		m.closeBy = m.now.Add(m.cfg.Linger)
	}
}

// verdictDue reports whether the upstream owes the reply to a whole message.
func (m *Machine) verdictDue() bool {
	return !m.opaque && !m.inBody() && slices.ContainsFunc(m.waiting, func(p pending) bool {
		return p.local == nil && p.phase == PhaseDot
	})
}

// passEnd hands the app's end of stream on. It waits for the replies that are
// due: some servers drop a mail whose sender ends TLS before the verdict.
func (m *Machine) passEnd() {
	if !m.gone[App] || m.finPassed || m.over || m.replyDue() {
		return
	}
	m.finPassed = true
	if m.closeBy.IsZero() {
		m.closeBy = m.now.Add(m.cfg.Linger)
	}
	m.do(OpCloseWrite, Upstream)
}

// upstreamClosed ends the session, with a word to an app that waits for a reply.
func (m *Machine) upstreamClosed() {
	rest := m.up
	if m.withholding() && !m.waiting[0].own {
		rest = append(m.withheld, m.up...)
	} else if m.withholding() {
		rest = nil
	}
	m.write(App, rest, false)
	m.up, m.withheld = nil, nil
	waits := m.replyDue() || m.inBody()
	if waits && !m.goodbye && !m.partial && len(rest) == 0 && !m.opaque {
		m.fail("421 4.4.2", m.cfg.Upstream+" closed the connection before "+m.owed())
		return
	}
	m.end()
}

// owed says what the upstream has not sent yet.
func (m *Machine) owed() string {
	for _, p := range m.waiting {
		switch {
		case p.local != nil || p.verb == "TLS":
		case p.verb == "":
			return "its greeting"
		case p.verb == "." && m.reading == readBody:
			return "the end of the message"
		case p.verb == ".":
			return "its verdict on the message"
		default:
			return "the reply to " + p.verb
		}
	}
	return "the end of the session"
}

// fail ends the session with a reply of the proxy's own, in the place of
// whatever the app waits for. A reply that the app has half of is not added to.
func (m *Machine) fail(code, text string) {
	if m.over || m.dying {
		return
	}
	verb, phase := m.held, m.phase
	if len(m.waiting) > 0 && m.waiting[0].verb != "TLS" {
		verb, phase = m.waiting[0].verb, m.waiting[0].phase
	}
	if !m.partial && !m.deaf && !m.opaque && !m.mute() {
		line := []byte(code + " smtp-proxy: " + oneLine(m.mask(text)) + "\r\n")
		m.recordLocal(verb, phase, line, "")
		m.edit(App, "the reply "+code+" is the proxy's own")
		if m.cfg.Annotate {
			m.tail, m.dying, m.reading = line, true, readGone
			m.explain()
			return
		}
		m.write(App, line, false)
	}
	m.end()
}

// end closes both legs.
func (m *Machine) end() {
	if m.over {
		return
	}
	if m.explaining { // nothing may be lost to the wait
		m.write(App, m.tail, false)
		m.tail, m.explaining = nil, false
	}
	if m.tunnel != nil {
		m.endTunnel()
	}
	m.over, m.shaking = true, false
	m.reading, m.waiting = readGone, nil
	m.do(OpClose, App)
	m.do(OpClose, Upstream)
}

// Deadline is when Elapsed should be called; zero means never. The time that a
// dial or a handshake may take is the shell's to bound.
func (m *Machine) Deadline() time.Time {
	switch {
	case m.over || !m.connected || m.shaking || m.explaining || m.reading == readHandshake:
		return time.Time{}
	case !m.closeBy.IsZero():
		return m.closeBy
	case m.tunnel != nil:
		return m.tunnelDeadline()
	case m.replyDue():
		return m.upstreamDeadline()
	}
	last := m.heard[App]
	if m.heard[Upstream].After(last) {
		last = m.heard[Upstream]
	}
	return last.Add(m.cfg.AppSilence)
}

// upstreamDeadline is never earlier than RFC 5321, section 4.5.3.2 has it.
func (m *Machine) upstreamDeadline() time.Time {
	since, limit := m.heard[Upstream], m.cfg.UpstreamReply
	for _, p := range m.waiting {
		if p.local != nil {
			continue
		}
		if p.sent.After(since) {
			since = p.sent
		}
		if p.verb == "." || p.verb == "BDAT" || p.verb == "DATA" {
			limit = m.cfg.UpstreamVerdict
		}
		break
	}
	return since.Add(limit)
}

// Elapsed reports that the time [Machine.Deadline] named has come.
func (m *Machine) Elapsed(now time.Time) []Effect {
	m.begin(now)
	d := m.Deadline()
	if d.IsZero() || now.Before(d) {
		return nil
	}
	switch {
	case !m.closeBy.IsZero():
		m.end()
	case m.tunnel != nil:
		m.tunnelStalled()
	case m.replyDue():
		m.stalled(Upstream, now.Sub(m.heard[Upstream]))
	default:
		m.stalled(App, now.Sub(m.heard[App]))
	}
	return m.effects
}

// stalled ends a session whose side has been silent for too long.
func (m *Machine) stalled(side Side, silent time.Duration) {
	silent = silent.Round(time.Second)
	m.note(side, OddTimeout, fmt.Sprintf("the %s has been silent for %s", side, silent)).Silent = m.silent()
	if side == Upstream {
		m.fail("421 4.4.2", fmt.Sprintf("%s has sent nothing for %s, and %s is due", m.cfg.Upstream, silent, m.owed()))
		return
	}
	m.fail("421 4.4.2", fmt.Sprintf("nothing was heard from you for %s", silent))
}

// silent is how long nothing has come from either side.
func (m *Machine) silent() *Silent {
	return &Silent{App: m.now.Sub(m.heard[App]), Upstream: m.now.Sub(m.heard[Upstream])}
}

// Stop asks the session to end: at once when no message is under way or the
// app has left, otherwise behind the message's verdict.
func (m *Machine) Stop(now time.Time) []Effect {
	m.begin(now)
	m.stopping = true
	m.stopWhenIdle()
	return m.effects
}

func (m *Machine) stopWhenIdle() {
	switch {
	case !m.stopping || m.over || m.explaining || m.mayBeInMessage() && !m.gone[App]:
	case m.goodbye: // the app has had its last word
		m.end()
	default:
		m.note(App, OddShutdown, "the proxy is stopping")
		m.fail("421 4.3.2", "shutting down; send again later")
	}
}

// mayBeInMessage reports whether the end of the session now could cut a message
// off. Of a tunnel nobody can know.
func (m *Machine) mayBeInMessage() bool {
	return m.inMessage || m.tunnel != nil && m.tunnel.established
}

// Abort ends the session whatever it is doing. why is for the record.
func (m *Machine) Abort(now time.Time, odd Oddity, why string) []Effect {
	m.begin(now)
	if m.over {
		return nil
	}
	m.note(App, odd, why)
	m.fail("421 4.3.2", why)
	return m.effects
}
