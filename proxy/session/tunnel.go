package session

import (
	"fmt"
	"time"

	"smtp-proxy/proxy/wire"
)

// How a tunnel works.
//
// With Config.Passthrough the machine upgrades nothing. The app's STARTTLS goes
// on as it is; behind the upstream's 220 to it, or from the app's first octet
// where that begins a TLS record, the two sides speak TLS with each other. That
// is a tunnel: its octets are passed on as they are, and a [wire.TLSObserver]
// reads along while there is a handshake to be read.
//
//	open --the handshake ends, well or badly--> settled --nothing more to read--> bare
//
// At settled the two entries of the handshake are made, one for each leg. Of a
// bare tunnel nothing can be understood any more: the shell may carry its octets
// past the machine, and reports how many it were with [Machine.Carried].

// tunnel is TLS between the app and the upstream, end to end.
type tunnel struct {
	watch       wire.TLSObserver
	began       time.Time
	settled     bool // the entries of its handshake are made
	established bool
	octets      [2]int64 // what came from each side
}

// maxWords is how much of what the upstream said first is kept, to be shown if
// the app expected TLS.
const maxWords = 64

// openTunnel begins the tunnel. The replies that are still due are none any
// more: whatever comes next is part of it.
func (m *Machine) openTunnel() {
	m.tunnel = &tunnel{began: m.now}
	m.reading, m.held, m.phase = readTunnel, "", PhaseTLS
	m.waiting, m.partial = nil, false
	m.cut = false
	m.reply.Reset()
}

// beginsTLS reports whether the app's next octets open TLS where a command
// would begin; sure is false while there are too few of them to tell. The very
// first may also be a hello in the format of SSL 2.0 (RFC 5246, appendix E.2).
func (m *Machine) beginsTLS() (yes, sure bool) {
	b := m.app
	switch {
	case !m.cfg.Passthrough || len(b) == 0:
		return false, true
	case b[0] == 0x16:
		return len(b) < 2 || b[1] == 3, len(b) >= 2
	case b[0]&0x80 != 0 && !m.spoke:
		return len(b) < 3 || b[2] == 1, len(b) >= 3
	}
	return false, true
}

// speaksTLS reports whether what is held of the app opens TLS.
func (m *Machine) speaksTLS() bool {
	yes, _ := m.beginsTLS()
	return yes
}

// tunnelFromApp opens the tunnel at a TLS record of the app's. Where the
// upstream has greeted before, it speaks another language than the app: the
// observer hears of it behind the app's words, in whichever order they came.
func (m *Machine) tunnelFromApp() int {
	first := !m.spoke
	m.spoke = true
	m.openTunnel()
	n := m.carry(App, m.app)
	if first && len(m.words) > 0 && len(m.up) == 0 {
		m.watch(Upstream, m.words)
	}
	return n
}

// tunnelAnswered opens the tunnel behind a 220 to the app's STARTTLS.
//
// What the app sent in clear behind its STARTTLS has waited for this reply. It
// goes out now, as it came: the upstream, which has begun TLS, takes it for a
// broken record and ends the handshake. Sent on at once it could lie in the
// upstream's buffer beside the STARTTLS and be read as if it had been protected
// (CVE-2011-0411).
func (m *Machine) tunnelAnswered(code int) {
	if code != 220 {
		m.note(Upstream, OddTLSRefused, "STARTTLS was refused")
		m.resume()
		return
	}
	m.openTunnel()
	if len(m.app) > 0 && m.app[0] != 0x16 {
		m.noteInjected(App, len(m.app))
	}
	m.readApp()
}

// holdInjected keeps what the upstream said in clear behind its 220 until the
// app has begun its handshake, so that the app cannot read it as protected.
func (m *Machine) holdInjected() int {
	if !m.injected {
		m.injected = true
		m.noteInjected(Upstream, len(m.up))
	}
	return 0
}

func (m *Machine) noteInjected(from Side, n int) {
	m.note(from, OddInjection, fmt.Sprintf("%d octets of plaintext of the %s behind STARTTLS were passed on unchanged, but not before the handshake", n, from))
}

// releaseHeld lets go of what was kept from the app until it spoke.
func (m *Machine) releaseHeld() {
	if m.tunnel != nil && m.tunnel.octets[App] > 0 && len(m.up) > 0 {
		m.receive(&m.up, nil, m.readUpstream)
	}
}

// keepWords keeps what the upstream said first, while it is not known whether
// the app will speak TLS.
func (m *Machine) keepWords(b []byte) {
	if m.cfg.Passthrough && m.tunnel == nil {
		m.words = append(m.words, b[:min(len(b), maxWords-len(m.words))]...)
	}
}

// awaitsHello reports a tunnel in which the app has not spoken yet.
func (m *Machine) awaitsHello() bool { return m.tunnel != nil && m.tunnel.octets[App] == 0 }

// carry passes on what a side of the tunnel sent.
func (m *Machine) carry(from Side, b []byte) int {
	m.write(from.Peer(), b, false)
	m.tunnel.octets[from] += int64(len(b))
	if from == Upstream && m.tunnel.settled && m.tunnel.watch.Done() && wire.EndsInAlert(b) {
		m.goodbye = true
	}
	m.watch(from, b)
	return len(b)
}

// watch lets the observer read what a side sent.
func (m *Machine) watch(from Side, b []byte) {
	t := m.tunnel
	if t.watch.Done() {
		return
	}
	at := m.now.Sub(t.began)
	if from == App {
		t.watch.App(b, at)
	} else {
		t.watch.Upstream(b, at)
	}
	if !t.settled && t.watch.Settled() {
		m.settleTunnel(m.breach())
	}
}

// Bare reports whether nothing can be understood of the two sides' octets any
// more, so that the shell may carry them itself.
func (m *Machine) Bare() bool {
	t := m.tunnel
	return t != nil && t.settled && t.watch.Done() && !m.over && len(m.app)+len(m.up) == 0
}

// Goodbye reports that what the upstream sent last in a bare tunnel was an
// alert: it has ended TLS, and does so only behind its last reply.
func (m *Machine) Goodbye() { m.goodbye = m.goodbye || m.tunnel != nil }

// Carried reports octets of a side that the shell has carried to the other in
// a bare tunnel; last is when the last of them came.
func (m *Machine) Carried(from Side, octets int64, last time.Time) {
	if m.tunnel == nil || octets == 0 {
		return
	}
	m.tunnel.octets[from] += octets
	if last.After(m.heard[from]) {
		m.heard[from] = last
	}
}
