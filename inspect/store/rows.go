package store

import (
	"strings"

	"smtp-proxy/inspect"
)

// writeRows writes the rows of the sessions behind their blocks.
func (w *batch) writeRows(list []*kept) error {
	for i, s := range w.rows {
		if err := w.writeRow(s, w.views[i]); err != nil {
			return err
		}
	}
	if err := w.insert(1); err != nil {
		return err
	}
	for _, s := range list {
		if err := w.writeSpans(s); err != nil {
			return err
		}
	}
	for _, f := range w.spill.rows {
		if _, err := w.tx.Stmt(w.stmts.body).Exec(f.key, f.message, f.head, f.size, f.block); err != nil {
			return err
		}
	}
	return nil
}

// writeSpans names the blocks of a session, unless all of it stands in one.
func (w *batch) writeSpans(s *kept) error {
	if s.ended && !s.row && len(s.touched) <= 1 {
		return nil
	}
	for _, n := range s.touched {
		if _, err := w.tx.Stmt(w.stmts.span).Exec(s.key, n); err != nil {
			return err
		}
	}
	return nil
}

// writeRow writes a row that is there anew, and puts one that is not with
// others that are inserted together.
func (w *batch) writeRow(s *kept, v *inspect.Session) error {
	c := columnsOf(v)
	var err error
	if s.row {
		_, err = w.tx.Stmt(w.stmts.update).Exec(c.ended, v.Outcome, c.failed, v.Upstream.Provider, c.username, c.codes, c.mail, s.home, s.key)
	} else {
		w.args = append(w.args, s.key, v.ID, c.ended, string(v.Outcome), c.failed, v.Route, v.Upstream.Name, v.Upstream.Provider, c.username, c.codes, c.mail, s.home)
		err = w.insert(rowsAtOnce)
	}
	if err != nil {
		return err
	}
	return w.writeFindings(s, v.Findings)
}

// A new row, and how many are inserted by one statement: what a statement
// costs beyond its rows is as much as a row.
const (
	insertSessions = `INSERT OR IGNORE INTO sessions (key, id, ended, outcome, failed, route, upstream, provider, username, codes, mail, block) VALUES `
	oneSession     = `(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	columnsEach    = 12
	rowsAtOnce     = 32
)

// insert inserts the rows that wait, if there are at least some.
func (w *batch) insert(atLeast int) error {
	if len(w.args) < atLeast*columnsEach {
		return nil
	}
	stmt, each := w.tx.Stmt(w.stmts.session), columnsEach
	if atLeast == rowsAtOnce {
		stmt, each = w.tx.Stmt(w.stmts.sessions), columnsEach*rowsAtOnce
	}
	for rest := w.args; len(rest) > 0; rest = rest[each:] {
		if _, err := stmt.Exec(rest[:each]...); err != nil {
			return err
		}
	}
	clear(w.args)
	w.args = w.args[:0]
	return nil
}

func (w *batch) writeFindings(s *kept, list []inspect.Finding) error {
	if s.row {
		if _, err := w.tx.Stmt(w.stmts.unfind).Exec(s.key); err != nil {
			return err
		}
	}
	for rank, f := range list {
		if _, err := w.tx.Stmt(w.stmts.finding).Exec(s.key, rank, f.Cause, string(f.Certainty)); err != nil {
			return err
		}
	}
	return nil
}

// columns is what a row says of a session so that it can be searched for.
type columns struct {
	ended    int64
	failed   int
	username string
	codes    any // string, or nil when there are too many
	mail     any
}

// Limits of what the columns hold; beyond, summaries are searched.
const (
	maxColumnCodes     = 32
	maxColumnAddresses = 64
)

func columnsOf(v *inspect.Session) columns {
	c := columns{codes: strings.Join(v.Codes, "\n"), mail: addresses(v)}
	if !v.Ended.IsZero() {
		c.ended = v.Ended.UnixNano()
	}
	if failed(v) {
		c.failed = 1
	}
	if v.Auth != nil {
		c.username = v.Auth.Username
	}
	if len(v.Codes) >= maxColumnCodes {
		c.codes = nil
	}
	return c
}

// failed reports whether a session counts as one that went wrong.
func failed(v *inspect.Session) bool {
	switch v.Outcome {
	case inspect.Delivered, inspect.NoMail, inspect.Open:
		return len(v.Findings) > 0
	}
	return true
}

// addresses lists senders and recipients, or is nil when there are too many.
func addresses(v *inspect.Session) any {
	var list []string
	for i := range v.Messages {
		m := &v.Messages[i]
		if m.Omitted > 0 || len(list)+len(m.To) >= maxColumnAddresses {
			return nil
		}
		list = append(list, m.From)
		for _, r := range m.To {
			list = append(list, r.Addr)
		}
	}
	if v.Omitted > 0 {
		return nil
	}
	return strings.ToLower(strings.Join(list, "\n"))
}
