package probe

import (
	"errors"

	"smtp-proxy/proxy/wire"
)

const (
	recordHeader    = 5
	handshakeHeader = 4
)

// The record and handshake types that are read, and the extensions.
const (
	recordAlert     = 21
	recordHandshake = 22
	recordSealed    = 23

	msgServerHello  = 2
	msgExtensions   = 8
	msgCertificate  = 11
	msgWantsCert    = 13
	msgFinished     = 20
	extStatus       = 5
	extALPN         = 16
	extKeyShare     = 51
	maxChain        = 16
	maxFlightOctets = 128 << 10
)

// flight is what a smarthost of TLS 1.3 sends behind its ServerHello.
type flight struct {
	chain  [][]byte // in DER
	staple []byte
	alpn   string
	asked  bool // for a client certificate
	alert  int  // that ended the flight; -1 for none
	whole  bool
}

var errCut = errors.New("more is to come")

// readFlight decrypts what a smarthost has sent so far in answer to a hello,
// both as records on the wire. An error of errCut says that the flight goes
// on; any other, that it cannot be read.
func readFlight(hello, sent []byte, shares map[uint16]share) (flight, error) {
	f := flight{alert: -1}
	if len(sent) > maxFlightOctets {
		return f, errors.New("the flight is too long")
	}
	r := flightReader{f: &f, hello: content(hello), shares: shares}
	for len(sent) > 0 && !f.whole && f.alert < 0 {
		record, rest := cutRecord(sent)
		if record == nil {
			break
		}
		if err := r.record(record); err != nil {
			return f, err
		}
		sent = rest
	}
	if !f.whole && f.alert < 0 {
		return f, errCut
	}
	return f, nil
}

// cutRecord takes the first whole record off.
func cutRecord(b []byte) (record, rest []byte) {
	if len(b) < recordHeader {
		return nil, b
	}
	n := recordHeader + int(b[3])<<8 + int(b[4])
	if len(b) < n {
		return nil, b
	}
	return b[:n], b[n:]
}

// content joins what records in clear carry.
func content(records []byte) []byte {
	var all []byte
	for {
		record, rest := cutRecord(records)
		if record == nil {
			return all
		}
		all, records = append(all, record[recordHeader:]...), rest
	}
}

// flightReader follows a flight from the ServerHello on.
type flightReader struct {
	f      *flight
	hello  []byte // the app's message
	shares map[uint16]share
	seal   *seal
	clear  []byte // handshake messages not yet whole, in clear
	sealed []byte // and those that were protected
}

func (r *flightReader) record(record []byte) error {
	switch kind := record[0]; {
	case kind == recordHandshake && r.seal == nil:
		r.clear = append(r.clear, record[recordHeader:]...)
		return r.serverHello()
	case kind == recordSealed && r.seal != nil:
		return r.protected(record)
	}
	return nil // ChangeCipherSpec, for the sake of middleboxes
}

// serverHello derives the keys once the message is whole.
func (r *flightReader) serverHello() error {
	msg, _ := cutMessage(r.clear)
	if msg == nil {
		return nil
	}
	h, err := wire.ParseServerHello(msg)
	if err != nil {
		return err
	}
	mine, ok := r.shares[h.Group]
	if !ok || h.Retry || h.Version != wire.VersionTLS13 {
		return errors.New("no key for the flight")
	}
	secret, err := mine.secret(keyShareOf(msg))
	if err != nil {
		return err
	}
	r.seal, err = newSeal(h.Suite, secret, append(append([]byte{}, r.hello...), msg...))
	return err
}

func (r *flightReader) protected(record []byte) error {
	kind, content, err := r.seal.open(record)
	switch {
	case err != nil:
		return err
	case kind == recordAlert && len(content) == 2:
		r.f.alert = int(content[1])
	case kind == recordHandshake:
		r.sealed = append(r.sealed, content...)
		r.messages()
	}
	return nil
}

// messages reads those that are whole.
func (r *flightReader) messages() {
	for {
		msg, rest := cutMessage(r.sealed)
		if msg == nil {
			return
		}
		r.sealed = rest
		body := msg[handshakeHeader:]
		switch msg[0] {
		case msgExtensions:
			block, _ := vector(body, 2)
			r.f.alpn = alpnOf(block)
		case msgWantsCert:
			r.f.asked = true
		case msgCertificate:
			r.f.certificates(body)
		case msgFinished:
			r.f.whole = true
		}
	}
}

// cutMessage takes the first whole handshake message off.
func cutMessage(b []byte) (msg, rest []byte) {
	if len(b) < handshakeHeader {
		return nil, b
	}
	n := handshakeHeader + int(b[1])<<16 + int(b[2])<<8 + int(b[3])
	if len(b) < n {
		return nil, b
	}
	return b[:n], b[n:]
}

// certificates reads a Certificate message (RFC 8446, section 4.4.2).
func (f *flight) certificates(body []byte) {
	_, body = vector(body, 1) // context
	list, _ := vector(body, 3)
	for len(list) > 0 && len(f.chain) < maxChain {
		var der, ext []byte
		der, list = vector(list, 3)
		ext, list = vector(list, 2)
		if status := extension(ext, extStatus); len(f.chain) == 0 && len(status) > 4 {
			f.staple = status[4:] // behind its type and length
		}
		f.chain = append(f.chain, der)
	}
}

func alpnOf(block []byte) string {
	names, _ := vector(extension(block, extALPN), 2)
	name, _ := vector(names, 1)
	return string(name)
}

// keyShareOf finds the smarthost's half in its ServerHello, which has been
// parsed without error.
func keyShareOf(msg []byte) []byte {
	body := msg[handshakeHeader+2+32:]
	_, body = vector(body, 1) // session id
	block, _ := vector(body[3:], 2)
	entry := extension(block, extKeyShare)
	if len(entry) < 4 {
		return nil
	}
	return entry[4:]
}

// extension finds the body of an extension.
func extension(block []byte, kind int) []byte {
	for len(block) >= 4 {
		is := int(block[0])<<8 | int(block[1])
		var body []byte
		body, block = vector(block[2:], 2)
		if is == kind {
			return body
		}
	}
	return nil
}

// vector takes what follows a length of n octets off; nothing when it is cut
// short.
func vector(b []byte, n int) (body, rest []byte) {
	if len(b) < n {
		return nil, nil
	}
	size := 0
	for _, o := range b[:n] {
		size = size<<8 | int(o)
	}
	if len(b) < n+size {
		return nil, nil
	}
	return b[n : n+size], b[n+size:]
}
