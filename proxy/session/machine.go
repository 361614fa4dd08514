package session

import (
	"bytes"
	"strings"
	"time"

	"smtp-proxy/proxy/wire"
)

// How this works.
//
// Commands and replies are paired by a queue: each command that goes out puts
// a pending reply at its end, each complete reply takes one from its head.
// Replies that the proxy makes itself wait in the same queue, so that the app
// gets every answer in the order of its commands.
//
// The app's bytes are read in one of a few ways (reading). SMTP lets a reply
// change that way at DATA, AUTH and STARTTLS only; there, and behind the first
// EHLO while it is not settled whether the upstream leg will be upgraded, the
// machine reads nothing (holds) until the reply is in.
//
//	commands --DATA--> nothing --354--> body --CRLF.CRLF--> commands
//	commands --AUTH--> nothing --334--> sasl --line--> nothing …
//	commands --BDAT n--> chunk --n octets--> commands
//	commands --STARTTLS--> nothing | handshake --secured--> commands
//	commands --STARTTLS, passthrough--> nothing --220--> tunnel
//	commands --first EHLO--> nothing --upgrade settled--> commands
//	any --cannot be understood--> opaque
//	any --session ended--> gone

// reading says how the next bytes from the app are to be read.
type reading uint8

const (
	readNothing   reading = iota // held until a reply, or the upstream's connection, decides
	readCommands                 // lines, one command each
	readRest                     // the rest of a line that is refused for its length
	readSASL                     // one line of an AUTH exchange
	readBody                     // until CRLF.CRLF
	readChunk                    // octets of BDAT
	readHandshake                // a TLS handshake is due: plaintext is discarded
	readTunnel                   // TLS of the two sides' own: an observer reads along
	readOpaque                   // understanding has ended: forward only
	readGone                     // the session has ended: discard
)

// pending is a reply that is due.
type pending struct {
	verb  string
	phase Phase
	sent  time.Time // when the command was complete
	own   bool      // the proxy asked; the app does not see the reply
	whole bool      // withheld until complete
	role  role
	line  string // of EHLO and HELO: the command line, without its CRLF
	local []byte // the reply, when the proxy makes it
	odd   Oddity
}

// role says what a reply decides beyond its own words.
type role uint8

const (
	roleNone     role = iota
	roleProbe         // the EHLO that shows whether STARTTLS is offered
	roleOwnTLS        // the proxy's own STARTTLS
	roleAppTLS        // the app's STARTTLS, sent on
	roleFallback      // an EHLO behind an upgrade of the app's leg alone
	roleShake         // a 220 of the proxy's: the app's handshake follows
	roleTunnel        // the app's STARTTLS with passthrough
)

// Machine is one relayed session. It is not safe for concurrent use; give it
// an owner.
type Machine struct {
	cfg     Config
	now     time.Time
	effects []Effect
	slab    []Entry // the one that entries are taken from

	reading reading
	busy    bool // readApp is at work
	phase   Phase
	held    string // the verb whose reply decides what held bytes mean
	hasty   bool   // the app's haste behind it has been noted
	app     []byte // received, not yet understood
	up      []byte
	waiting []pending

	secure    [2]bool
	gone      [2]bool // has ended its direction
	deaf      bool    // the app's connection is broken: nothing can reach it
	connected bool
	shaking   bool // a handshake is due or under way on the upstream leg
	finPassed bool
	over      bool // both legs are being closed by the machine
	stopping  bool
	goodbye   bool // the upstream has said 221 or 421, or close_notify in a bare tunnel
	heard     [2]time.Time
	closeBy   time.Time

	spoke      bool // the app has sent its first line
	greeted    bool
	early      bool // the app's talk before the greeting has been noted
	mailed     bool // a MAIL or AUTH has been sent on: too late for STARTTLS
	inMessage  bool // between MAIL and its verdict
	opaque     bool
	oddReplies bool // a reply line that ends in LF alone has been noted
	oddLines   bool // a line that is no reply has been noted

	tunnel   *tunnel // with passthrough, once TLS has begun
	words    []byte  // with passthrough, what the upstream said first
	injected bool    // what the upstream said behind its 220 has been noted

	hello   hello
	auth    *exchange
	secrets [][]byte

	tail       []byte // the last line of a failing reply, which waits for its annotation
	explaining bool   // so does the session
	dying      bool   // it ends behind that line

	reply    strings.Builder // text of the reply under way, its lines joined by \n
	cut      bool            // the reply's text was cut at its limit
	partial  bool            // the app has part of a reply
	withheld []byte

	data     wire.Data
	body     int64 // octets of the body or chunk so far
	chunk    int64 // octets of the chunk to come
	answered bool  // the reply to the body or chunk came before its end

	// What effects and waiting hold in a session without bursts, so that it
	// allocates for neither.
	fewEffects [4]Effect
	fewWaiting [3]pending
}

