package store

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"smtp-proxy/inspect"
)

// TestFollow has a reader see a session begin, grow and end, beside one that
// was there before.
func TestFollow(t *testing.T) {
	dir := newDir(t)
	r := openStore(t, dir, Options{ReadOnly: true}) // the store is not there yet
	ctx, cancel := context.WithCancel(context.Background())
	seen := make(chan string, 100)
	ended := make(chan error, 1)
	go func() {
		ended <- r.Follow(ctx, start.Add(-time.Hour), inspect.Filter{}, func(v *inspect.Session) error {
			seen <- fmt.Sprintf("%s %s %s", v.ID, v.Outcome, v.Phase)
			return nil
		})
	}()
	w := openStore(t, dir, Options{})
	q := make(queue)
	done := make(chan error, 1)
	go func() { done <- NewKeeper(w, quiet()).Run(context.Background(), q) }()

	expect := func(want string) {
		t.Helper()
		select {
		case got := <-seen:
			if got != want {
				t.Errorf("followed %q, want %q", got, want)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("waited for %q", want)
		}
	}
	q <- delivered("01A", start, "a@b", "c@d", "x")
	expect("01A delivered dot")
	s := newScript("01B", start).hello()
	q <- s.cut()
	expect("01B open mail") // the script's phases are coarse
	q <- s.say("MAIL", "MAIL FROM:<a@b>", "550 5.7.1 no").cut()
	expect("01B open mail")
	q <- s.close()
	expect("01B rejected mail")
	close(q)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Follow ended with %v, want nil", err)
	}
	if n := len(seen); n > 0 {
		t.Errorf("%d more than expected: %q", n, <-seen)
	}
}

// TestFollowSince has what is there already come first, oldest first.
func TestFollowSince(t *testing.T) {
	s := openStore(t, newDir(t), Options{})
	feed(t, s, quiet(),
		delivered("01A", start, "a@b", "c@d", "x"),
		delivered("01B", start.Add(time.Minute), "a@b", "c@d", "x"),
		refused("01C", start.Add(2*time.Minute), "x@y", "550 no"))
	f, err := inspect.ParseFilter("from:a*")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var got []string
	err = s.Follow(ctx, start.Add(time.Second), f, func(v *inspect.Session) error {
		got = append(got, v.ID)
		if len(got) == 2 {
			cancel()
		}
		return nil
	})
	if err != nil || len(got) != 2 || got[0] != "01B" || got[1] != "01C" {
		t.Errorf("followed %q, %v; want 01B and 01C", got, err)
	}
}

// TestFollowNewStore goes on when the directory is emptied and recording
// starts anew.
func TestFollowNewStore(t *testing.T) {
	dir := newDir(t)
	first := openStore(t, dir, Options{})
	feed(t, first, quiet(), delivered("01A", start, "a@b", "c@d", "x"), delivered("01B", start, "a@b", "c@d", "x"))
	r := openStore(t, dir, Options{ReadOnly: true})
	var got []string
	f := &follower{store: r, yielder: yielder{yield: func(v *inspect.Session) error {
		got = append(got, v.ID)
		return nil
	}}}
	if err := f.begin(context.Background(), time.Time{}); err != nil {
		t.Fatal(err)
	}
	first.Close()
	for _, path := range files(t, dir) {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.look(context.Background()); err != nil {
		t.Fatal(err)
	}
	second := openStore(t, dir, Options{})
	feed(t, second, quiet(), delivered("02A", start, "a@b", "c@d", "x"))
	if err := f.look(context.Background()); err != nil || len(got) != 1 || got[0] != "02A" {
		t.Errorf("followed %q, %v; want 02A", got, err)
	}
}
