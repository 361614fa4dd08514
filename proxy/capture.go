package proxy

import (
	"bytes"
	"slices"

	"smtp-proxy/proxy/session"
)

// longestHeader is how much of a message without a blank line counts as its
// header; the store has the same limit.
const longestHeader = 1 << 20

// headerEnd looks for the blank line behind a message's header.
type headerEnd struct {
	octets  int // so far
	matched int // octets of CRLF CRLF, beyond the line end that a message begins behind
	passed  bool
}

var blankLine = []byte("\r\n\r\n")

// through returns how many octets of b belong to the header, the blank line
// included.
func (h *headerEnd) through(b []byte) int {
	if h.octets += len(b); h.octets > longestHeader {
		h.passed = true
		return 0
	}
	for i := 0; i < len(b); {
		if h.matched == 0 {
			k := bytes.IndexByte(b[i:], '\r')
			if k < 0 {
				return len(b)
			}
			i += k
		}
		i++
		h.step(b[i-1])
		if h.passed {
			return i
		}
	}
	return len(b)
}

func (h *headerEnd) step(c byte) {
	switch {
	case c == blankLine[h.matched]:
		h.matched++
	case c == '\r':
		h.matched = 1
	default:
		h.matched = 0
	}
	h.passed = h.matched == len(blankLine)
}

// keepBody hands over as much of a message's octets as is to be kept. The lock
// is held.
func (r *relay) keepBody(b []byte) {
	switch r.route.Capture {
	case CaptureNone:
		return
	case CaptureHeaders:
		if r.header.passed {
			return
		}
		b = b[:r.header.through(b)]
	}
	r.pace.octets = true
	for piece := range slices.Chunk(b, blockSize) { // one read may bring more than the recorder takes at once
		r.history = append(r.history, session.Record{Session: r.info, Body: piece})
	}
}

// anotherBody takes note of the beginning of a message.
func (r *relay) anotherBody(e *session.Entry) {
	if e.Kind == session.KindCommand && e.Verb == "MAIL" {
		r.ownUpBody()
		r.header, r.pace = newHeaderEnd(), pace{}
	}
}

// ownUpBody says that the end of a message is missing, where no further octets
// of it bring the news.
func (r *relay) ownUpBody() {
	if r.lostBody > 0 {
		r.history = append(r.history, session.Record{Session: r.info, Body: []byte{}})
	}
}

// newHeaderEnd stands behind a line end: a message may begin with the blank
// line.
func newHeaderEnd() headerEnd { return headerEnd{matched: 2} }
