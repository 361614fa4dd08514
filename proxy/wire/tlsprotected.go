package wire

import (
	"fmt"
	"strings"
)

// The alerts that a handshake survives (RFC 5246, section 7.2; RFC 6101 for
// no_certificate).
const (
	alertNoCertificate    = 41
	alertNoRenegotiation  = 100
	alertUnrecognizedName = 112
)

// modern reports whether TLS 1.3 was agreed on.
func (o *TLSObserver) modern() bool {
	s := o.seen.Server
	return s != nil && !s.Retry && s.Version >= VersionTLS13
}

// tagSize is what TLS 1.3 adds to a record's content: its true type and the
// authentication tag of the cipher suite.
func (o *TLSObserver) tagSize() int {
	if strings.Contains(SuiteName(o.seen.Server.Suite), "CCM_8") {
		return 1 + 8
	}
	return 1 + 16
}

// finishedSize is the length of a record that holds a Finished of TLS 1.3: a
// hash behind a message header.
func (o *TLSObserver) finishedSize() int {
	hash := 32
	switch name := SuiteName(o.seen.Server.Suite); {
	case strings.HasSuffix(name, "SHA384"):
		hash = 48
	case strings.HasSuffix(name, "SHA512"):
		hash = 64
	}
	return 4 + hash + o.tagSize()
}

// emptyCertificate is the length of the message with which an app answers that
// it has no certificate under TLS 1.3.
const emptyCertificate = 8

// javaPadding is what Java's JSSE adds to each record of TLS 1.3. Padding is
// the sender's choice (RFC 8446, section 5.4); no other stack in wide use has
// any, and what is padded in another way is not told apart.
const javaPadding = 16

// keyExchange reads the group of the key exchange of TLS 1.2 and earlier, or
// the size of its prime (RFC 8422, section 5.4; RFC 5246, section 7.4.3).
func (o *TLSObserver) keyExchange(body []byte) {
	if len(body) < 3 || o.seen.Server == nil {
		return
	}
	switch name := SuiteName(o.seen.Server.Suite); {
	case strings.HasPrefix(name, "TLS_ECDH") && body[0] == 3: // named_curve
		o.seen.Server.Group = uint16(body[1])<<8 | uint16(body[2])
	case strings.HasPrefix(name, "TLS_DHE_RSA"), strings.HasPrefix(name, "TLS_DHE_DSS"), strings.HasPrefix(name, "TLS_DH_anon"):
		o.seen.Server.DHBits = 8 * (int(body[0])<<8 | int(body[1]))
	}
}

// changeCipher notes that what a side sends from here on is protected. Under
// TLS 1.3 the record is there for middleboxes only, and means nothing.
func (o *TLSObserver) changeCipher(side int) {
	if server := o.seen.Server; server == nil || server.Retry || o.modern() {
		return
	}
	if side == TLSUpstream && !o.sides[TLSApp].ciphered {
		o.seen.Server.Resumed = true // RFC 5246, section 7.3: then the server is first
	}
	o.sides[side].ciphered = true
}

// sealedHandshake reads a protected handshake record of TLS 1.2 or earlier: the
// Finished, and later a renegotiation.
func (o *TLSObserver) sealedHandshake(side int) {
	s := &o.sides[side]
	switch {
	case s.finished:
		o.spoke(side)
		return
	case o.sides[side^1].finished:
		s.finished = true
		o.establish()
		return
	}
	s.finished = true
	if side == TLSApp {
		o.stage = TLSAppFlight
	} else {
		o.stage = TLSServerFlight
	}
}

// alerted reads an alert.
func (o *TLSObserver) alerted(side int) {
	s := &o.sides[side]
	switch {
	case s.length() == 2:
		o.plainAlert(side, TLSAlert{Level: s.alert[0], Number: s.alert[1]})
	case !s.ciphered:
		o.corrupt(side, fmt.Sprintf("alert of %d octets", s.length()))
	case o.seen.Spoke[side]: // it ends the connection, not the handshake
		o.settle()
	default:
		o.hidden(side)
	}
}

// plainAlert ends the handshake, unless it is one of the warnings that peers
// pass over. Of those that should not be passed over, some are sent as
// warnings all the same.
func (o *TLSObserver) plainAlert(side int, a TLSAlert) {
	harmless := a.Number == alertNoCertificate || a.Number == alertNoRenegotiation || a.Number == alertUnrecognizedName
	if a.Level == 1 && harmless {
		o.seen.Warned[side] = &a
		return
	}
	o.seen.Alert[side] = &a
	o.settle()
}

// data reads a record of application data, which under TLS 1.3 may be anything.
func (o *TLSObserver) data(side int) {
	early := o.seen.Client != nil && o.seen.Client.EarlyData && side == TLSApp
	switch {
	case o.modern():
		o.sealedData(side, early)
	case o.sides[side].finished:
		o.spoke(side)
	case !early:
		o.corrupt(side, "application data where a handshake was due")
	}
}

// sealedData reads a protected record of TLS 1.3 by its size.
func (o *TLSObserver) sealedData(side int, early bool) {
	size := o.sides[side].length()
	switch alert := o.alertSized(side, size); {
	case o.seen.Spoke[side]:
	case alert && !(early && !o.settled):
		o.hidden(side)
	case o.settled:
		o.spoke(side)
	case side == TLSApp:
		o.appSealed(size, early)
	default:
		o.upstreamSealed(size)
	}
}

// alertSized reports whether a record is as short as an alert. Of a side that
// has not shown yet whether it pads, both sizes are one: no other message has
// the longer, save the first of the upstream's flight.
func (o *TLSObserver) alertSized(side, size int) bool {
	s, alert := &o.sides[side], 2+o.tagSize()
	if size == alert+javaPadding {
		return s.pads || !o.settled && (side == TLSApp || s.sealed > 0)
	}
	return size == alert
}

// appSealed reads what the app sends from the upstream's flight to the end of
// its own. A Finished by itself is told by its size, and so is one behind the
// message that says that there is no certificate. With a certificate its flight
// has no size of its own: the upstream's next word ends it.
func (o *TLSObserver) appSealed(size int, early bool) {
	s := &o.sides[TLSApp]
	extra := size - o.finishedSize()
	switch {
	case extra == 0, extra == emptyCertificate, extra == javaPadding, extra == emptyCertificate+javaPadding:
		s.pads = extra >= javaPadding
		o.seen.AskedCert = o.seen.AskedCert || s.sealed > 0 || extra%javaPadding != 0
		o.establish()
	case !early:
		s.sealed += size
	}
}

// upstreamSealed reads what the upstream sends before the app's flight is known
// to be whole.
func (o *TLSObserver) upstreamSealed(size int) {
	s := &o.sides[TLSUpstream]
	s.parcels++
	s.sealed += size
	if extra := size - o.finishedSize(); extra == 0 || extra == javaPadding {
		s.ended, s.pads = true, extra > 0
	}
	if o.sides[TLSApp].sealed > 0 {
		o.establish()
		o.spoke(TLSUpstream)
	}
}
