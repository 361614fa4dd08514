package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// clock is a time that a test sets.
type clock chan time.Time

func newClock() clock {
	c := make(clock, 1)
	c <- start
	return c
}

func (c clock) now() time.Time {
	t := <-c
	c <- t
	return t
}

func (c clock) advance(d time.Duration) { c <- (<-c).Add(d) }

// TestDiskFull lets a database reach a size that it may not grow beyond, and
// then grow again: nothing stops, what is lost is counted, and what is counted
// is written down.
func TestDiskFull(t *testing.T) {
	clock := newClock()
	s := openStore(t, newDir(t), Options{Now: clock.now})
	var ended []string
	opt := quiet()
	opt.Ended = func(v *inspect.Session) { ended = append(ended, v.ID) }
	k := hasty(s, opt)
	q := make(queue)
	done := make(chan error, 1)
	go func() { done <- k.Run(context.Background(), q) }()
	give := func(batch []session.Record) {
		q <- batch
		q <- nil // is taken when the batch has been dealt with
	}

	long := newScript("01LONG", start).hello()
	give(long.cut())
	limit(t, s, 1) // SQLite takes the present size for it
	give(long.say("MAIL", "MAIL FROM:<a@b>", "250 ok").say("DATA", "DATA", "354 go").body(noise(200_000)).cut())
	give(delivered("01LOST", start.Add(time.Second), "a@b", "c@d", noise(500_000)))
	if err := k.Healthy(); err == nil || !strings.Contains(err.Error(), "cannot be written") {
		t.Errorf("Healthy = %v on a full disk", err)
	}
	if len(ended) != 1 || ended[0] != "01LOST" {
		t.Errorf("Ended was called for %q, want 01LOST although it is not written", ended)
	}
	limit(t, s, 1<<30)
	give(long.reply(".", "250 ok").cut()) // before the next attempt is due
	if k.Healthy() == nil {
		t.Error("Healthy before the next attempt")
	}
	clock.advance(retryAfter)
	give(long.close())
	if err := k.Healthy(); err != nil {
		t.Errorf("Healthy = %v with room again", err)
	}
	close(q)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	checkGap(t, s)
	if len(ended) != 2 {
		t.Errorf("Ended was called for %q, want each session once", ended)
	}
}

// limit says how many pages a database may have.
func limit(t *testing.T, s *Store, pages int) {
	t.Helper()
	if _, err := s.writer.Exec(fmt.Sprintf("PRAGMA max_page_count = %d", pages)); err != nil {
		t.Fatal(err)
	}
}

func checkGap(t *testing.T, s *Store) {
	t.Helper()
	v, err := s.Session(context.Background(), "01LONG")
	if err != nil {
		t.Fatal(err)
	}
	if v.Dropped != 5 || v.Outcome != inspect.Delivered || v.Messages[0].Captured != "cut" {
		t.Errorf("dropped %d, outcome %s, %+v; want 5, delivered and a body that is cut", v.Dropped, v.Outcome, v.Messages)
	}
	var gap session.Entry
	for _, e := range v.Events {
		if e.Odd == session.OddGap {
			gap = e
		}
	}
	if gap.Seq != 5 || gap.Bytes != 5 || !strings.Contains(gap.Text, "could not be written") {
		t.Errorf("gap = %+v, want Seq 5 with 5 entries", gap)
	}
	lost, err := s.Session(context.Background(), "01LOST")
	if err != nil || lost.Outcome != inspect.Delivered || lost.Messages[0].Captured != "cut" || lost.Dropped == 0 {
		t.Errorf("what ended on a full disk = %+v, %v; want its summary with a gap", lost, err)
	}
	if _, err := s.Body(context.Background(), "01LOST", 0); !errors.Is(err, ErrNoBody) {
		t.Errorf("its body: %v, want ErrNoBody", err)
	}
}

// TestManySessions writes 10,000 sessions and finds each of them.
func TestManySessions(t *testing.T) {
	const n = 10_000
	list, _ := batches(n, nil)
	s := openStore(t, newDir(t), Options{})
	feed(t, s, quiet(), list...)
	all := ids(t, s, "", 0)
	if len(all) != n {
		t.Fatalf("%d sessions are listed, want %d", len(all), n)
	}
	for i, id := range all {
		if want := fmt.Sprintf("01J%023d", n-1-i); id != want {
			t.Fatalf("session %d of the list is %s, want %s", i, id, want)
		}
	}
	for i := 0; i < n; i += 997 {
		id := fmt.Sprintf("01J%023d", i)
		v, err := s.Session(context.Background(), id)
		if err != nil || v.ID != id || len(v.Events) != 14 {
			t.Fatalf("Session(%s) = %v, %v; want its 14 events", id, v, err)
		}
		if body := readBody(t, s, id, 0); int64(len(body)) != v.Messages[0].Size || !strings.HasPrefix(body, "Subject: ") {
			t.Errorf("the body of %s has %d octets, want %d", id, len(body), v.Messages[0].Size)
		}
	}
}
