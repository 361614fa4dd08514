package store

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

func TestResume(t *testing.T) {
	s := openStore(t, newDir(t), Options{})
	if c, err := s.Resume(t.Context(), 0, 10); err != nil || len(c.List) != 0 || c.Last != 0 {
		t.Fatalf("an empty record: got %+v %v, want nothing", c, err)
	}
	long := newScript("B", start.Add(time.Second)).hello()
	begun := long.cut()
	var want []string
	batches := [][]session.Record{begun}
	for i := range 20 {
		id := fmt.Sprintf("A%02d", i)
		batches = append(batches, delivered(id, start.Add(time.Duration(i)*time.Minute), "a@example.com", "b@example.net", "Subject: hello\r\n\r\nhello\r\n"))
		want = append(want, id)
	}
	batches = append(batches, long.say("QUIT", "QUIT", "221 bye").close())
	feed(t, s, quiet(), batches...)
	want = append(append([]string{"B"}, want...), "B")
	for _, enough := range []int{1, 3, 1000} {
		got, last := resumedIDs(t, s, enough)
		if !slices.Equal(slices.Compact(got), want) {
			t.Errorf("at least %d at a time: got %q, want %q", enough, got, want)
		}
		if c, err := s.Resume(context.Background(), last, enough); len(c.List) != 0 || c.Last != last || err != nil {
			t.Errorf("behind the end: got %+v %v, want nothing after block %d", c, err, last)
		}
		if c, err := s.Resume(context.Background(), last+1000, 1); len(c.List) == 0 || c.List[0].Session.ID != "B" || err != nil {
			t.Errorf("after a block that is not there yet: got %+v %v, want the first block", c, err)
		}
	}
}

// resumedIDs goes through all changes, some at a time.
func resumedIDs(t *testing.T, s *Store, enough int) (ids []string, last int64) {
	t.Helper()
	for {
		c, err := s.Resume(t.Context(), last, enough)
		if err != nil {
			t.Fatal(err)
		}
		if len(c.List) == 0 {
			return ids, last
		}
		for _, v := range c.List {
			if v.Block <= last || v.Block > c.Last {
				t.Errorf("a change of block %d, want one of %d to %d", v.Block, last+1, c.Last)
			}
			ids = append(ids, v.Session.ID)
			checkState(t, v.Session)
		}
		last = c.Last
	}
}

func checkState(t *testing.T, v *inspect.Session) {
	t.Helper()
	if v.Events != nil || v.ID != "B" && v.Outcome != inspect.Delivered {
		t.Errorf("session %s: got outcome %s and %d events, want it as it ended, without events", v.ID, v.Outcome, len(v.Events))
	}
}
