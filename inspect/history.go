package inspect

import (
	"slices"

	"smtp-proxy/proxy/session"
)

// How many entries are kept in memory of a session: those from its start,
// where connection, TLS and AUTH are, and the latest.
const (
	headEntries  = 512
	tailEntries  = 512
	beginEntries = 8  // of a session that waits for its first message
	usualEntries = 18 // of one with a message
)

// history keeps the first and the last entries of a session.
type history struct {
	early []brief // the very first of one that had to wait; those of head come behind them
	head  []*session.Entry
	tail  []*session.Entry // a ring once it is full
	next  int              // where the ring goes on
	last  int              // Seq of the latest entry
}

// emptied is one without entries that has the memory of h, unless that is more
// than a usual session takes.
func (h *history) emptied() history {
	clear(h.head)
	if cap(h.head) > 2*usualEntries {
		return history{}
	}
	return history{head: h.head[:0]}
}

func (h *history) add(e *session.Entry) {
	h.last = max(h.last, e.Seq)
	switch {
	case cap(h.head) == 0:
		h.head = make([]*session.Entry, 0, beginEntries)
	case len(h.head) == beginEntries:
		h.head = slices.Grow(h.head, usualEntries-beginEntries)
	}
	switch {
	case len(h.early)+len(h.head) < headEntries:
		h.head = append(h.head, e)
	case len(h.tail) < tailEntries:
		h.tail = append(h.tail, e)
	default:
		h.tail[h.next] = e
		h.next = (h.next + 1) % tailEntries
	}
}

// rest takes less memory until more comes. It does so for the beginning of a
// session: that is where most of those stand that are open and idle.
func (h *history) rest() {
	if len(h.head) == 0 || len(h.head) > beginEntries || h.early != nil {
		return
	}
	h.early = make([]brief, len(h.head))
	for i, e := range h.head {
		h.early[i] = briefOf(e)
	}
	h.head = nil
}

// appendTo appends copies of what is kept, in order. The result is never nil.
func (h *history) appendTo(all []session.Entry) []session.Entry {
	if all == nil {
		all = make([]session.Entry, 0, len(h.early)+len(h.head)+len(h.tail))
	}
	for i := range h.early {
		all = append(all, h.early[i].entry())
	}
	for _, part := range [][]*session.Entry{h.head, h.tail[h.next:], h.tail[:h.next]} {
		for _, e := range part {
			all = append(all, *e)
		}
	}
	return all
}
