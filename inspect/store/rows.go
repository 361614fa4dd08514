package store

import (
	"bytes"
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
	if err := w.insertAll(); err != nil {
		return err
	}
	if err := w.words.write(w.tx, w.stmts.words); err != nil {
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
	c := w.columns(v)
	w.words.session(s.key, &c, v)
	var err error
	if s.row {
		_, err = w.tx.Stmt(w.stmts.update).Exec(c.ended, c.outcome, c.failed, c.provider, c.username, c.codes, c.mail, s.home, s.key)
	} else {
		err = w.insert(c.alike, s.key, v.ID, c.ended, c.mail, s.home)
	}
	if err != nil {
		return err
	}
	w.counts.session(s, v)
	return w.writeFindings(s, v.Findings)
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
	alike
	ended int64
	mail  any // string, or nil when there are too many
}

// senderMark stands in front of senders among the addresses, in rows of schema
// 4 and later.
const senderMark = "<"

// alike is what many sessions have in common.
type alike struct {
	outcome                             string
	failed                              int
	route, upstream, provider, username string
	codes                               any // string, or nil when there are too many
}

// Limits of what the columns hold; beyond, summaries are searched.
const (
	maxColumnCodes     = 32
	maxColumnAddresses = 64
)

func (w *batch) columns(v *inspect.Session) columns {
	c := columns{alike: alike{
		outcome: string(v.Outcome), route: v.Route, upstream: v.Upstream.Name, provider: v.Upstream.Provider, codes: strings.Join(v.Codes, "\n"),
	}}
	if list, ok := addresses(w.scratch[:0], v); ok {
		w.scratch, c.mail = list, strings.ToLower(string(list))
	}
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

// addresses lists senders and recipients behind b, one a line, or says that
// they cannot be listed.
func addresses(b []byte, v *inspect.Session) (list []byte, ok bool) {
	n := 0
	for i := range v.Messages {
		m := &v.Messages[i]
		if n += 1 + len(m.To); m.Omitted > 0 || n > maxColumnAddresses || !listable(m.From) {
			return nil, false
		}
		b = append(append(append(b, senderMark...), m.From...), '\n')
		for j := range m.To {
			addr := m.To[j].Addr
			if !listable(addr) {
				return nil, false
			}
			b = append(append(b, addr...), '\n')
		}
	}
	return bytes.TrimSuffix(b, []byte{'\n'}), v.Omitted == 0
}

// listable reports whether an address can be told from others in a list.
func listable(addr string) bool {
	return !strings.HasPrefix(addr, senderMark) && strings.IndexByte(addr, '\n') < 0
}
