package main

import (
	"io"
	"strings"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// packetFile writes packets with comments. It holds one packet back, so that
// what is still to be remarked at the end has a place.
type packetFile struct {
	out  *pcapgo.NgWriter
	held *packet
	free []byte // of the packet that was written last

	remarks []string // for the next packet
	last    time.Time
}

// packet is one of a leg's.
type packet struct {
	info    gopacket.CaptureInfo
	data    []byte
	remarks []string
}

// legs of a session as interfaces of the file; the index is the [session.Side].
type legNames [2]struct{ name, description string }

func newPacketFile(w io.Writer, about string, legs legNames) (*packetFile, error) {
	var interfaces [2]pcapgo.NgInterface
	for i, l := range legs {
		// Packets begin with their IP header: there is no link to tell of.
		interfaces[i] = pcapgo.NgInterface{Name: l.name, Description: l.description, LinkType: layers.LinkTypeRaw}
	}
	out, err := pcapgo.NewNgWriterInterface(w, interfaces[0], pcapgo.NgWriterOptions{
		SectionInfo: pcapgo.NgSectionInfo{Application: "smtp-proxy " + version(), Comment: comment(about)},
	})
	if err != nil {
		return nil, err
	}
	_, err = out.AddInterface(interfaces[1])
	return &packetFile{out: out}, err
}

// remark adds a comment to the next packet.
func (f *packetFile) remark(text string) { f.remarks = append(f.remarks, comment(text)) }

// mostComment is how long a comment may get. A block's option has 16 bits for
// its length; a page is what people read.
const mostComment = 4 << 10

func comment(text string) string {
	if len(text) <= mostComment {
		return text
	}
	return strings.ToValidUTF8(text[:mostComment], "") + "…"
}

// write adds a packet to an interface. The clock of the file never goes back.
func (f *packetFile) write(on int, at time.Time, data []byte) error {
	if at.Before(f.last) {
		at = f.last
	}
	f.last = at
	next := &packet{
		info:    gopacket.CaptureInfo{Timestamp: at, CaptureLength: len(data), Length: len(data), InterfaceIndex: on},
		data:    append(f.free[:0], data...),
		remarks: f.remarks,
	}
	f.free, f.remarks = nil, nil
	err := f.release()
	f.held = next
	return err
}

// release writes the packet that was held back.
func (f *packetFile) release() error {
	p := f.held
	if p == nil {
		return nil
	}
	f.held, f.free = nil, p.data
	return f.out.WritePacketWithOptions(p.info, p.data, pcapgo.NgPacketOptions{Comments: p.remarks})
}

// close completes the file; what it was written to stays open.
func (f *packetFile) close() error {
	if f.held != nil {
		f.held.remarks = append(f.held.remarks, f.remarks...)
	}
	if err := f.release(); err != nil {
		return err
	}
	return f.out.Flush()
}

// segment builds a packet from its layers.
type segment struct {
	buf gopacket.SerializeBuffer
}

func newSegment() segment { return segment{gopacket.NewSerializeBuffer()} }

// bytes returns the packet, which is good until the next call.
func (s segment) bytes(ip gopacket.NetworkLayer, tcp *layers.TCP, payload []byte) ([]byte, error) {
	if err := tcp.SetNetworkLayerForChecksum(ip); err != nil {
		return nil, err
	}
	options := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	err := gopacket.SerializeLayers(s.buf, options, ip.(gopacket.SerializableLayer), tcp, gopacket.Payload(payload))
	return s.buf.Bytes(), err
}
