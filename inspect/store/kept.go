package store

import (
	"fmt"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// The ways to keep messages.
const (
	captureFull    = "full"
	captureHeaders = "headers"
	captureNone    = "none"
)

// kept is a session on its way into the store.
type kept struct {
	id      string
	key     int64
	asm     *inspect.Assembler
	capture string
	header  headerCut

	upstream string           // host:port as configured
	settled  *inspect.Session // the view of a session in which nothing changes any more
	was      *inspect.Session // what its row said of a session that had ended; nil of any other
	findings []inspect.Finding
	provider string    // the annotator's word
	failing  bool      // something went wrong since the last look
	judged   time.Time // the last look while it was open

	entries  []*session.Entry // since the last flush
	bodies   []piece          // since the last flush
	holds    int              // of them are in the keeper's memory; the rest is in the source's
	written  reach            // of the message under way, as committed
	reached  reach            // the same with this batch
	dirty    bool
	ended    bool
	reported bool // Ended has been called

	row         bool // the session has a row
	home        int64
	touched     []int64 // blocks of this batch that hold something of it
	summarySize int
	summarised  time.Time

	lostEntries int // since the disk failed
	lostBody    bool
	lostSeq     int
}

// begin makes the state of a session in one that is new or has forgotten
// another.
func (s *kept) begin(info *session.Info, key int64, capture string) {
	s.id, s.key, s.upstream, s.capture = info.ID, key, info.Upstream, capture
	if s.asm == nil {
		s.asm = new(inspect.Assembler)
	}
	s.asm.Begin(info)
	s.asm.Capture(capture)
}

// forget lets go of a session but for memory that serves the next.
func (s *kept) forget() {
	s.asm.Forget()
	*s = kept{asm: s.asm}
}

func (s *kept) add(e *session.Entry) {
	s.asm.Add(e)
	s.entries = append(s.entries, e)
	s.failing = s.failing || e.Code >= 400 || e.Fault != nil || e.Odd != ""
}

// gap records that the recorder had to drop something ahead of a record.
func (s *kept) gap(r *session.Record) {
	if r.Body != nil {
		s.asm.BodyLost()
		return
	}
	at, seq := r.At, s.asm.Last()+1
	if r.Entry != nil {
		at = r.Entry.At
	}
	s.add(gapNote(seq, at, r.Dropped, "the recorder's queue was full"))
}

func gapNote(seq int, at time.Time, n int, why string) *session.Entry {
	return &session.Entry{
		Seq: seq, At: at, From: session.FromProxy, Kind: session.KindNote, Odd: session.OddGap, Bytes: int64(n),
		Text: fmt.Sprintf("%d entries are missing here: %s", n, why),
	}
}

// content takes octets of the message under way.
func (s *kept) content(b []byte) {
	s.asm.Body(b)
	message := s.asm.Message()
	if message < 0 || s.capture == captureNone {
		return
	}
	if s.capture == captureHeaders {
		b = s.header.cut(message, b)
	}
	if len(b) > 0 {
		s.bodies = append(s.bodies, piece{s.key, message, b})
	}
}

func (s *kept) end(at time.Time) {
	s.ended = true
	s.asm.Close(at)
}

// died ends a session that the proxy itself left.
func (s *kept) died(at time.Time, why string) {
	s.add(&session.Entry{
		Seq: s.asm.Last() + 1, At: at, From: session.FromProxy, Kind: session.KindClose,
		Odd: session.OddShutdown, Text: why,
	})
	s.end(at)
}

// summary returns the session with its findings, without its events.
func (s *kept) summary() *inspect.Session {
	if s.settled != nil {
		return s.settled
	}
	return s.explained(s.asm.Summary())
}

// explained adds what the annotator has said.
func (s *kept) explained(v *inspect.Session) *inspect.Session {
	v.Upstream.Provider = s.provider
	v.Judge(s.findings)
	return v
}

// lose counts what could not be written.
func (s *kept) lose() {
	s.settled = nil
	if len(s.entries) > 0 && s.lostEntries == 0 {
		s.lostSeq = s.entries[0].Seq
	}
	s.lostEntries += len(s.entries)
	if len(s.bodies) > 0 {
		s.lostBody = true
		s.asm.BodyLost()
	}
}

// found adds a note of what was lost, now that it can be written.
func (s *kept) found(at time.Time) {
	if s.lostEntries == 0 {
		return
	}
	s.settled = nil
	note := gapNote(s.lostSeq, at, s.lostEntries, "the store could not be written")
	s.asm.Add(note)
	s.entries = append([]*session.Entry{note}, s.entries...)
	s.lostEntries, s.lostBody = 0, false
}

// release lets go of what belongs to the source.
func (s *kept) release() {
	clear(s.entries)
	s.entries = s.entries[:0]
	clear(s.bodies)
	s.bodies, s.holds = s.bodies[:0], 0
	s.touched = s.touched[:0]
}

// maxHeader is how much of a message counts as its header section when no blank
// line ends it, in octets: longer ones than large providers take.
const maxHeader = 1 << 20

// headerCut lets the header section of each message through.
type headerCut struct {
	size    int
	message int
	begun   bool
	matched int // of CR LF CR LF; a message begins behind a line end
	done    bool
}

func (h *headerCut) cut(message int, b []byte) []byte {
	if !h.begun || h.message != message {
		*h = headerCut{message: message, begun: true, matched: 2}
	}
	if h.done {
		return nil
	}
	b = b[:min(len(b), maxHeader-h.size)]
	h.size += len(b)
	h.done = h.size == maxHeader
	const end = "\r\n\r\n"
	for i, c := range b {
		switch {
		case c == end[h.matched]:
			h.matched++
		case c == '\r':
			h.matched = 1
		default:
			h.matched = 0
		}
		if h.matched == len(end) {
			h.done = true
			return b[:i+1]
		}
	}
	return b
}
