package session

import (
	"fmt"
	"time"
)

// tunnelClosed deals with the end of one side's direction of the tunnel. A FIN
// goes on as a FIN, and the other direction keeps its time.
func (m *Machine) tunnelClosed(side Side, fault *Fault) {
	m.settleBroken(side, fault)
	e := m.entry(side, Origin(side), KindClose, m.phase)
	e.Silent, e.Fault, e.Text = m.silent(), fault, closedText(side, fault)
	if late := m.lateAlert(side, fault); late != nil {
		e.Fault = late
	}
	switch {
	case m.gone[side.Peer()], side == Upstream && fault != nil:
		m.end()
		return
	case fault != nil:
		m.deaf = true
		fallthrough
	case side == Upstream, !m.tunnel.established:
		m.closeBy = m.now.Add(m.cfg.Linger)
	}
	m.finPassed = m.finPassed || side == App
	m.do(OpCloseWrite, side.Peer())
}

// settleBroken settles a handshake that a side's leaving has broken off.
func (m *Machine) settleBroken(side Side, fault *Fault) {
	if m.tunnel.settled {
		return
	}
	if by, words := m.breach(); words != nil {
		m.settleTunnel(by, words)
		return
	}
	f := &Fault{Op: opHandshake, Class: FaultClosed, Text: fmt.Sprintf("the %s closed the connection in the handshake", side)}
	if fault != nil {
		f = &Fault{Op: opHandshake, Class: fault.Class, Errno: fault.Errno, Text: fmt.Sprintf("the %s left in the handshake: %s", side, fault.Text)}
	}
	m.settleTunnel(side, f)
}

// closedText says in words how a side ended its direction.
func closedText(side Side, fault *Fault) string {
	switch {
	case fault != nil:
		return fmt.Sprintf("the %s left: %s", side, fault.Text)
	case side == App: // every session ends in one of these: they cost no memory
		return "the app closed the connection"
	}
	return "the upstream closed the connection"
}

// tunnelDeadline is when the side whose turn it is has been silent for too
// long: in the handshake the one that owes the next flight, after it both.
func (m *Machine) tunnelDeadline() time.Time {
	t := m.tunnel
	if t.settled {
		return later(m.heard[App], m.heard[Upstream]).Add(m.cfg.AppSilence)
	}
	return m.turn().Add(m.cfg.Handshake)
}

// turn is when it became the turn of the side that owes the next flight.
func (m *Machine) turn() time.Time {
	return later(m.tunnel.began, m.heard[m.owes().Peer()])
}

// tunnelStalled ends a tunnel in which nothing has come for too long. There is
// no way to say a word in it.
func (m *Machine) tunnelStalled() {
	side, since, what := App, later(m.heard[App], m.heard[Upstream]), "nothing has come through the tunnel for %s"
	if !m.tunnel.settled {
		side, since = m.owes(), m.turn()
		what = "the " + side.String() + " owes the handshake's next flight and has not sent it for %s"
	}
	text := fmt.Sprintf(what, m.now.Sub(since).Round(time.Second))
	if by, words := m.breach(); words != nil && !m.tunnel.settled {
		m.settleTunnel(by, words)
	} else if !m.tunnel.settled {
		m.settleTunnel(side, &Fault{Op: opHandshake, Class: FaultTimeout, Text: text})
	}
	m.note(side, OddTimeout, text).Silent = m.silent()
	m.end()
}

// endTunnel tells what the tunnel has carried, when its session ends.
func (m *Machine) endTunnel() {
	t := m.tunnel
	if !t.settled {
		m.settleTunnel(m.owes(), &Fault{Op: opHandshake, Class: FaultLocal, Text: "the proxy ended the session in the handshake"})
	}
	text := fmt.Sprintf("the tunnel carried %d octets from the app and %d from the upstream", t.octets[App], t.octets[Upstream])
	m.note(App, "", text).Bytes = t.octets[App] + t.octets[Upstream]
}

// mute reports whether words in clear would be noise to the app: it speaks TLS,
// or is about to, since the port is one for TLS from the first octet. One that
// has waited there for a greeting speaks no TLS.
func (m *Machine) mute() bool {
	return m.tunnel != nil || m.speaksTLS() ||
		m.cfg.Passthrough && m.cfg.UpstreamTLS == UpstreamImplicit && !m.connected && len(m.app) == 0
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
