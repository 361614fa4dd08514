package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"smtp-proxy/proxy/session"
)

// How long upstreams take is counted as entries are written, and added to the
// table every second, or at once while little comes. So a kill, or a disk that
// fails, loses about a second of it; nothing else on record depends on it.
const (
	waitsEvery = time.Second
	waitsFew   = 64 // entries that are written at once
	waitsSlots = 64 // minutes of upstreams in memory, from which on they are written at once
	waitsMost  = 256
)

// waitSlot is a minute in which an upstream answered.
type waitSlot struct {
	upstream string
	minute   int64 // since 1970
}

// waits are what has been counted and not written.
type waits struct {
	slots   map[waitSlot]*histograms
	last    *histograms // of latest: the next goes there, too, mostly
	latest  waitSlot
	fresh   int // entries since the last transaction
	written time.Time
}

func newWaits() waits { return waits{slots: map[waitSlot]*histograms{}} }

// add counts those of a session's new entries that say how long the upstream
// took.
func (w *waits) add(s *kept) {
	w.fresh += len(s.entries)
	var counts *histograms
	var minute int64
	for _, e := range s.entries {
		if e.Leg != session.Upstream {
			continue
		}
		verb, took := waited(e)
		if took <= 0 || verb == verbs {
			continue
		}
		if at := e.At.Unix() / 60; counts == nil || at != minute {
			counts, minute = w.slot(s.upstream, at), at
		}
		if counts != nil {
			counts.add(verb, took)
		}
	}
}

// slot returns the counts of a minute; nil when there are too many minutes, as
// only a strange session that is imported has them.
func (w *waits) slot(upstream string, minute int64) *histograms {
	at := waitSlot{upstream, minute}
	if w.last != nil && w.latest == at {
		return w.last
	}
	h := w.slots[at]
	if h == nil {
		if len(w.slots) >= waitsMost {
			return nil
		}
		h = new(histograms)
		w.slots[at] = h
	}
	w.latest, w.last = at, h
	return h
}

// due reports whether it is time to write.
func (w *waits) due(now time.Time) bool {
	few := w.fresh <= waitsFew
	w.fresh = 0
	since := now.Sub(w.written)
	return len(w.slots) > 0 && (few || len(w.slots) >= waitsSlots || since < 0 || since >= waitsEvery)
}

// waitPlace is a row of the table.
type waitPlace struct {
	step     int64
	upstream string // empty for all together
	at       int64
}

// write adds what has been counted to the table, and forgets it.
func (w *waits) write(ctx context.Context, tx *sql.Tx, now time.Time) error {
	sums := map[waitPlace]*histograms{}
	for slot, h := range w.slots {
		for _, s := range steps() {
			if at := slot.minute * 60; at >= s.horizon(now) && s.seconds != stepAll {
				at -= at % s.seconds
				sum(sums, waitPlace{s.seconds, "", at}, h)
				if slot.upstream != "" {
					sum(sums, waitPlace{s.seconds, slot.upstream, at}, h)
				}
			}
		}
	}
	for at, h := range sums {
		if err := h.addTo(ctx, tx, at); err != nil {
			return err
		}
	}
	w.forget()
	w.written = now
	return nil
}

func (w *waits) forget() {
	clear(w.slots)
	w.last = nil
}

func sum(sums map[waitPlace]*histograms, at waitPlace, h *histograms) {
	if sums[at] == nil {
		sums[at] = new(histograms)
	}
	sums[at].merge(h)
}

// addTo adds counts to a row. One that cannot be read is begun anew.
func (h *histograms) addTo(ctx context.Context, tx *sql.Tx, at waitPlace) error {
	var b []byte
	err := tx.QueryRowContext(ctx, `SELECT counts FROM waits WHERE step = ? AND upstream = ? AND at = ?`, at.step, at.upstream, at.at).Scan(&b)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if on := new(histograms); on.read(b) == nil {
		h.merge(on)
	}
	_, err = tx.ExecContext(ctx, `INSERT OR REPLACE INTO waits (step, upstream, at, counts) VALUES (?, ?, ?, ?)`, at.step, at.upstream, at.at, h.append(nil))
	return err
}

// waits sums up what is on record of a span.
func (s tallySpan) waits(ctx context.Context, tx *sql.Tx) (*histograms, error) {
	rows, err := tx.QueryContext(ctx, `SELECT counts FROM waits WHERE step = ? AND upstream = ? AND at >= ? AND at < ?`, s.step, s.upstream, s.since, s.until)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := new(histograms)
	for rows.Next() {
		var b []byte
		if err := rows.Scan(&b); err != nil {
			return nil, err
		}
		_ = all.read(b) // of a damaged row counts what can be read
	}
	return all, rows.Err()
}
