package main

import (
	"net/netip"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

// maxSegment is the payload of a packet: that of Ethernet, less the headers.
const maxSegment = 1460

// The ports that Wireshark takes for SMTP.
const (
	portSMTP       = 25
	portSubmission = 587
)

// stream is a TCP connection as it may have been. Addresses, words and times
// are the record's; sequence numbers, and where one packet ends and the next
// begins, are made up.
type stream struct {
	file *packetFile
	on   int // the file's interface
	from segment

	ends [2]endpoint // who connected, and who was connected to
	said bool        // there were words on it
	dead bool        // it ended in a reset
}

// endpoint is one end of a stream.
type endpoint struct {
	addr netip.AddrPort
	next uint32 // sequence number
	done bool   // has sent its FIN
}

// firstSequence differs for the two ends, so that a mistake shows.
const firstSequence = 1000

func newStream(f *packetFile, on int, from, to netip.AddrPort) *stream {
	return &stream{file: f, on: on, from: newSegment(), ends: [2]endpoint{
		{addr: from, next: firstSequence}, {addr: to, next: 2 * firstSequence},
	}}
}

// The flags of a packet, as functions that set them.
func syn(t *layers.TCP)  { t.SYN = true }
func ack(t *layers.TCP)  { t.ACK = true }
func push(t *layers.TCP) { t.PSH = true }
func fin(t *layers.TCP)  { t.FIN = true }
func rst(t *layers.TCP)  { t.RST = true }

// dial is the SYN.
func (s *stream) dial(at time.Time) error { return s.send(at, 0, nil, syn) }

// answer completes the connection.
func (s *stream) answer(at time.Time) error {
	if err := s.send(at, 1, nil, syn, ack); err != nil {
		return err
	}
	return s.send(at, 0, nil, ack)
}

// say sends words from an end.
func (s *stream) say(at time.Time, end int, text []byte) error {
	s.said = true
	for len(text) > 0 {
		n := min(len(text), maxSegment)
		if err := s.send(at, end, text[:n], push, ack); err != nil {
			return err
		}
		text = text[n:]
	}
	return nil
}

// skip leaves out octets that the record does not hold: a gap that Wireshark
// shows as octets missing in the capture.
func (s *stream) skip(end int, n int64) {
	// A gap of more than a window is none to TCP.
	s.ends[end].next += uint32(min(n, 1<<30))
}

// acknowledge is a packet without words.
func (s *stream) acknowledge(at time.Time, end int) error { return s.send(at, end, nil, ack) }

// end closes the direction of one end.
func (s *stream) end(at time.Time, end int) error {
	if s.ends[end].done {
		return nil
	}
	s.ends[end].done = true
	return s.send(at, end, nil, fin, ack)
}

// reset ends both directions at once.
func (s *stream) reset(at time.Time, end int) error {
	err := s.send(at, end, nil, rst, ack)
	s.dead = true
	return err
}

// again begins a new stream between the same ends, behind the end of this one.
func (s *stream) again(at time.Time) error {
	for end := range s.ends {
		if err := s.end(at, end); err != nil {
			return err
		}
	}
	if err := s.acknowledge(at, 0); err != nil {
		return err
	}
	for end := range s.ends {
		s.ends[end].done = false
		s.ends[end].next += 1 << 20 // Wireshark tells a new stream by its number
	}
	s.said = false
	if err := s.dial(at); err != nil {
		return err
	}
	return s.answer(at)
}

// send writes one packet. Nothing comes behind a reset or the sender's FIN.
func (s *stream) send(at time.Time, end int, payload []byte, flags ...func(*layers.TCP)) error {
	from, to := &s.ends[end], &s.ends[1-end]
	tcp := &layers.TCP{
		SrcPort: layers.TCPPort(from.addr.Port()), DstPort: layers.TCPPort(to.addr.Port()),
		Seq: from.next, Ack: to.next, Window: 0xffff,
	}
	for _, set := range flags {
		set(tcp)
	}
	if s.dead || from.done && !tcp.FIN && len(payload) > 0 {
		return nil
	}
	if !tcp.ACK {
		tcp.Ack = 0
	}
	if tcp.SYN {
		tcp.Options = []layers.TCPOption{{OptionType: layers.TCPOptionKindMSS, OptionLength: 4, OptionData: []byte{maxSegment >> 8, maxSegment & 0xff}}}
	}
	from.next += uint32(len(payload))
	if tcp.SYN || tcp.FIN {
		from.next++
	}
	data, err := s.from.bytes(header(from.addr.Addr(), to.addr.Addr()), tcp, payload)
	if err != nil {
		return err
	}
	return s.file.write(s.on, at, data)
}

// header is that of IP, in the family of the addresses.
func header(from, to netip.Addr) gopacket.NetworkLayer {
	if from.Is4() {
		return &layers.IPv4{
			Version: 4, TTL: 64, Protocol: layers.IPProtocolTCP, Flags: layers.IPv4DontFragment,
			SrcIP: from.AsSlice(), DstIP: to.AsSlice(),
		}
	}
	return &layers.IPv6{
		Version: 6, HopLimit: 64, NextHeader: layers.IPProtocolTCP,
		SrcIP: from.AsSlice(), DstIP: to.AsSlice(),
	}
}
