package inspect

import "slices"

// transaction is a message without a verdict so far.
type transaction struct {
	message int
	taken   int // accepted recipients
	refused int
	waiting int  // commands without a reply
	content bool // DATA or BDAT was sent
	off     bool // called off with RSET, EHLO, QUIT or another MAIL
}

// tallies counts what became of the messages; an outcome is made of it.
type tallies struct {
	accepted int
	partial  int // those accepted with refused recipients
	refused  int
	cut      int // a side left before the verdict
	off      int // called off before anything was refused
}

// transaction returns the open transaction of a message, or nil.
func (m *mail) transaction(message int) *transaction {
	for i := range m.open {
		if m.open[i].message == message {
			return &m.open[i]
		}
	}
	return nil
}

// end forgets a transaction whose tally has been made.
func (m *mail) end(message int) {
	m.open = slices.DeleteFunc(m.open, func(t transaction) bool { return t.message == message })
	if m.current == message {
		m.current = none
	}
}

// callOff marks a transaction as given up by the app. It is settled when the
// replies that are on their way are in.
func (m *mail) callOff(message int) {
	if t := m.transaction(message); t != nil {
		t.off = true
		m.settleCalledOff(message)
	}
}

func (m *mail) settleCalledOff(message int) {
	t := m.transaction(message)
	if t == nil || !t.off || t.waiting > 0 {
		return
	}
	if t.refused > 0 {
		m.tallies.refused++
	} else {
		m.tallies.off++
	}
	m.end(message)
}

// close settles what is open when the session ends.
func (m *mail) close() {
	m.tallies = m.closed()
	m.open, m.current = m.open[:0], none
}

// closed returns the tallies as they were if the session ended now.
func (m *mail) closed() tallies {
	sum := m.tallies
	for _, t := range m.open {
		switch {
		case t.refused > 0 && (t.off || t.taken == 0 && t.waiting == 0):
			sum.refused++
		case t.off && !t.content:
			sum.off++
		default:
			sum.cut++
		}
	}
	return sum
}
