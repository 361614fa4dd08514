package store

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// lender is a source that spoils the octets it has lent when it is asked again,
// as a recorder may.
type lender struct {
	batches [][]session.Record
	lent    []session.Record
}

func (l *lender) Next(context.Context) ([]session.Record, error) {
	for _, r := range l.lent {
		for i := range r.Body {
			r.Body[i] = 'X'
		}
	}
	if len(l.batches) == 0 {
		return nil, io.EOF
	}
	l.lent, l.batches = l.batches[0], l.batches[1:]
	return l.lent, nil
}

// TestHeldBodies has many batches come between two flushes, more than a keeper
// holds: each message is written as it was.
func TestHeldBodies(t *testing.T) {
	s := openStore(t, newDir(t), Options{})
	bodies := map[string]string{}
	source := &lender{}
	for i := range 24 {
		id := fmt.Sprintf("01A%02d", i)
		bodies[id] = noise(60_000 + i)
		source.batches = append(source.batches, delivered(id, start.Add(time.Duration(i)*time.Second), "a@b", "c@d", bodies[id]))
	}
	k := NewKeeper(s, quiet())
	k.held.every = time.Hour
	if err := k.Run(context.Background(), source); err != nil {
		t.Fatal(err)
	}
	for id, want := range bodies {
		if got := readBody(t, s, id, 0); string(got) != want {
			t.Errorf("session %s: %d octets %.20q…, want %d octets %.20q…", id, len(got), got, len(want), want)
		}
	}
	var blocks int
	if err := s.writer.QueryRow(`SELECT count(*) FROM blocks`).Scan(&blocks); err != nil || blocks >= len(bodies) {
		t.Errorf("%d blocks for %d batches (%v): nothing was held", blocks, len(bodies), err)
	}
}

// TestHeldUntilDue has the last records of a session come just behind a flush:
// they wait for what is left of the time between two, no longer.
func TestHeldUntilDue(t *testing.T) {
	began := time.Now()
	h := held{every: flushEvery, flushed: began}
	for after, want := range map[time.Duration]time.Duration{
		0:                  flushEvery,
		flushEvery * 3 / 4: flushEvery / 4,
		flushEvery:         0,
		time.Hour:          0,
	} {
		if got := h.wait(began.Add(after)); got != want {
			t.Errorf("%v after a flush: waits %v, want %v", after, got, want)
		}
	}
}

// TestReported checks that who is told of sessions that have ended hears when
// those were all, at the end of the record, too.
func TestReported(t *testing.T) {
	source := &lender{batches: [][]session.Record{append(delivered("01A01", start, "a@b", "c@d", "x"), delivered("01A02", start, "a@b", "c@d", "x")...)}}
	var told []string
	o := quiet()
	o.Ended = func(s *inspect.Session) { told = append(told, s.ID) }
	o.Reported = func() { told = append(told, "all") }
	if err := NewKeeper(nil, o).Run(t.Context(), source); err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(told, " "), "01A01 01A02 all"; got != want {
		t.Errorf("told of %q, want %q", got, want)
	}
}
