package session

import (
	"fmt"
	"strings"
	"time"

	"smtp-proxy/proxy/wire"
)

// hello is what is kept of the app's EHLO or HELO.
type hello struct {
	settled bool   // it is known whether the upstream leg will be upgraded
	refused bool   // the upstream has refused an EHLO
	name    string // the name that the last answered EHLO gave
	reply   []byte // the upstream's last good EHLO reply, as sent
	alone   bool   // the app's leg alone was upgraded since
	clear   []byte // the STARTTLS reply that the app gets once the upstream has shaken hands
}

// passHello sends EHLO or HELO on, or answers it when only the app's leg has
// changed, or begins the upgrade of the upstream leg.
func (m *Machine) passHello(c wire.Command, text string, line []byte) {
	m.inMessage = false
	p := pending{verb: c.Verb, phase: PhaseHelo, whole: c.Verb == "EHLO" && !m.cfg.Passthrough, line: text}
	again := m.hello.alone
	m.hello.alone = false
	switch {
	case again && c.Verb == "EHLO" && strings.EqualFold(strings.TrimSpace(c.Arg), m.hello.name):
		m.edit(App, "the EHLO after STARTTLS on the app's leg was answered with the upstream's last EHLO reply")
		m.queueLocal(pending{verb: "EHLO", phase: PhaseHelo, local: m.filter(m.hello.reply)})
	case m.mayUpgrade():
		m.probe(p, c, line)
	default:
		if again && c.Verb == "EHLO" {
			p.role = roleFallback
		}
		m.write(Upstream, line, false)
		m.expect(p)
	}
}

// mayUpgrade reports whether the upstream leg is still to be put under TLS.
func (m *Machine) mayUpgrade() bool {
	byReply := m.cfg.UpstreamTLS == UpstreamAuto || m.cfg.UpstreamTLS == UpstreamSTARTTLS
	return byReply && !m.secure[Upstream] && !m.hello.settled
}

// probe asks the upstream what it offers before the app's greeting is
// answered. The app's own EHLO serves; for a HELO the proxy says EHLO first.
func (m *Machine) probe(p pending, c wire.Command, line []byte) {
	p.role, p.whole = roleProbe, true
	if c.Verb == "HELO" {
		if m.hello.refused {
			m.cannotUpgrade(p)
			return
		}
		p.own = true
		m.edit(Upstream, "the proxy said EHLO before the app's HELO went out, to learn whether STARTTLS is offered")
		m.own("EHLO", []byte("EHLO "+c.Arg+"\r\n"), PhaseHelo)
	} else {
		m.write(Upstream, line, false)
	}
	m.expect(p)
	m.hold(c.Verb)
}

// own sends a command of the proxy's to the upstream.
func (m *Machine) own(verb string, line []byte, phase Phase) {
	m.write(Upstream, line, false)
	e := m.entry(Upstream, FromProxy, KindCommand, phase)
	e.Verb, e.Text, e.Bytes, e.Own = verb, m.mask(string(wire.TrimCRLF(line))), int64(len(line)), true
}

// probed decides, from what the upstream offers, what to do about its leg.
func (m *Machine) probed(p pending, e *Entry, raw []byte) {
	good := e.Code/100 == 2
	if p.own {
		e.Verb = "EHLO"
	}
	switch {
	case good && wire.Offers(raw, "STARTTLS"):
		e.Own = true
		m.phase = PhaseTLS
		m.edit(Upstream, "the proxy said STARTTLS before the app's "+p.verb+" was answered")
		m.own("STARTTLS", []byte("STARTTLS\r\n"), PhaseTLS)
		m.expect(pending{verb: "STARTTLS", phase: PhaseTLS, own: true, whole: true, role: roleOwnTLS, line: p.line})
	case p.own: // the app said HELO, which has not gone out yet
		m.cannotUpgrade(p)
	case good:
		m.notOffered(p, raw)
	default: // the app gets the refusal and may try HELO
		m.hello.refused = true
		m.passWhole(e.Code, raw)
		m.resume()
	}
}

// notOffered deals with an EHLO reply that has no STARTTLS.
func (m *Machine) notOffered(p pending, raw []byte) {
	if m.guarded() {
		m.demandFails()
		return
	}
	m.hello.settled = true
	m.helloAnswered(p, 250, raw)
	m.resume()
}

// cannotUpgrade deals with a HELO to an upstream that offers no TLS.
func (m *Machine) cannotUpgrade(p pending) {
	if m.guarded() {
		m.demandFails()
		return
	}
	m.hello.settled = true
	m.write(Upstream, []byte(p.line+"\r\n"), false)
	m.expect(pending{verb: "HELO", phase: PhaseHelo, line: p.line})
	m.resume()
}

