package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// large is a session that sends messages, the octets of each in pieces as the
// recorder hands them over, and where it may be cut into batches.
func large(id string, at time.Time, messages ...string) [][]session.Record {
	s := newScript(id, at).hello()
	var list [][]session.Record
	for _, m := range messages {
		s.say("MAIL", "MAIL FROM:<a@b>", "250 ok").say("RCPT", "RCPT TO:<c@d>", "250 ok").say("DATA", "DATA", "354 go")
		for i := 0; i < len(m); i += 64 << 10 {
			list = append(list, s.body(m[i:min(i+64<<10, len(m))]).cut())
		}
		s.add(session.Entry{Kind: session.KindData, Verb: ".", Bytes: int64(len(m))}).reply(".", "250 ok")
	}
	return append(list, s.close())
}

func bodyFilesIn(t *testing.T, dir string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, "bodies", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestLargeBodies stores messages around the size at which they leave the
// database, several in one session and in one batch.
func TestLargeBodies(t *testing.T) {
	messages := []string{noise(3 << 20), "small\r\n", noise(spillAt), noise(spillAt + 1), noise(5<<20 + 7)}
	for _, joined := range []bool{false, true} {
		dir := newDir(t)
		s := openStore(t, dir, Options{})
		list := large("01L", start, messages...)
		if joined {
			list = [][]session.Record{joinBatches(list)}
		}
		feed(t, s, quiet(), list...)
		for i, want := range messages {
			if got := readBody(t, s, "01L", i); got != want {
				t.Errorf("joined %v, message %d: got %d octets, want the %d that were sent", joined, i, len(got), len(want))
			}
		}
		files := bodyFilesIn(t, dir)
		if len(files) != 3 {
			t.Errorf("joined %v: got files %q, want one for each of the three messages over %d octets", joined, files, spillAt)
		}
		for path, want := range map[string]os.FileMode{filepath.Join(dir, "bodies"): 0o700, files[0]: 0o600} {
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
				t.Errorf("%s: got %v, %v, want mode %v", path, info, err, want)
			}
		}
	}
}

func joinBatches(list [][]session.Record) (all []session.Record) {
	for _, b := range list {
		all = append(all, b...)
	}
	return all
}

// TestLargeBodyUnderWay reads a message from elsewhere while it comes in.
func TestLargeBodyUnderWay(t *testing.T) {
	dir := newDir(t)
	s := openStore(t, dir, Options{})
	reader := openStore(t, dir, Options{ReadOnly: true})
	q, done := make(queue), make(chan error, 1)
	go func() { done <- hasty(s, quiet()).Run(context.Background(), q) }()
	message := noise(4 << 20)
	list := large("01L", start, message)
	for i, batch := range list[:len(list)-1] {
		q <- batch
		q <- nil // taken when the batch has been written
		if i%16 != 15 {
			continue
		}
		if got, want := readBody(t, reader, "01L", 0), message[:(i+1)*64<<10]; got != want {
			t.Errorf("after %d pieces: got %d octets, want the %d that have come", i+1, len(got), len(want))
		}
	}
	q <- list[len(list)-1]
	close(q)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := readBody(t, reader, "01L", 0); got != message {
		t.Errorf("at the end: got %d octets, want %d", len(got), len(message))
	}
}

