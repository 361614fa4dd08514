package session

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"strings"

	"smtp-proxy/proxy/wire"
)

const opHandshake = "handshake"

// maxListed bounds the lists that are recorded of a hello, which has room for
// thousands.
const maxListed = 100

// owes is the side whose turn it is in the handshake.
func (m *Machine) owes() Side {
	side, _ := m.tunnel.watch.Owes()
	return Side(side)
}

// breach says which side's words broke the handshake, and how. The fault is nil
// when none did.
func (m *Machine) breach() (Side, *Fault) {
	seen := m.tunnel.watch.Seen()
	for side := App; side <= Upstream; side++ {
		if f := m.breachOf(seen, side); f != nil {
			f.Op = opHandshake
			return side, f
		}
	}
	return App, nil
}

func (m *Machine) breachOf(seen *wire.TLSSeen, side Side) *Fault {
	switch {
	case seen.Finished:
		return nil
	case seen.Alert[side] != nil:
		n := seen.Alert[side].Number
		return &Fault{Class: FaultAlert, Alert: int(n), Text: fmt.Sprintf("the %s ended it with the alert %d (%s)", side, n, alertName(n))}
	case seen.HiddenAlert[side]:
		return &Fault{Class: FaultHiddenAlert, Text: fmt.Sprintf("the %s sent an encrypted record of an alert's size where its part of the handshake was due", side)}
	case len(seen.NotTLS[side]) > 0:
		first := m.firstWords(side, seen.NotTLS[side])
		return &Fault{Class: FaultNotTLS, First: first, Text: fmt.Sprintf("the %s sent %q where TLS was due", side, first)}
	case seen.Corrupt[side] != "":
		return &Fault{Class: FaultCorrupt, Text: fmt.Sprintf("what the %s sent does not decode as TLS: %s", side, seen.Corrupt[side])}
	}
	return nil
}

// lateAlert is the fault of a side whose first word behind the handshake was an
// alert: only then did it say that it does not accept it. An app may also leave
// without that word, as Node.js does when it looks at the certificate. ended is
// the fault of the connection, if any.
func (m *Machine) lateAlert(side Side, ended *Fault) *Fault {
	seen := m.tunnel.watch.Seen()
	f := &Fault{Op: opHandshake, Class: FaultHiddenAlert,
		Text: fmt.Sprintf("the %s's first word behind the handshake was an encrypted record of an alert's size", side)}
	switch {
	case !seen.Finished:
		return nil
	case seen.Alert[side] != nil:
		n := seen.Alert[side].Number
		f.Class, f.Alert = FaultAlert, int(n)
		f.Text = fmt.Sprintf("the %s's first word behind the handshake was the alert %d (%s)", side, n, alertName(n))
	case seen.HiddenAlert[side]:
	case side == App && !seen.Spoke[App] && !m.gone[Upstream]:
		f.Class, f.Text = FaultClosed, "the app left behind the handshake without a word"
		if ended != nil {
			f.Class = ended.Class
		}
	default:
		return nil
	}
	if ended != nil {
		f.Errno, f.Text = ended.Errno, f.Text+", and then: "+ended.Text
	}
	return f
}

// firstWords is what may be kept of words in clear. An app's may hold a
// password behind the first word, an upstream's may echo one.
func (m *Machine) firstWords(side Side, b []byte) []byte {
	if side == Upstream {
		return []byte(m.mask(string(b)))
	}
	if end := bytes.IndexAny(b, " \t\r\n"); end >= 0 {
		b = b[:end]
	}
	return bytes.Clone(b[:min(len(b), 16)])
}

// alertName is the alert's name in crypto/tls.
func alertName(n uint8) string { return strings.TrimPrefix(tls.AlertError(n).Error(), "tls: ") }

// settleTunnel makes the two entries of the handshake. fault says how the side
// broke it; nil that it was completed.
func (m *Machine) settleTunnel(broke Side, fault *Fault) {
	t := m.tunnel
	t.settled, t.established = true, fault == nil
	m.secure = [2]bool{t.established, t.established}
	seen := t.watch.Seen()
	for side := App; side <= Upstream; side++ {
		e := m.entry(side, Origin(side), KindTLS, PhaseTLS)
		e.TLS = tunnelFacts(seen)
		e.TLS.Duration = m.now.Sub(t.began)
		if side == App {
			e.TLS.Hello, e.TLS.Flights = offered(seen.Client), flights(seen.Flights)
		} else {
			e.TLS.AskedCert, e.TLS.Sent, e.TLS.Staple = seen.AskedCert, seen.Chain, seen.Staple
		}
		if fault != nil && side == broke {
			e.Fault, e.TLS.Error = fault, fault.Text
		}
		e.Text = tunnelText(e.TLS, broke, fault)
	}
}

// tunnelText says in words how the handshake ended, the same on both legs.
func tunnelText(facts *TLS, broke Side, fault *Fault) string {
	if fault != nil {
		return "the handshake between the app and the upstream failed: " + fault.Text
	}
	return strings.TrimSpace(facts.Version+" "+facts.Cipher) + " between the app and the upstream"
}

// tunnelFacts is what both legs have in common.
func tunnelFacts(seen *wire.TLSSeen) *TLS {
	facts := &TLS{Passthrough: true, Chain: []Certificate{}}
	if seen.Client != nil {
		facts.ServerName = seen.Client.SNI
	}
	if s := seen.Server; s != nil && !s.Retry {
		facts.Version, facts.Cipher = wire.VersionName(s.Version), wire.SuiteName(s.Suite)
		facts.ALPN, facts.Resumed = s.ALPN, s.Resumed
		if s.Group != 0 {
			facts.Group = wire.GroupName(s.Group)
		}
	}
	return facts
}

// offered is the app's first message in words.
func offered(h *wire.ClientHello) *Hello {
	if h == nil {
		return nil
	}
	o := &Hello{
		Versions:   wire.Names(h.Versions[:min(len(h.Versions), maxListed)], wire.VersionName),
		Ciphers:    wire.Names(h.Suites[:min(len(h.Suites), maxListed)], wire.SuiteName),
		Groups:     wire.Names(h.Groups[:min(len(h.Groups), maxListed)], wire.GroupName),
		Signatures: wire.Names(h.Signatures[:min(len(h.Signatures), maxListed)], wire.SignatureName),
		ALPN:       h.ALPN[:min(len(h.ALPN), maxListed)],
		SNI:        h.SNI,
	}
	if !h.SSL2 { // of those only the version is read
		o.JA4 = h.JA4()
	}
	if len(o.Versions) == 0 {
		o.Versions = versionsUpTo(h.Version)
	}
	return o
}

// versionsUpTo is what a hello offers that names only the highest version: all
// below it down to SSL 3.0, as far as anybody can tell. Those that the other
// side would take are left out by it.
func versionsUpTo(highest uint16) (names []string) {
	for v := highest; v >= wire.VersionTLS10; v-- {
		names = append(names, wire.VersionName(v))
	}
	if len(names) == 0 {
		names = []string{wire.VersionName(highest)}
	}
	return names
}

func flights(seen []wire.TLSFlight) []Flight {
	all := make([]Flight, len(seen))
	for i, f := range seen {
		all[i] = Flight{From: Side(f.From).String(), Records: f.Records, Bytes: f.Bytes, At: f.At}
	}
	return all
}