func (m *Machine) demandFails() {
	m.note(Upstream, OddNotOffered, "the upstream does not offer STARTTLS and the settings demand it")
	m.fail("421 4.7.0", m.cfg.Upstream+" does not offer STARTTLS, which --upstream-tls starttls demands; nothing was sent in clear")
}

// helloAnswered passes the reply to EHLO or HELO on, changed where the legs
// differ.
func (m *Machine) helloAnswered(p pending, code int, raw []byte) {
	switch {
	case p.role == roleFallback && code/100 == 5 && len(m.hello.reply) > 0:
		m.edit(App, "the upstream refused a second EHLO; the app got the upstream's last good EHLO reply instead")
		raw = m.hello.reply
	case code/100 == 2 && p.verb == "EHLO":
		m.hello.name = strings.TrimSpace(wire.ParseCommandText(p.line).Arg)
		m.hello.reply = raw
	}
	if code/100 == 2 && p.verb == "EHLO" || p.role == roleFallback {
		raw = m.filter(raw)
	}
	m.passWhole(code, raw)
}

// filter changes an EHLO reply where the two legs differ.
func (m *Machine) filter(raw []byte) []byte {
	if len(raw) == 0 || raw[0] != '2' {
		return raw
	}
	edit := wire.EHLOEdit{Remove: "STARTTLS", Unbindable: m.secure[Upstream]}
	if m.cfg.offers() && !m.secure[App] {
		edit.Remove, edit.Add = "", "STARTTLS"
	}
	out, changes := wire.EditEHLO(raw, edit)
	for _, c := range changes {
		m.edit(App, m.whyEdited(c))
	}
	return out
}

// whyEdited says in words why an EHLO reply was changed.
func (m *Machine) whyEdited(change string) string {
	switch {
	case strings.HasPrefix(change, "added"):
		return "added STARTTLS to the EHLO reply: the proxy offers TLS on the app's leg"
	case change == "removed STARTTLS" && m.secure[Upstream]:
		return "removed STARTTLS from the EHLO reply: the upstream leg is already under TLS"
	case change == "removed STARTTLS":
		return "removed STARTTLS from the EHLO reply: the proxy does not offer TLS on the app's leg"
	}
	return change + " from the EHLO reply: it binds to a TLS channel, and the proxy stands between"
}

// starttls deals with the app's own STARTTLS.
func (m *Machine) starttls(c wire.Command, line []byte) {
	switch {
	case m.cfg.Passthrough:
		m.write(Upstream, line, false)
		m.expect(pending{verb: "STARTTLS", phase: PhaseTLS, role: roleTunnel})
		m.hold("STARTTLS")
	case m.secure[App]:
		m.refuse(c.Verb, PhaseTLS, OddBadSequence, "503 5.5.1 smtp-proxy: this connection is already under TLS")
	case !m.cfg.offers():
		m.refuse(c.Verb, PhaseTLS, OddUnknownTLS, "502 5.5.1 smtp-proxy: STARTTLS is not offered here (--app-tls offer would)")
	case strings.TrimSpace(c.Arg) != "":
		m.refuse(c.Verb, PhaseTLS, "", "501 5.5.4 smtp-proxy: STARTTLS takes no argument")
	case m.mailed:
		m.refuse(c.Verb, PhaseTLS, OddBadSequence, "503 5.5.1 smtp-proxy: STARTTLS must come before MAIL and AUTH")
	case m.mayUpgrade():
		m.write(Upstream, line, false)
		m.expect(pending{verb: "STARTTLS", phase: PhaseTLS, whole: true, role: roleAppTLS})
		m.hold("STARTTLS")
	default:
		m.edit(App, "the proxy answered the app's STARTTLS: it concerns the app's leg alone")
		m.hold("STARTTLS")
		m.queueLocal(pending{verb: "STARTTLS", phase: PhaseTLS, role: roleShake, local: []byte("220 2.0.0 smtp-proxy: ready to start TLS\r\n")})
	}
}

