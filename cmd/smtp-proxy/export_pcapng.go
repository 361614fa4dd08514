package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/store"
	"smtp-proxy/proxy/session"
)

// PcapngFormat is the dialogue for Wireshark.
func (x *export) PcapngFormat() format {
	return format{
		name:  "pcapng",
		about: "the dialogue of each leg in clear, as TCP streams for Wireshark; findings are comments",
		file:  ".pcapng", kind: "application/x-pcapng",
		raw:   true,
		write: x.writePcapng,
	}
}

func (x *export) writePcapng(ctx context.Context, w io.Writer) error {
	acts := actsOf(x.session)
	r := newReenactment(x.session, placesOf(x.session))
	r.body = func(message int) (io.ReadCloser, error) {
		// Content outside a transaction is not kept; of what was cut nobody
		// knows where the holes are.
		if message < 0 || x.captured(message) == "cut" {
			return nil, store.ErrNoBody
		}
		return x.body(ctx, message)
	}
	return r.write(w, acts)
}

// reenactment plays the acts of a session into a file of packets.
//
// Two choices make Wireshark show SMTP without being told to. A port that it
// does not know for SMTP is written as 25; a comment and the interface tell
// the real one. And where a leg went under TLS the stream ends and another
// begins between the same ends: behind STARTTLS Wireshark expects TLS records
// on a stream, and what follows stands here in clear.
type reenactment struct {
	session *inspect.Session
	places  places
	body    func(message int) (io.ReadCloser, error)

	file     *packetFile
	legs     [2]*stream
	dials    map[*session.Dial]*stream
	findings map[int][]string // by the entry that shows them
	reading  map[int]io.ReadCloser
}

func newReenactment(s *inspect.Session, p places) *reenactment {
	return &reenactment{
		session: s, places: p, dials: map[*session.Dial]*stream{}, findings: remarksOf(s), reading: map[int]io.ReadCloser{},
	}
}

func (r *reenactment) write(w io.Writer, acts []act) (err error) {
	if r.file, err = newPacketFile(w, about(r.session), r.places.names()); err != nil {
		return err
	}
	defer r.stopReading()
	for i := range acts {
		if err := r.play(&acts[i]); err != nil {
			return err
		}
	}
	return r.file.close()
}

func (r *reenactment) stopReading() {
	for _, body := range r.reading {
		body.Close() // it was read only
	}
}

// play does one act. Its remarks, and the findings that it shows, go to the
// first packet that is written from here on.
func (r *reenactment) play(a *act) error {
	for _, text := range append(r.findings[a.seq], a.remarks...) {
		r.file.remark(text)
	}
	delete(r.findings, a.seq)
	leg := r.legs[a.leg]
	switch {
	case a.kind == actDial:
		return r.dial(a)
	case a.kind == actEnd && a.dial != nil: // of an attempt
		return r.dials[a.dial].reset(a.at, 1)
	case a.kind == actOpen:
		return r.open(a)
	case leg == nil:
		return nil
	}
	return r.onLeg(leg, a)
}

// onLeg does what happens on a leg that is open.
func (r *reenactment) onLeg(leg *stream, a *act) error {
	end := 1
	if a.up {
		end = 0
	}
	switch a.kind {
	case actSay:
		return leg.say(a.at, end, []byte(a.text))
	case actBody:
		return r.content(a)
	case actSecure:
		return r.secure(leg, a)
	case actEnd:
		if a.dead {
			return leg.reset(a.at, end)
		}
		return leg.end(a.at, end)
	case actDone:
		return r.done(leg, a)
	}
	return nil
}

// dial begins a connection. Attempts may overlap; the one that is opened
// becomes the leg.
func (r *reenactment) dial(a *act) error {
	from, to, told := r.places.of(a)
	for _, text := range told {
		r.file.remark(text)
	}
	s := newStream(r.file, int(a.leg), from, to)
	r.dials[a.dial] = s
	return s.dial(a.at)
}

func (r *reenactment) open(a *act) error {
	r.legs[a.leg] = r.dials[a.dial]
	return r.legs[a.leg].answer(a.at)
}

// secure begins a new stream where words in clear came before.
func (r *reenactment) secure(leg *stream, a *act) error {
	if !leg.said {
		r.file.remark("from the first octet under " + a.text + ", here in clear")
		return nil
	}
	r.file.remark("from here under " + a.text + ". What follows was under TLS; it stands in clear in the next stream between the same ends")
	return leg.again(a.at)
}

// done is the proxy closing what it has open. The app's leg has the proxy as
// the end that was connected to.
func (r *reenactment) done(leg *stream, a *act) error {
	if a.leg == session.App {
		return leg.end(a.at, 1)
	}
	return leg.end(a.at, 0)
}

// ackEvery is how many packets of content go unacknowledged; more than a
// window may not.
const ackEvery = 16

// content passes a stretch of a message on both legs, a packet at a time.
func (r *reenactment) content(a *act) error {
	p := a.content
	body := r.reader(p.message)
	var buf [maxSegment]byte
	left := p.size
	for n := 1; left > 0; n++ {
		got, err := io.ReadFull(body, buf[:min(left, maxSegment)])
		left -= int64(got)
		if err := r.pass(a, buf[:got], n%ackEvery == 0); err != nil {
			return err
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("message %d: %w", p.message+1, err)
		}
	}
	if left > 0 {
		return r.lack(a, left)
	}
	return r.pass(a, []byte(p.tail), true)
}

// lack leaves a gap where the record holds no more of a message. Of one that
// was whole its last line end is known, since the end of data begins with it.
// Behind a gap in BDAT Wireshark would wait for the octets that it has counted,
// so the stream begins anew there.
func (r *reenactment) lack(a *act, left int64) error {
	p, rest := a.content, a.content.tail
	whose := "of no message"
	if p.message >= 0 {
		whose = fmt.Sprintf("of message %d", p.message+1)
	}
	r.file.remark(fmt.Sprintf("%s %s are missing here: the record does not hold them", inspect.Octets(left), whose))
	if p.sealed && left >= 2 {
		left, rest = left-2, "\r\n"+rest
	}
	for _, leg := range r.legs {
		if leg == nil {
			continue
		}
		leg.skip(0, left)
		if !p.counted {
			continue
		}
		if err := leg.again(a.at); err != nil {
			return err
		}
	}
	return r.pass(a, []byte(rest), true)
}

// pass sends content from the app to the smarthost.
func (r *reenactment) pass(a *act, text []byte, acknowledged bool) error {
	for _, leg := range r.legs {
		if leg == nil || len(text) == 0 {
			continue
		}
		if err := leg.say(a.at, 0, text); err != nil {
			return err
		}
		if !acknowledged {
			continue
		}
		if err := leg.acknowledge(a.at, 1); err != nil {
			return err
		}
	}
	return nil
}

// reader returns where the content of a message goes on; where none was kept,
// it is at its end.
func (r *reenactment) reader(message int) io.Reader {
	if open, ok := r.reading[message]; ok {
		return open
	}
	body, err := r.body(message)
	if err != nil {
		body = io.NopCloser(strings.NewReader(""))
		if !errors.Is(err, store.ErrNoBody) {
			body = io.NopCloser(failing{err})
		}
	}
	r.reading[message] = body
	return body
}

// failing is a reader that has nothing but an error.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
