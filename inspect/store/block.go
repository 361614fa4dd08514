package store

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"github.com/klauspost/compress/zstd"

	"smtp-proxy/inspect"
)

// How a block is written. It has three sections, each compressed as a whole;
// a section is a list of pieces:
//
//	summaries  key, length, then start and end (varint, nanoseconds since 1970,
//	           0 for none), the handshakes of app and upstream (each a length
//	           and JSON), and the rest of the session as JSON
//	entries    key, length, entries (see entries.go)
//	bodies     key, message, length, octets as they were sent
//
// Numbers are uvarints unless said otherwise. The key is that of the table of
// sessions. In front of a compressed section stands one byte: its coding.

const (
	codingPlain = 0 // not compressed, because that would not make it smaller
	codingZstd  = 1
)

// sectionSize is when a block is full: enough for compression to find what
// sessions have in common, little enough to be read for one session's sake. It
// is the compressor's window, too, and therefore a power of two.
const sectionSize = 256 << 10

// maxSection bounds what a section may claim to hold.
const maxSection = 64 << 20

// packer compresses and expands sections. Its methods may be used concurrently.
type packer struct {
	enc *zstd.Encoder
	dec *zstd.Decoder
}

func newPacker() (*packer, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
		zstd.WithEncoderCRC(true), zstd.WithWindowSize(sectionSize))
	if err != nil {
		return nil, err
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxSection))
	if err != nil {
		return nil, err
	}
	return &packer{enc, dec}, nil
}

// pack returns a section as it is stored, in the memory of b; nil when it is
// empty.
func (p *packer) pack(b, section []byte) []byte {
	if len(section) == 0 {
		return nil
	}
	out := p.enc.EncodeAll(section, append(b[:0], codingZstd))
	if len(out) <= len(section) {
		return out
	}
	return append(append(out[:0], codingPlain), section...)
}

func (p *packer) unpack(stored []byte) ([]byte, error) {
	switch {
	case len(stored) == 0:
		return nil, nil
	case stored[0] == codingPlain:
		return stored[1:], nil
	case stored[0] != codingZstd:
		return nil, fmt.Errorf("%w: unknown coding %d", errCoding, stored[0])
	}
	out, err := p.dec.DecodeAll(stored[1:], nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errCoding, err)
	}
	return out, nil
}

// piece is what a section holds of one session, or of one message in it.
type piece struct {
	key     int64
	message int // in bodies
	data    []byte
}

func appendPiece(b []byte, p piece, body bool) []byte {
	b = binary.AppendUvarint(b, uint64(p.key))
	if body {
		b = binary.AppendUvarint(b, uint64(p.message))
	}
	return appendBytes(b, p.data)
}

// eachPiece yields the pieces of a section.
func eachPiece(section []byte, body bool, yield func(piece) error) error {
	in := coder{b: section}
	for len(in.b) > 0 {
		p := piece{key: int64(in.uint())}
		if body {
			p.message = int(in.uint())
		}
		p.data = in.bytes()
		if in.err != nil {
			return in.err
		}
		if err := yield(p); err != nil {
			return err
		}
	}
	return nil
}

// appendSummary writes a session without its events.
func (h *handshakes) appendSummary(b []byte, s *inspect.Session) ([]byte, error) {
	app, err := h.marshal(s.App.TLS)
	if err != nil {
		return b, fmt.Errorf("session %s: %w", s.ID, err)
	}
	upstream, err := h.marshal(s.Upstream.TLS)
	if err != nil {
		return b, fmt.Errorf("session %s: %w", s.ID, err)
	}
	flat := *s
	flat.Events, flat.App.TLS, flat.Upstream.TLS = nil, nil, nil
	b = binary.AppendVarint(b, s.Started.UnixNano())
	var ended int64
	if !s.Ended.IsZero() {
		ended = s.Ended.UnixNano()
	}
	b = binary.AppendVarint(b, ended)
	b = appendBytes(b, app)
	b = appendBytes(b, upstream)
	if b, err = flat.AppendSummary(b); err != nil {
		return b, fmt.Errorf("session %s: %w", s.ID, err)
	}
	return b, nil
}

func (h *handshakes) readSummary(b []byte) (*inspect.Session, error) {
	in := coder{b: b}
	started, ended := in.int(), in.int()
	app, appErr := h.unmarshal(in.bytes())
	upstream, upErr := h.unmarshal(in.bytes())
	s := new(inspect.Session)
	if in.err != nil || appErr != nil || upErr != nil {
		return nil, errCoding
	}
	if err := json.Unmarshal(in.b, s); err != nil {
		return nil, fmt.Errorf("%w: %w", errCoding, err)
	}
	s.App.TLS, s.Upstream.TLS = app, upstream
	s.Started = time.Unix(0, started).UTC()
	if ended != 0 {
		s.Ended = time.Unix(0, ended).UTC()
	}
	return s, nil
}

// close ends the coder's goroutines; the packer cannot be used any more.
func (p *packer) close() {
	p.enc.Close()
	p.dec.Close()
}