// New returns a machine whose upstream is not connected yet.
func New(cfg Config, now time.Time) *Machine {
	m := &Machine{cfg: cfg.withDefaults(), now: now, phase: PhaseConnect}
	m.heard = [2]time.Time{now, now}
	m.effects = m.fewEffects[:0]
	return m
}

// Connected reports that the upstream's connection stands; secure says that
// TLS was made on it already.
func (m *Machine) Connected(now time.Time, secure bool) []Effect {
	m.begin(now)
	m.connected, m.phase = true, PhaseGreeting
	m.secure[Upstream] = secure
	m.heard = [2]time.Time{now, now}
	m.expect(pending{phase: PhaseGreeting})
	if m.over {
		m.do(OpClose, Upstream)
		return m.effects
	}
	m.resume()
	return m.effects
}

// Unreachable reports that there will be no connection to the upstream, or
// that the proxy may not use it. text says why, in words for the app.
func (m *Machine) Unreachable(now time.Time, odd Oddity, text string) []Effect {
	m.begin(now)
	if odd != "" {
		m.note(Upstream, odd, text)
	}
	m.fail("421 4.4.1", text)
	return m.effects
}

// Received reports bytes from a side. They may be reused by the caller once
// the effects are done, which is before the next call of the same side.
func (m *Machine) Received(now time.Time, from Side, b []byte) []Effect {
	m.begin(now)
	m.heard[from] = now
	if from == App {
		m.receive(&m.app, b, m.readApp)
	} else {
		m.keepWords(b)
		m.receive(&m.up, b, m.readUpstream)
	}
	m.settle()
	return m.effects
}

// receive runs read over what was left and what has come. What is left then is
// copied, since b belongs to the caller.
func (m *Machine) receive(buf *[]byte, b []byte, read func()) {
	shared := len(*buf) == 0
	if shared {
		*buf = b
	} else {
		*buf = append(*buf, b...)
	}
	read()
	switch {
	case len(*buf) == 0:
		*buf = nil
	case shared:
		*buf = bytes.Clone(*buf)
	}
}

// WantsRead reports whether bytes from a side are welcome now. While it is
// false the side's bytes stay in the network, which holds the peer back.
func (m *Machine) WantsRead(side Side) bool {
	switch {
	case m.gone[side]:
		return false
	case side == Upstream:
		return m.connected && !m.shaking && (len(m.up) == 0 || !m.awaitsHello())
	case m.reading == readHandshake, m.reading == readNothing && m.held == "STARTTLS" && !m.cfg.Passthrough:
		return false
	}
	return m.reading != readNothing || len(m.app) == 0
}

// HandshakeDue reports whether TLS is to be made on the app's leg next.
func (m *Machine) HandshakeDue() bool { return m.reading == readHandshake && !m.over }

// Over reports whether the machine has asked for the end of both legs.
func (m *Machine) Over() bool { return m.over }

// Gone reports whether a side has ended its direction.
func (m *Machine) Gone(side Side) bool { return m.gone[side] }

// Held returns how many octets of a side are kept back for now.
func (m *Machine) Held(side Side) int {
	if side == App {
		return len(m.app)
	}
	return len(m.up) + len(m.withheld)
}

func (m *Machine) begin(now time.Time) {
	m.effects, m.now = m.effects[:0], now
}

// settle does what any change may have made possible.
func (m *Machine) settle() {
	m.releaseHeld()
	m.answerLocals()
	m.passEnd()
	m.stopWhenIdle()
}

// expect puts a reply at the end of the queue.
func (m *Machine) expect(p pending) {
	p.sent = m.now
	if len(m.waiting) == 0 {
		m.waiting = m.fewWaiting[:0]
	}
	m.waiting = append(m.waiting, p)
}

// replyDue reports whether the upstream owes a reply now. The reply to a
// message that is still on its way is not due.
func (m *Machine) replyDue() bool {
	if m.opaque || m.tunnel != nil { // nobody knows
		return false
	}
	later := m.inBody() && !m.answered
	for i := range m.waiting {
		switch {
		case m.waiting[i].local != nil:
		case later:
			later = false
		default:
			return true
		}
	}
	return false
}

// inBody reports whether the app is in the middle of message content.
func (m *Machine) inBody() bool { return m.reading == readBody || m.reading == readChunk }

// hold stops the reading of the app until the reply to verb is in.
func (m *Machine) hold(verb string) {
	m.reading, m.held, m.hasty = readNothing, verb, false
}

// resume goes on reading commands, those that were held first.
func (m *Machine) resume() {
	if m.over || m.opaque {
		return
	}
	m.reading, m.held = readCommands, ""
	m.readApp()
}
