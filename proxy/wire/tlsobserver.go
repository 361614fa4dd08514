package wire

import "time"

// TLSObserver reads a TLS handshake that passes by. It is fed what each side
// sends and never changes or delays it. The zero value is ready.
//
// How it works: each side's octets are cut into records and those in clear into
// handshake messages; the few messages that say something are kept until they
// are whole, the others counted. From the ServerHello on TLS 1.3 shows records
// of application data only, so that what they are is told by size and order: a
// Finished has the length of its hash, an alert has two octets, no other
// message is as short as that. TLS 1.2 and earlier announce protection with
// ChangeCipherSpec; the record behind it is the Finished, or, by its type, an
// alert.
//
// Two marks end it. Settled: the handshake has succeeded or failed, and Seen
// says how. Done: nothing that may still come would change Seen. Between them
// lies the one exchange in which a side may yet take back its consent: under
// TLS 1.3 the app's Finished is the last word of the handshake, so that an
// upstream refuses a client certificate behind it, and an app that looks at
// the certificate late leaves behind it. So a caller goes on feeding until
// Done, which is when both have said something else than an alert.
//
// Each octet is looked at once; how they are cut into calls makes no
// difference. At most one handshake message a side is held, bounded by 64 KiB
// for certificates and 16 KiB for all others, and a side is read for 1 MiB at
// most.
type TLSObserver struct {
	seen  TLSSeen
	sides [2]tlsSide

	begun   bool
	start   time.Duration // of the first octet
	flight  int           // index of the flight under way
	stage   TLSStage
	retry   bool // a HelloRetryRequest is unanswered
	settled bool
	done    bool
}

// maxObserved bounds the octets of a side that are read: a handshake has some
// thousand.
const maxObserved = 1 << 20

// maxFlights bounds the list of flights. What comes behind it is added to the
// last one of its side.
const maxFlights = 24

// App reads what the app sent; at is the time since any fixed moment.
func (o *TLSObserver) App(b []byte, at time.Duration) {
	if !o.done {
		o.feed(TLSApp, b, at)
	}
}

// Upstream reads what the upstream sent.
func (o *TLSObserver) Upstream(b []byte, at time.Duration) {
	if !o.done {
		o.feed(TLSUpstream, b, at)
	}
}

// Done reports whether no more need be fed.
func (o *TLSObserver) Done() bool { return o.done }

// Settled reports whether the handshake has succeeded or failed. That a side
// has closed, or is silent, only the caller knows: Owes says whose fault it is.
func (o *TLSObserver) Settled() bool { return o.settled }

// Seen returns what was read so far. It changes with what is fed until Done.
func (o *TLSObserver) Seen() *TLSSeen {
	o.seen.Stage = o.reached()
	return &o.seen
}

// Owes returns the side whose turn it is in the handshake, TLSApp or
// TLSUpstream; ok is false when the handshake is settled and nobody's.
func (o *TLSObserver) Owes() (side int, ok bool) {
	if o.settled {
		return 0, false
	}
	switch stage := o.reached(); {
	case stage == TLSNothing || stage == TLSServerFlight || o.retry:
		return TLSApp, true
	default:
		return TLSUpstream, true
	}
}

// reached is the stage. Under TLS 1.3 it is a guess whether the upstream's
// flight is whole.
func (o *TLSObserver) reached() TLSStage {
	if o.stage == TLSAnswered && o.modern() && o.served() {
		return TLSServerFlight
	}
	return o.stage
}

// served reports whether the upstream's flight of TLS 1.3 seems whole. A
// Finished tells it by its size. Some stacks put all their messages in one
// record, which is longer than the first message by itself can be; of those
// that pad, the number of records tells. A path that drops large packets leaves
// a record cut short, or only the small ones in front.
func (o *TLSObserver) served() bool {
	up, finished := &o.sides[TLSUpstream], o.finishedSize()
	switch {
	case up.have > 0:
		return false
	case up.ended:
		return true
	case o.seen.Server.Resumed:
		return up.sealed > finished
	}
	return up.parcels == 1 && up.sealed > 3*finished || up.parcels >= 4
}

// feed takes the octets of a side until all are read or the observer is done.
func (o *TLSObserver) feed(side int, b []byte, at time.Duration) {
	for len(b) > 0 && !o.done {
		o.turn(side, at)
		n := o.step(side, b)
		b = b[n:]
	}
	if o.done {
		o.forget()
	}
}

// End tells the observer that a side has ended its part of the connection. With
// that both marks are reached: what the other side still says is an answer to
// the end, and no verdict on the handshake. A server sends its close_notify, or
// an alert, to an app that has left without a word.
func (o *TLSObserver) End() {
	o.settle()
	o.forget()
}

// forget lets go of all that served to read on.
func (o *TLSObserver) forget() { o.stage, o.sides = o.reached(), [2]tlsSide{} }

// turn makes the flight that the side's next octets belong to the current one.
func (o *TLSObserver) turn(side int, at time.Duration) {
	if !o.begun {
		o.begun, o.start = true, at
	}
	flights := o.seen.Flights
	switch {
	case len(flights) > 0 && flights[o.flight].From == side:
	case len(flights) < maxFlights:
		o.flight = len(flights)
		o.seen.Flights = append(flights, TLSFlight{From: side, At: at - o.start})
	default: // the last two are of different sides
		o.flight = 2*maxFlights - 3 - o.flight
	}
}

// step reads some octets of a side, at least one, and returns how many.
func (o *TLSObserver) step(side int, b []byte) int {
	s := &o.sides[side]
	n := 1
	switch {
	case s.strange:
		o.strange(side, b[0])
	case s.have < recordHeader:
		o.header(side, b[0])
	default:
		n = o.content(side, b[:min(len(b), s.left)])
		s.left -= n
		if s.left == 0 && !o.done {
			o.recordEnd(side)
		}
	}
	o.seen.Flights[o.flight].Bytes += int64(n)
	s.octets += n
	return n
}

// settle ends the handshake's reading: nothing more can change what is seen.
func (o *TLSObserver) settle() { o.settled, o.done = true, true }

// corrupt gives a side up.
func (o *TLSObserver) corrupt(side int, why string) {
	o.seen.Corrupt[side] = why
	o.settle()
}

// establish notes that the handshake was completed. Whoever speaks next may
// still refuse it.
func (o *TLSObserver) establish() {
	o.stage, o.settled, o.seen.Finished = TLSEstablished, true, true
}

// hidden notes an encrypted alert where something else was due.
func (o *TLSObserver) hidden(side int) {
	o.seen.HiddenAlert[side] = true
	o.settle()
}

// spoke notes that a side sent something else than an alert behind the
// handshake.
func (o *TLSObserver) spoke(side int) {
	o.seen.Spoke[side] = true
	if o.settled && o.seen.Spoke[side^1] {
		o.done = true
	}
}
