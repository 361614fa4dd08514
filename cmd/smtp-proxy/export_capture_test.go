package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/store"
	"smtp-proxy/proxy/session"
)

// capture is what a file of packets holds.
type capture struct {
	about, names string
	packets      []captured
	streams      map[string]string // "FROM NUMBER out|in"; a gap is <octets>
}

type captured struct{ to, flags, comments string }

func (c *capture) wantComment(t *testing.T, text string) {
	t.Helper()
	var all strings.Builder
	for _, p := range c.packets {
		all.WriteString(p.comments)
	}
	if !strings.Contains(all.String(), text) {
		t.Errorf("no comment says %q; they are\n%s", text, all.String())
	}
}

func readCapture(t *testing.T, file []byte) *capture {
	t.Helper()
	r, err := pcapgo.NewNgReader(bytes.NewReader(file), pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	c := &capture{about: r.SectionInfo().Comment, streams: map[string]string{}}
	dialogues := dialogues{c: c, number: map[string]int{}, next: map[string]uint32{}}
	last := time.Time{}
	for {
		data, info, options, err := r.ReadPacketDataWithOptions()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if info.Timestamp.Before(last) {
			t.Errorf("packet %d is of %v, want it not before %v", len(c.packets)+1, info.Timestamp, last)
		}
		last = info.Timestamp
		dialogues.packet(t, data, strings.Join(options.Comments, "\n"))
	}
	for i := range r.NInterfaces() {
		face, err := r.Interface(i)
		if err != nil {
			t.Fatal(err)
		}
		c.names += " " + face.Name
	}
	c.names = strings.TrimSpace(c.names)
	return c
}

// dialogues puts the words of packets together.
type dialogues struct {
	c      *capture
	number map[string]int    // streams so far, by who connected
	next   map[string]uint32 // sequence numbers, by direction
}

func (d *dialogues) packet(t *testing.T, data []byte, comments string) {
	t.Helper()
	first := gopacket.Decoder(layers.LayerTypeIPv4)
	if data[0]>>4 == 6 {
		first = layers.LayerTypeIPv6
	}
	p := gopacket.NewPacket(data, first, gopacket.Default)
	tcp, ok := p.TransportLayer().(*layers.TCP)
	if err := p.ErrorLayer(); err != nil || !ok {
		t.Fatalf("packet %d: got %v and %v, want TCP", len(d.c.packets)+1, p, err)
	}
	if err := verify(p, tcp); err != nil {
		t.Errorf("packet %d: %v", len(d.c.packets)+1, err)
	}
	if len(tcp.Payload) > maxSegment {
		t.Errorf("packet %d: got %d octets of payload, want %d at most", len(d.c.packets)+1, len(tcp.Payload), maxSegment)
	}
	src, dst := p.NetworkLayer().NetworkFlow().Endpoints()
	from, to := join(src, tcp.SrcPort), join(dst, tcp.DstPort)
	d.c.packets = append(d.c.packets, captured{to: to, flags: flagsOf(tcp), comments: comments})
	d.words(from, to, tcp)
}

// words adds a packet's to its stream. Who connects first is the one that
// sends SYN alone.
func (d *dialogues) words(from, to string, tcp *layers.TCP) {
	way := from + ">" + to
	if tcp.SYN && !tcp.ACK {
		d.number[from]++
	}
	if tcp.SYN {
		d.next[way] = tcp.Seq + 1
		return
	}
	name := fmt.Sprintf("%s %d out", from, d.number[from])
	if d.number[from] == 0 {
		name = fmt.Sprintf("%s %d in", to, d.number[to])
	}
	if gap := tcp.Seq - d.next[way]; gap > 0 && !tcp.RST {
		d.c.streams[name] += fmt.Sprintf("<%d>", gap)
	}
	d.next[way] = tcp.Seq + uint32(len(tcp.Payload))
	if tcp.FIN {
		d.next[way]++
	}
	if len(tcp.Payload) > 0 {
		d.c.streams[name] += string(tcp.Payload)
	}
}

func join(host gopacket.Endpoint, port layers.TCPPort) string {
	if strings.Contains(host.String(), ":") {
		return fmt.Sprintf("[%s]:%d", host, port)
	}
	return fmt.Sprintf("%s:%d", host, port)
}

func flagsOf(tcp *layers.TCP) (flags string) {
	for _, f := range []struct {
		on   bool
		name string
	}{{tcp.SYN, "S"}, {tcp.FIN, "F"}, {tcp.RST, "R"}, {tcp.PSH, "P"}, {tcp.ACK, "A"}} {
		if f.on {
			flags += f.name
		}
	}
	return flags
}

// verify recomputes the checksums.
func verify(p gopacket.Packet, tcp *layers.TCP) error {
	if err := tcp.SetNetworkLayerForChecksum(p.NetworkLayer()); err != nil {
		return err
	}
	err, wrong := p.VerifyChecksums()
	if err != nil {
		return err
	}
	if len(wrong) > 0 {
		return fmt.Errorf("got a wrong checksum: %+v", wrong)
	}
	return nil
}

// session is the record without a store.
func (r *recordOf) session() *inspect.Session {
	asm := inspect.NewAssembler(r.info)
	var events []session.Entry
	for _, rec := range r.all {
		if rec.Entry != nil {
			asm.Add(rec.Entry)
			events = append(events, *rec.Entry)
		}
	}
	asm.Close(r.info.Started.Add(time.Minute))
	s := asm.Session()
	s.Events = events
	return s
}

func findingAt(events ...int) []inspect.Finding {
	f := inspect.Finding{Cause: "some.cause", Certainty: inspect.Certain, Title: "title", Fix: []string{"do this"}}
	for _, n := range events {
		f.Evidence = append(f.Evidence, inspect.Evidence{Event: n})
	}
	return []inspect.Finding{f}
}

// reenact writes a session whose bodies were not kept.
func reenact(t *testing.T, s *inspect.Session) []byte {
	t.Helper()
	var out bytes.Buffer
	r := newReenactment(s, placesOf(s))
	r.body = func(int) (io.ReadCloser, error) { return nil, store.ErrNoBody }
	if err := r.write(&out, actsOf(s)); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
