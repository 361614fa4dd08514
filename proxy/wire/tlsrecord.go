package wire

import "fmt"

// The types of record (RFC 8446, section 5.1).
const (
	recordCCS       = 20
	recordAlert     = 21
	recordHandshake = 22
	recordData      = 23
	recordHeartbeat = 24

	recordSSL2 = 0x80 // ours: a hello of SSL 2.0, whose first bit this is
)

// recordHeader is the length of a record's header in octets.
const recordHeader = 5

// maxRecord is what a protected record carries at most (RFC 5246, section
// 6.2.3); TLS 1.3 allows less.
const maxRecord = 1<<14 + 2048

// tlsSide is where the reading of one side stands.
type tlsSide struct {
	head    [recordHeader]byte
	have    int // octets of head that are there
	left    int // octets of the record's content still to come
	records int
	octets  int // read so far

	strange  bool // no TLS: its first words are kept
	alert    [2]byte
	message  tlsMessage
	ciphered bool // what it sends is protected
	finished bool // its Finished was seen
	sealed   int  // TLS 1.3: octets that it sent under protection in the handshake
	parcels  int  // TLS 1.3: in so many records
	ended    bool // TLS 1.3: one of them has the size of a Finished
	pads     bool // TLS 1.3: its records are longer by javaPadding
}

func (s *tlsSide) kind() byte { return s.head[0] }

// length is that of the content of the record under way.
func (s *tlsSide) length() int { return int(s.head[3])<<8 | int(s.head[4]) }

// header takes one octet of a record's header and judges it as soon as that
// can be done: a peer that speaks text may say no more than a word.
func (o *TLSObserver) header(side int, c byte) {
	s := &o.sides[side]
	s.head[s.have] = c
	s.have++
	if !s.plausible(side == TLSApp && s.records == 0) {
		o.noRecord(side)
		return
	}
	if s.have < recordHeader {
		return
	}
	s.records++
	o.seen.Flights[o.flight].Records++
	if s.left = s.length(); s.kind()&recordSSL2 != 0 {
		s.openSSL2()
	}
	switch {
	case s.octets > maxObserved:
		o.tooMuch(side)
	case s.left == 0:
		o.recordEnd(side)
	}
}

// plausible reports whether the octets so far can begin a record; old says that
// a hello in the format of SSL 2.0 may stand here.
func (s *tlsSide) plausible(old bool) bool {
	h := s.head[:s.have]
	if old && h[0]&recordSSL2 != 0 {
		return (len(h) < 3 || h[2] == msgClientHello) && (len(h) < 4 || h[3] == 3 || h[3] == 0) &&
			(len(h) < 5 || h[3] == 3 && h[4] <= 4 || h[4] == 2)
	}
	switch {
	case h[0] < recordCCS || h[0] > recordHeartbeat:
		return false
	case len(h) > 1 && h[1] != 3, len(h) > 2 && h[2] > 4:
		return false
	}
	return len(h) < recordHeader || s.length() <= maxRecord
}

// openSSL2 reads the header of a hello in the format of SSL 2.0: its length of
// 15 bits counts from the third octet on (RFC 5246, appendix E.2).
func (s *tlsSide) openSSL2() {
	s.left = max(int(s.head[0]&0x7f)<<8|int(s.head[1]), 3) - 3
}

// noRecord deals with a header that is none.
func (o *TLSObserver) noRecord(side int) {
	s := &o.sides[side]
	if s.records > 0 {
		o.corrupt(side, fmt.Sprintf("% x where a TLS record was due", s.head[:s.have]))
		return
	}
	s.strange = true
	for _, c := range s.head[:s.have] {
		o.strange(side, c)
	}
}

// strange keeps what a side says that speaks no TLS: its first line.
func (o *TLSObserver) strange(side int, c byte) {
	first := append(o.seen.NotTLS[side], c)
	o.seen.NotTLS[side] = first
	if c == '\n' || len(first) == 64 {
		o.settle()
	}
}

// tooMuch ends the reading of a side that never comes to an end.
func (o *TLSObserver) tooMuch(side int) {
	if o.settled {
		o.done = true
		return
	}
	o.corrupt(side, fmt.Sprintf("no end of the handshake within %d octets", maxObserved))
}

// content reads a piece of a record's content and returns how much of it: all,
// unless it is given up. Of protected records only the size matters.
func (o *TLSObserver) content(side int, b []byte) int {
	s := &o.sides[side]
	switch {
	case s.kind() == recordHandshake && !s.ciphered:
		return len(b) - o.handshake(side, b)
	case s.kind() == recordAlert && s.length() == 2:
		copy(s.alert[2-s.left:], b)
	}
	return len(b)
}

// recordEnd judges a record that is whole.
func (o *TLSObserver) recordEnd(side int) {
	s := &o.sides[side]
	s.have = 0
	switch s.kind() {
	case recordCCS:
		o.changeCipher(side)
	case recordAlert:
		o.alerted(side)
	case recordHandshake:
		if s.ciphered && !o.modern() {
			o.sealedHandshake(side)
		}
	case recordData:
		o.data(side)
	case recordHeartbeat:
	default:
		o.seen.Client = &ClientHello{Version: uint16(s.head[3])<<8 | uint16(s.head[4]), SSL2: true}
		o.stage = TLSHello
	}
}
