package store

import "time"

// heldBodies is how many octets of messages a keeper holds between two
// flushes, beside what is in the source's memory.
const heldBodies = 1 << 20

// held is message octets that wait for the next flush in memory of the
// keeper's own: the source's is the source's again after the next batch.
type held struct {
	octets  []byte
	fresh   int           // octets of the batch at hand, which are not in it
	every   time.Duration // between flushes
	flushed time.Time
}

// mayWait reports whether what has come may be written later: the last flush
// was only just, and there is room for the octets that came with it. Many at a
// time are those of a large message, for which a copy costs more than a flush.
func (h *held) mayWait(now time.Time) bool {
	if now.Sub(h.flushed) >= h.every || h.fresh > heldBodies/2 || len(h.octets)+h.fresh > heldBodies {
		h.flushed, h.octets = now, h.octets[:0]
		return false
	}
	return true
}

// wait is how long after now the next flush is due, if it is not due already.
func (h *held) wait(now time.Time) time.Duration { return max(h.every-now.Sub(h.flushed), 0) }

// keep takes the fresh octets of sessions over.
func (h *held) keep(list []*kept) {
	if h.fresh == 0 {
		return
	}
	if h.octets == nil {
		h.octets = make([]byte, 0, heldBodies)
	}
	for _, s := range list {
		for ; s.holds < len(s.bodies); s.holds++ {
			p := &s.bodies[s.holds]
			start := len(h.octets)
			h.octets = append(h.octets, p.data...)
			p.data = h.octets[start:]
		}
	}
}
