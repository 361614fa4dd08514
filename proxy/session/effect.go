package session

// Op is what an Effect asks for. The set is closed.
type Op uint8

// The operations.
const (
	OpWrite      Op = iota // write Data to Side
	OpHandshake            // make TLS on Side, once all earlier writes to it are out
	OpCloseWrite           // half-close Side, once all earlier writes to it are out
	OpClose                // end Side, once all earlier writes to it are out
	OpRecord               // add Entry to the history
	OpExplain              // say what the failing reply means, through Annotated
)

// Effect is one thing the machine wants done. Effects are done in order.
type Effect struct {
	Op    Op
	Side  Side
	Body  bool   // of a write: Data is message content
	Data  []byte // may share memory with the bytes given to Received
	Entry *Entry
}

// write asks for bytes to be sent. Neighbours in memory become one write, so
// that a burst that came in one piece leaves in one piece.
func (m *Machine) write(to Side, b []byte, body bool) {
	if len(b) == 0 || to == App && m.deaf {
		return
	}
	if k := len(m.effects) - 1; k >= 0 {
		if last := m.lastWrite(k, to, body); last != nil && adjacent(last.Data, b) {
			last.Data = last.Data[:len(last.Data)+len(b)]
			return
		}
	}
	m.effects = append(m.effects, Effect{Op: OpWrite, Side: to, Data: b, Body: body})
}

// lastWrite finds the write that b could be joined to: entries may stand
// between the two, since nobody on the wire sees them.
func (m *Machine) lastWrite(k int, to Side, body bool) *Effect {
	for ; k >= 0; k-- {
		e := &m.effects[k]
		switch {
		case e.Op == OpRecord:
			continue
		case e.Op == OpWrite && e.Side == to && e.Body == body:
			return e
		}
		return nil
	}
	return nil
}

// adjacent reports whether b begins in memory where a ends.
func adjacent(a, b []byte) bool {
	return cap(a) >= len(a)+len(b) && &a[:len(a)+1][len(a)] == &b[0]
}

func (m *Machine) do(op Op, side Side) {
	m.effects = append(m.effects, Effect{Op: op, Side: side})
}

// entry adds an entry to the history and returns it to be filled in.
func (m *Machine) entry(leg Side, from Origin, kind Kind, phase Phase) *Entry {
	e := m.blank()
	e.At, e.Leg, e.From, e.Kind, e.Phase, e.Secure = m.now, leg, from, kind, phase, m.secure[leg]
	m.effects = append(m.effects, Effect{Op: OpRecord, Entry: e})
	return e
}

// Entries are allocated a slab at a time. A slab fills what the allocator
// hands out for it, 1152 and 2048 octets; the first is small because most
// idle sessions need no other, and the two hold a session of one message.
const (
	firstSlab = 5
	nextSlab  = 9
)

// blank returns an entry to be filled in. No entry serves twice: who keeps the
// history holds it by pointer.
func (m *Machine) blank() *Entry {
	switch {
	case m.slab == nil:
		m.slab = make([]Entry, 0, firstSlab)
	case len(m.slab) == cap(m.slab):
		m.slab = make([]Entry, 0, nextSlab)
	}
	m.slab = m.slab[:len(m.slab)+1]
	return &m.slab[len(m.slab)-1]
}

// note records something worth telling that is neither command nor reply.
func (m *Machine) note(leg Side, odd Oddity, text string) *Entry {
	e := m.entry(leg, FromProxy, KindNote, m.phase)
	e.Odd, e.Text = odd, m.mask(text)
	return e
}

// edit records that one side gets other bytes than the other side sent.
func (m *Machine) edit(leg Side, text string) {
	m.note(leg, "", text).Edit = true
}
