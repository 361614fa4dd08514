package store

import (
	"context"
	"fmt"
	"testing"
	"time"

	"smtp-proxy/inspect"
)

// TestImportBeside has a guest import while the keeper writes, through handles
// of their own as two processes have them, and a follower reads both.
func TestImportBeside(t *testing.T) {
	from := openStore(t, newDir(t), Options{})
	feed(t, from, quiet(), large("01E", start, noise(spillAt+3), "small")...)
	dir := newDir(t)
	s := openStore(t, dir, Options{})
	reader := openStore(t, dir, Options{ReadOnly: true})
	seen := followed(t, reader)

	const each = 12
	q, done := make(queue), make(chan error, 1)
	go func() { done <- hasty(s, quiet()).Run(context.Background(), q) }()
	imported := make(chan error, 1)
	go func() { imported <- importMany(t.Context(), dir, from, each) }()
	messages := []string{noise(spillAt + 200<<10), "small", noise(100)}
	for i := range each {
		for _, batch := range large(fmt.Sprintf("01W%03d", i), start.Add(time.Duration(i)*time.Second), messages...) {
			q <- batch
		}
	}
	if err := <-imported; err != nil {
		t.Fatal(err)
	}
	close(q)
	if err := <-done; err != nil {
		t.Fatal(err)
	}

	for i := range each {
		for n, want := range messages {
			if got := readBody(t, reader, fmt.Sprintf("01W%03d", i), n); got != want {
				t.Errorf("kept session %d, message %d: got %d octets, want the %d that were sent", i, n, len(got), len(want))
			}
		}
		if got, want := readBody(t, reader, fmt.Sprintf("01X%03d", i), 0), readBody(t, from, "01E", 0); got != want {
			t.Errorf("imported session %d: got %d octets, want %d", i, len(got), len(want))
		}
	}
	checkBodyBlocks(t, reader)
	for n := 0; n < 2*each; n++ {
		id := <-seen
		if id == "" {
			t.Fatalf("the follower saw %d sessions end, want %d", n, 2*each)
		}
	}
}

func importMany(ctx context.Context, dir string, from *Store, n int) error {
	g, err := OpenGuest(dir, Options{})
	if err != nil {
		return err
	}
	defer g.Close()
	v, err := from.Session(ctx, "01E")
	if err != nil {
		return err
	}
	for i := range n {
		one := *v
		one.ID = fmt.Sprintf("01X%03d", i)
		if err := g.Import(ctx, &one, bodyOf(from, "01E")); err != nil {
			return err
		}
	}
	return nil
}

// followed yields the id of each session that ended, once.
func followed(t *testing.T, s *Store) <-chan string {
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	seen, done := make(chan string, 1000), make(chan struct{})
	ended := map[string]bool{}
	go func() {
		defer close(done)
		defer close(seen)
		err := s.Follow(ctx, start.Add(-time.Hour), inspect.Filter{}, func(v *inspect.Session) error {
			if !v.Ended.IsZero() && !ended[v.ID] {
				ended[v.ID] = true
				seen <- v.ID
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() {
		stop()
		<-done
	})
	return seen
}

// checkBodyBlocks wants each row of a large message to name the last block
// that has octets of it.
func checkBodyBlocks(t *testing.T, s *Store) {
	t.Helper()
	r, err := s.read()
	if err != nil {
		t.Fatal(err)
	}
	rows, err := r.db.Query(`SELECT session, message, head, block FROM bodies WHERE head > 0`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	checked := 0
	for ; rows.Next(); checked++ {
		var key, head, block int64
		var message int
		if err := rows.Scan(&key, &message, &head, &block); err != nil {
			t.Fatal(err)
		}
		section, err := readSection(t.Context(), r.db, s.packer, "bodies", block)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		err = eachPiece(section, true, func(p piece) error {
			found = found || p.key == key && p.message == message
			return nil
		})
		if err != nil || !found {
			t.Errorf("session %d, message %d: got block %d on its row, want one that has octets of it (%v)", key, message, block, err)
		}
	}
	if rows.Err() != nil || checked == 0 {
		t.Errorf("got %d rows of large messages, %v, want some", checked, rows.Err())
	}
}

// TestImportBetween has a session imported between any two pieces of a message
// that the keeper writes.
func TestImportBetween(t *testing.T) {
	from := openStore(t, newDir(t), Options{})
	feed(t, from, quiet(), delivered("01E", start, "a@example.com", "b@example.net", "small"))
	v := sessionOf(t, from, "01E")
	dir := newDir(t)
	s := openStore(t, dir, Options{})
	g := openGuest(t, dir)
	q, done := make(queue), make(chan error, 1)
	go func() { done <- hasty(s, quiet()).Run(context.Background(), q) }()
	for i, batch := range large("01W", start, noise(spillAt+200<<10)) {
		q <- batch
		one := *v
		one.ID = fmt.Sprintf("01X%03d", i)
		if err := g.Import(t.Context(), &one, bodyOf(from, "01E")); err != nil {
			t.Fatal(err)
		}
	}
	close(q)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	checkBodyBlocks(t, openStore(t, dir, Options{ReadOnly: true}))
}
