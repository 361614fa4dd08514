package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"smtp-proxy/proxy/session"
)

func TestRetainAge(t *testing.T) {
	now := start.Add(48 * time.Hour)
	s := openStore(t, newDir(t), Options{Now: func() time.Time { return now }})
	feed(t, s, quiet(),
		refused("01A", start, "x@y", "550 5.1.1 no"),
		delivered("01B", start.Add(time.Hour), "a@b", "c@d", "x"),
		delivered("01C", start.Add(47*time.Hour), "a@b", "c@d", "x"))
	if err := s.Retain(context.Background(), 24*time.Hour, 0); err != nil {
		t.Fatal(err)
	}
	if got := ids(t, s, "", 0); len(got) != 1 || got[0] != "01C" {
		t.Errorf("left %q, want 01C", got)
	}
	for table, want := range map[string]int{"sessions": 1, "blocks": 1, "findings": 0, "spans": 0} {
		var n int
		if err := s.writer.QueryRow(`SELECT count(*) FROM ` + table).Scan(&n); err != nil || n != want {
			t.Errorf("%d rows in %s (%v), want %d", n, table, err, want)
		}
	}
}

// TestRetainSize has bodies go before sessions, and the file shrink.
func TestRetainSize(t *testing.T) {
	dir := newDir(t)
	s := openStore(t, dir, Options{})
	var batches [][]session.Record
	for i := range 60 {
		batches = append(batches, delivered(fmt.Sprintf("01A%02d", i), start.Add(time.Duration(i)*time.Second), "a@b", "c@d", noise(100_000)))
	}
	feed(t, s, quiet(), batches...)
	before := size(t, dir)
	if before < 5e6 {
		t.Fatalf("the database has %d octets, want the bodies in it", before)
	}
	if err := s.Retain(context.Background(), 0, 2e6); err != nil {
		t.Fatal(err)
	}
	if got := len(ids(t, s, "", 0)); got != 60 {
		t.Errorf("%d sessions are left, want all 60 without some bodies", got)
	}
	if _, err := s.Body(context.Background(), "01A00", 0); !errors.Is(err, ErrNoBody) {
		t.Errorf("the oldest body: %v, want ErrNoBody", err)
	}
	if got := len(readBody(t, s, "01A59", 0)); got != 100_000 {
		t.Errorf("the newest body has %d octets, want 100000", got)
	}
	if after := size(t, dir); after > 3e6 {
		t.Errorf("the file shrank from %d to %d octets only", before, after)
	}
	if err := s.Retain(context.Background(), 0, 100_000); err != nil {
		t.Fatal(err)
	}
	if got := ids(t, s, "", 0); len(got) == 60 {
		t.Errorf("%d sessions are left in 100 KB", len(got))
	}
}

// noise is a body that compression cannot make smaller.
func noise(n int) string {
	r := rand.New(rand.NewPCG(uint64(n), 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return string(b)
}

// size is that of the database once its log has been written into it.
func size(t *testing.T, dir string) int64 {
	t.Helper()
	db, err := openDB(filepath.Join(dir, file), writing)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, file))
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// TestRetainKeepsOpenSessions leaves what is running alone, however old.
func TestRetainKeepsOpenSessions(t *testing.T) {
	s := openStore(t, newDir(t), Options{Now: func() time.Time { return start.Add(time.Hour) }})
	q := make(queue, 1)
	q <- newScript("01O", start).hello().cut()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- NewKeeper(s, quiet()).Run(ctx, q) }()
	q <- nil // taken when the batch before it is written
	q <- nil
	if err := s.Retain(context.Background(), time.Minute, 1); err != nil {
		t.Fatal(err)
	}
	if v, err := s.Session(context.Background(), "01O"); err != nil || len(v.Events) == 0 {
		t.Errorf("an open session after a clean-up: %v, %v", v, err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Run ended with %v", err)
	}
}
