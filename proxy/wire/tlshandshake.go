package wire

import (
	"errors"
	"fmt"
	"slices"
)

// maxCertificate bounds the messages that carry certificates, and those that
// are passed over.
const maxCertificate = 64 << 10

// maxChain bounds the certificates of a chain that are kept.
const maxChain = 32

// tlsMessage is a handshake message under way. What it keeps is its head, and
// its body when that is to be read.
type tlsMessage struct {
	b    []byte // header and as much of the body as is kept
	keep int    // octets to keep, header included, once the header is there
	left int    // octets of the body still to come
}

// handshake reads a piece of a handshake record's content: messages may be cut
// and joined by records in any way (RFC 8446, section 5.1). It returns how many
// octets are left unread when the side is given up.
func (o *TLSObserver) handshake(side int, b []byte) (unread int) {
	s := &o.sides[side]
	for len(b) > 0 && !s.ciphered {
		m := &s.message
		if len(m.b) < 4 {
			m.b = append(m.b, b[0])
			b = b[1:]
			if len(m.b) == 4 {
				o.openMessage(side)
			}
		} else {
			n := min(len(b), m.left)
			m.b = append(m.b, b[:min(n, m.keep-len(m.b))]...)
			m.left -= n
			b = b[n:]
		}
		if len(m.b) >= 4 && m.left == 0 && !o.done {
			o.messageEnd(side)
			m.b = m.b[:0]
		}
		if o.done {
			return len(b)
		}
	}
	return 0
}

// openMessage judges the header of a message.
func (o *TLSObserver) openMessage(side int) {
	m := &o.sides[side].message
	kind, size := m.b[0], int(m.b[1])<<16|int(m.b[2])<<8|int(m.b[3])
	kept, most := o.wanted(side, kind)
	switch {
	case o.outOfPlace(side, kind):
		o.corrupt(side, fmt.Sprintf("handshake message of type %d where a hello was due", kind))
	case size > most:
		o.corrupt(side, fmt.Sprintf("handshake message of type %d with %d octets", kind, size))
	}
	m.left, m.keep = size, 4+min(size, kept)
	m.b = slices.Grow(m.b, min(m.keep, maxAtOnce)-len(m.b))
}

// maxAtOnce is how much is set aside for a message at its header's word alone.
const maxAtOnce = 4 << 10

// wanted says how many octets of a message's body are read, and how many it
// may have.
func (o *TLSObserver) wanted(side int, kind byte) (kept, most int) {
	switch {
	case side == TLSApp && kind == msgClientHello && (o.seen.Client == nil || o.retry):
		return maxHello, maxHello
	case side == TLSUpstream && kind == msgServerHello && (o.seen.Server == nil || o.seen.Server.Retry):
		return maxHello, maxHello
	case side == TLSUpstream && kind == msgCertificate && o.seen.Chain == nil:
		return maxCertificate, maxCertificate
	case side == TLSUpstream && kind == msgCertificateStatus && o.seen.Staple == nil:
		return maxHello, maxHello
	case side == TLSUpstream && kind == msgServerKeyExchange:
		return 3, maxHello
	case side == TLSApp && kind == msgCertificate:
		return 3, maxCertificate
	}
	return 0, maxCertificate
}

// outOfPlace reports whether a message comes before the hello of its side.
func (o *TLSObserver) outOfPlace(side int, kind byte) bool {
	if side == TLSApp {
		return o.seen.Client == nil && kind != msgClientHello
	}
	return o.seen.Server == nil && kind != msgServerHello && kind != msgHelloRequest
}

// messageEnd reads a message that is whole, or as whole as it is kept.
func (o *TLSObserver) messageEnd(side int) {
	m := &o.sides[side].message
	kind, body := m.b[0], m.b[4:]
	if side == TLSApp {
		o.fromApp(kind, m.b)
		return
	}
	var err error
	switch kind {
	case msgServerHello:
		err = o.serverHello(m.b)
	case msgCertificate:
		err = o.certificates(body)
	case msgCertificateStatus:
		o.staple(body)
	case msgServerKeyExchange:
		o.keyExchange(body)
	case msgCertificateRequest:
		o.seen.AskedCert = true
	case msgServerHelloDone:
		o.stage = max(o.stage, TLSServerFlight)
	}
	if err != nil {
		o.corrupt(TLSUpstream, err.Error())
	}
}

// fromApp reads a message of the app. The second hello of two differs from the
// first in its key shares only, and is passed over.
func (o *TLSObserver) fromApp(kind byte, msg []byte) {
	switch {
	case kind == msgClientHello && o.seen.Client == nil:
		h, err := ParseClientHello(msg)
		if err != nil {
			o.corrupt(TLSApp, err.Error())
			return
		}
		o.seen.Client, o.stage = h, TLSHello
	case kind == msgClientHello:
		o.retry = false
	case kind == msgCertificate:
		o.seen.GaveCert = len(msg) == 7 && (msg[4]|msg[5]|msg[6]) != 0
	}
}

// serverHello reads the answer.
func (o *TLSObserver) serverHello(msg []byte) error {
	if o.seen.Server != nil && !o.seen.Server.Retry {
		return nil
	}
	h, err := ParseServerHello(msg)
	if err != nil {
		return err
	}
	o.seen.Server = h
	if h.Retry {
		o.retry, o.seen.Retried = true, true
		return nil
	}
	o.stage = TLSAnswered
	if o.modern() { // all that follows is protected
		o.sides[TLSApp].ciphered, o.sides[TLSUpstream].ciphered = true, true
	}
	return nil
}

// certificates reads the chain (RFC 5246, section 7.4.2).
func (o *TLSObserver) certificates(body []byte) error {
	c := cursor{b: body}
	list := cursor{b: c.vector(3)}
	for len(list.b) > 0 {
		der := list.vector(3)
		if len(der) == 0 {
			return errors.New("certificate list: an empty certificate")
		}
		if len(o.seen.Chain) < maxChain {
			o.seen.Chain = append(o.seen.Chain, append([]byte(nil), der...))
		}
	}
	if !c.ended() || !list.ended() {
		return fmt.Errorf("certificate list: %w", errMessage)
	}
	return nil
}

// staple reads the OCSP answer (RFC 6066, section 8). Another kind of status
// is let be.
func (o *TLSObserver) staple(body []byte) {
	c := cursor{b: body}
	kind, answer := c.uint(1), c.vector(3)
	if kind == 1 && c.ended() && len(answer) > 0 && o.seen.Staple == nil {
		o.seen.Staple = append([]byte(nil), answer...)
	}
}