// starttlsAnswered begins the upstream's handshake, or says why it cannot be.
func (m *Machine) starttlsAnswered(p pending, code int, raw []byte) {
	switch {
	case code == 220:
		m.shaking = true
		if p.role == roleAppTLS {
			m.hello.clear = raw
		} else {
			m.hello.clear, m.hello.reply = nil, nil
			m.waiting = append([]pending{{verb: "TLS", line: p.line, whole: true, own: true, sent: m.now}}, m.waiting...)
		}
		m.do(OpHandshake, Upstream)
	case p.role == roleOwnTLS:
		m.note(Upstream, OddTLSRefused, "STARTTLS was offered and then refused")
		m.fail("421 4.7.0", m.cfg.Upstream+" offered STARTTLS and then refused it: "+oneLine(m.mask(string(raw)))+"; nothing was sent in clear (--upstream-tls none would)")
	default:
		m.note(Upstream, OddTLSRefused, "STARTTLS was refused")
		m.passWhole(code, raw)
		m.resume()
	}
}

// Secured reports the end of a handshake. tls says what it showed; fault is
// nil when the session may go on under TLS.
func (m *Machine) Secured(now time.Time, on Side, tls *TLS, fault *Fault) []Effect {
	m.begin(now)
	m.heard = [2]time.Time{now, now}
	m.secure[on] = fault == nil
	e := m.entry(on, Origin(on), KindTLS, PhaseTLS)
	e.TLS, e.Fault, e.Text = tls, fault, handshakeText(tls, fault)
	switch {
	case m.over:
	case fault != nil:
		m.handshakeFailed(on, fault)
	case on == App:
		m.appSecured()
	case m.connected:
		m.upstreamSecured()
	}
	m.settle()
	return m.effects
}

func handshakeText(tls *TLS, fault *Fault) string {
	switch {
	case fault != nil:
		return "handshake failed: " + fault.Text
	case tls == nil:
		return "under TLS"
	}
	return strings.TrimSpace(tls.Version + " " + tls.Cipher)
}

// handshakeFailed ends the session: 454 answers the app's own STARTTLS, 421
// anything else; the app's own leg can be told nothing.
func (m *Machine) handshakeFailed(on Side, fault *Fault) {
	text := fmt.Sprintf("TLS with %s failed: %s", m.cfg.Upstream, fault.Text)
	switch {
	case on == App:
		m.deaf = true
		m.end()
	case m.hello.clear != nil:
		m.fail("454 4.7.0", text)
	default:
		m.fail("421 4.7.0", text+m.flagHint(fault))
	}
}

// flagHint names the setting that would let the session through.
func (m *Machine) flagHint(fault *Fault) string {
	switch {
	case fault.Class == FaultCertificate:
		return " (--upstream-ca FILE trusts another root, --upstream-insecure relays all the same)"
	case m.cfg.UpstreamTLS == UpstreamImplicit:
		return " (--upstream-tls starttls or auto if this port expects plaintext first)"
	}
	return " (--upstream-tls none would send in clear)"
}

// upstreamSecured goes on behind the upstream's handshake.
func (m *Machine) upstreamSecured() {
	m.shaking, m.hello.settled = false, true
	if clear := m.hello.clear; clear != nil {
		m.hello.clear = nil
		m.write(App, clear, false)
		m.shakeApp()
		return
	}
	if len(m.waiting) == 0 || m.waiting[0].verb != "TLS" {
		return
	}
	p := m.pop()
	c := wire.ParseCommandText(p.line)
	m.phase = PhaseHelo
	m.own(c.Verb, []byte(p.line+"\r\n"), PhaseHelo)
	m.expect(pending{verb: c.Verb, phase: PhaseHelo, whole: c.Verb == "EHLO", line: p.line})
	m.resume()
}

// shakeApp begins the handshake on the app's leg.
func (m *Machine) shakeApp() {
	m.reading, m.held = readHandshake, ""
	m.do(OpHandshake, App)
	m.readApp()
}

// appSecured goes on behind the app's handshake: its knowledge of the session
// starts anew (RFC 3207, section 4.2).
func (m *Machine) appSecured() {
	if !m.connected { // implicit TLS: the upstream is dialled next
		return
	}
	m.hello.alone = len(m.hello.reply) > 0
	m.spoke = true
	m.resume()
}

// discardInjected drops plaintext that came behind STARTTLS: it must never be
// read as if it had been protected (CVE-2011-0411).
func (m *Machine) discardInjected(from Side, n int) int {
	m.note(from, OddInjection, fmt.Sprintf("%d octets of plaintext behind STARTTLS were discarded", n))
	m.edit(from.Peer(), fmt.Sprintf("discarded %d octets of plaintext that the %s sent behind STARTTLS", n, from))
	return n
}

// oneLine makes text fit into a reply line.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.TrimSpace(s))
	if len(s) > 400 {
		s = strings.ToValidUTF8(s[:400], "") + "…"
	}
	return s
}