// TestRetainLargeBodies has files go with their sessions' age, and when the
// record is too large the oldest of them only.
func TestRetainLargeBodies(t *testing.T) {
	dir := newDir(t)
	now := start.Add(48 * time.Hour)
	s := openStore(t, dir, Options{Now: func() time.Time { return now }})
	var list [][]session.Record
	for i := range 5 {
		list = append(list, large(fmt.Sprintf("01L%d", i), start.Add(time.Duration(i)*10*time.Hour), noise(4<<20+i))...)
	}
	feed(t, s, quiet(), list...)
	if err := s.Retain(context.Background(), 40*time.Hour, 0); err != nil {
		t.Fatal(err)
	}
	if got := bodyFilesIn(t, dir); len(got) != 4 || len(ids(t, s, "", 0)) != 4 {
		t.Errorf("by age: got files %q, want those of the four sessions that are left", got)
	}
	if err := s.Retain(context.Background(), 0, 11<<20); err != nil {
		t.Fatal(err)
	}
	if got := bodyFilesIn(t, dir); len(got) != 2 || len(ids(t, s, "", 0)) != 4 {
		t.Errorf("by size: got files %q of %d sessions, want two of four", got, len(ids(t, s, "", 0)))
	}
	for id, want := range map[string]int{"01L1": 0, "01L2": 0, "01L3": 4<<20 + 3, "01L4": 4<<20 + 4} {
		r, err := s.Body(context.Background(), id, 0)
		if want == 0 {
			if !errors.Is(err, ErrNoBody) {
				t.Errorf("body of %s: got %v, want ErrNoBody", id, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("body of %s: %v", id, err)
			continue
		}
		if b, err := io.ReadAll(r); err != nil || len(b) != want {
			t.Errorf("body of %s: got %d octets, %v, want %d", id, len(b), err, want)
		}
		r.Close()
	}
}

// TestRetainKeepsTheBodyUnderWay makes the record too large while a message
// comes in.
func TestRetainKeepsTheBodyUnderWay(t *testing.T) {
	dir := newDir(t)
	s := openStore(t, dir, Options{})
	q, done := make(queue), make(chan error, 1)
	go func() { done <- hasty(s, quiet()).Run(context.Background(), q) }()
	message := noise(3 << 20)
	list := large("01L", start, message)
	for _, batch := range list[:len(list)-1] {
		q <- batch
	}
	q <- nil
	if err := s.Retain(context.Background(), time.Nanosecond, 1); err != nil {
		t.Fatal(err)
	}
	if got := bodyFilesIn(t, dir); len(got) != 1 {
		t.Errorf("got files %q, want the one that is being written", got)
	}
	close(q)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// TestOrphans removes at the start what a killed process left without a row,
// and nothing else.
func TestOrphans(t *testing.T) {
	dir := newDir(t)
	s := openStore(t, dir, Options{})
	feed(t, s, quiet(), large("01L", start, noise(2<<20))...)
	s.Close()
	for _, name := range []string{"17-0", "notes.txt", "17-0.bak"} {
		if err := os.WriteFile(filepath.Join(dir, "bodies", name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	openStore(t, dir, Options{ReadOnly: true})
	if got := bodyFilesIn(t, dir); len(got) != 4 {
		t.Errorf("after opening for reading: got %q, want nothing removed", got)
	}
	s = openStore(t, dir, Options{})
	if got := bodyFilesIn(t, dir); len(got) != 3 || strings.Contains(strings.Join(got, " ")+" ", "17-0 ") {
		t.Errorf("after opening for writing: got %q, want all but 17-0", got)
	}
	if got := len(readBody(t, s, "01L", 0)); got != 2<<20 {
		t.Errorf("got %d octets, want %d", got, 2<<20)
	}
}

// TestDiskFullOfBodies lets the disk take no octet of a large message for a
// while: mail and the rest of the record go on, the body says that it is cut.
func TestDiskFullOfBodies(t *testing.T) {
	clock := newClock()
	s := openStore(t, newDir(t), Options{Now: clock.now})
	k := hasty(s, quiet())
	q, done := make(queue), make(chan error, 1)
	go func() { done <- k.Run(context.Background(), q) }()
	list := large("01L", start, noise(3<<20))
	give := func(batches ...[]session.Record) {
		for _, b := range batches {
			q <- b
			q <- nil
		}
	}
	give(list[:16]...) // up to where the file begins
	room := fillDisk(t, s)
	give(list[16:20]...)
	if err := k.Healthy(); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("Healthy = %v on a full disk", err)
	}
	room()
	clock.advance(retryAfter)
	give(list[20:]...)
	if err := k.Healthy(); err != nil {
		t.Errorf("Healthy = %v with room again", err)
	}
	close(q)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	v, err := s.Session(context.Background(), "01L")
	if err != nil || v.Outcome != inspect.Delivered || v.Messages[0].Captured != "cut" {
		t.Errorf("got %+v, %v, want it delivered with a body that is cut", v, err)
	}
	if got, want := len(readBody(t, s, "01L", 0)), 3<<20-4*64<<10; got != want {
		t.Errorf("got %d octets, want the %d that could be written", got, want)
	}
}

// fillDisk puts a device that takes nothing in the place of the file of the one
// session's message, until room is called.
func fillDisk(t *testing.T, s *Store) (room func()) {
	t.Helper()
	var key int64
	if err := s.writer.QueryRow(`SELECT key FROM sessions`).Scan(&key); err != nil {
		t.Fatal(err)
	}
	path := bodiesBeside(s.path).path(key, 0)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/full", path); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// TestShortBodyFile reads a file that a power cut, or a hand, has made shorter.
func TestShortBodyFile(t *testing.T) {
	dir := newDir(t)
	s := openStore(t, dir, Options{})
	feed(t, s, quiet(), large("01L", start, noise(2<<20))...)
	path := bodyFilesIn(t, dir)[0]
	for _, cut := range []func() error{func() error { return os.Truncate(path, 1000) }, func() error { return os.Remove(path) }} {
		if err := cut(); err != nil {
			t.Fatal(err)
		}
		r, err := s.Body(context.Background(), "01L", 0)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err == nil || len(b) < spillAt {
			t.Errorf("got %d octets and %v, want what is left and an error", len(b), err)
		}
		r.Close()
	}
}

// TestBodiesOfAnOlderRecord reads a record from before there were files.
func TestBodiesOfAnOlderRecord(t *testing.T) {
	dir := newDir(t)
	s := openStore(t, dir, Options{})
	feed(t, s, quiet(), delivered("01A", start, "a@b", "c@d", "old\r\n"))
	if _, err := s.writer.Exec(`DROP TABLE bodies; DROP TABLE words; DROP TABLE tallies; DROP TABLE waits; PRAGMA user_version = 2`); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if got := readBody(t, openStore(t, dir, Options{ReadOnly: true}), "01A", 0); got != "old\r\n" {
		t.Errorf("got %q from an older record, want the body", got)
	}
	if got := readBody(t, openStore(t, dir, Options{}), "01A", 0); got != "old\r\n" {
		t.Errorf("got %q when it is brought up to date, want the body", got)
	}
}
