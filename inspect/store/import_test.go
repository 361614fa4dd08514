package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
)

func openGuest(t testing.TB, dir string) *Guest {
	t.Helper()
	g, err := OpenGuest(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return g
}

func bodyOf(s *Store, id string) Body {
	return func(ctx context.Context, n int) (io.ReadCloser, error) { return s.Body(ctx, id, n) }
}

func sessionOf(t testing.TB, s *Store, id string) *inspect.Session {
	t.Helper()
	v, err := s.Session(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestImport takes sessions of all kinds from one record into another.
func TestImport(t *testing.T) {
	from := openStore(t, newDir(t), Options{})
	message := noise(3 << 20)
	feed(t, from, quiet(),
		delivered("01A", start, "a@example.com", "b@example.net", "Subject: one\r\n\r\nsmall\r\n"),
		refused("01B", start.Add(time.Second), "b@example.net", "550 5.1.1 unknown"))
	feed(t, from, quiet(), large("01C", start.Add(2*time.Second), message)...)
	dir := newDir(t)
	to := openGuest(t, dir)
	for _, id := range []string{"01C", "01A", "01B"} {
		if err := to.Import(t.Context(), sessionOf(t, from, id), bodyOf(from, id)); err != nil {
			t.Fatal(err)
		}
		if err := to.Import(t.Context(), sessionOf(t, from, id), bodyOf(from, id)); !errors.Is(err, ErrExists) {
			t.Errorf("session %s a second time: got %v, want %v", id, err, ErrExists)
		}
	}
	s := openStore(t, dir, Options{ReadOnly: true})
	if got, want := ids(t, s, "", 0), []string{"01C", "01B", "01A"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := ids(t, s, "cause:recipient.unknown", 0), []string{"01B"}; !reflect.DeepEqual(got, want) {
		t.Errorf("by cause: got %q, want %q", got, want)
	}
	for _, id := range []string{"01A", "01B", "01C"} {
		if got, want := sessionOf(t, s, id), sessionOf(t, from, id); !reflect.DeepEqual(got, want) {
			t.Errorf("session %s: got\n%+v, want\n%+v", id, got, want)
		}
	}
	for _, id := range []string{"01A", "01C"} {
		if got, want := readBody(t, s, id, 0), readBody(t, from, id, 0); got != want {
			t.Errorf("message of %s: got %d octets, want the same %d", id, len(got), len(want))
		}
	}
	if _, err := s.Body(t.Context(), "01B", 0); !errors.Is(err, ErrNoBody) {
		t.Errorf("message of 01B: got %v, want %v", err, ErrNoBody)
	}
}

// TestImportLeavesNothing refuses, and looks for remains.
func TestImportLeavesNothing(t *testing.T) {
	from := openStore(t, newDir(t), Options{})
	feed(t, from, quiet(), delivered("01A", start, "a@example.com", "b@example.net", "x"))
	v := sessionOf(t, from, "01A")
	running := *v
	running.Ended = time.Time{}
	broken := errors.New("line 7 is damaged")
	cut := func(context.Context, int) (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(strings.NewReader(noise(2<<20)), failing{broken})), nil
	}
	dir := newDir(t)
	g := openGuest(t, dir)
	for _, test := range []struct {
		v    *inspect.Session
		body Body
		want error
	}{{&running, nil, ErrOpen}, {v, cut, broken}} {
		if err := g.Import(t.Context(), test.v, test.body); !errors.Is(err, test.want) {
			t.Errorf("got %v, want %v", err, test.want)
		}
	}
	wordy := *v
	wordy.Edits = []string{strings.Repeat("x", maxSummary)}
	if err := g.Import(t.Context(), &wordy, nil); err == nil || !strings.Contains(err.Error(), "octets") {
		t.Errorf("a summary of more than %d octets: got %v, want an error that says so", maxSummary, err)
	}
	g.Close()
	s := openStore(t, dir, Options{ReadOnly: true})
	if got := ids(t, s, "", 0); len(got) != 0 {
		t.Errorf("got %q in the record, want nothing", got)
	}
	if left, err := os.ReadDir(filepath.Join(dir, "bodies")); err != nil || len(left) != 0 {
		t.Errorf("got %v, %v in the directory of messages, want nothing", left, err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestImportKeys has more sessions begin in one moment than a moment has keys.
func TestImportKeys(t *testing.T) {
	from := openStore(t, newDir(t), Options{})
	feed(t, from, quiet(), delivered("01A", start, "a@example.com", "b@example.net", "x"))
	v := sessionOf(t, from, "01A")
	dir := newDir(t)
	g := openGuest(t, dir)
	var want []string
	for i := range 2*keysOfGuests + 3 {
		one := *v
		one.ID = fmt.Sprintf("01X%03d", i)
		want = append([]string{one.ID}, want...)
		if err := g.Import(t.Context(), &one, bodyOf(from, "01A")); err != nil {
			t.Fatal(err)
		}
	}
	s := openStore(t, dir, Options{ReadOnly: true})
	if got := ids(t, s, "", 0); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, id := range want {
		if got := readBody(t, s, id, 0); got != "x" {
			t.Errorf("message of %s: got %q, want %q", id, got, "x")
		}
	}
}

func TestImportModes(t *testing.T) {
	if runtime.GOOS == "windows" {
		return
	}
	from := openStore(t, newDir(t), Options{})
	feed(t, from, quiet(), large("01C", start, noise(2<<20))...)
	dir := newDir(t)
	g := openGuest(t, dir)
	if err := g.Import(t.Context(), sessionOf(t, from, "01C"), bodyOf(from, "01C")); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: got mode %v, want it for its owner alone", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestImportSweep starts a writer beside a guest that lives, and one that does
// not.
func TestImportSweep(t *testing.T) {
	dir := newDir(t)
	g := openGuest(t, dir)
	f, err := g.stage.create(bodiesBeside(g.store.path))
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	dead := filepath.Join(dir, "bodies", stagePrefix+"1")
	if err := os.Mkdir(dead, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dead, "1"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	openStore(t, dir, Options{})
	if _, err := os.Stat(f.Name()); err != nil {
		t.Errorf("the file of a guest that lives: got %v, want it there", err)
	}
	if _, err := os.Stat(dead); !os.IsNotExist(err) {
		t.Errorf("the directory of a guest that is dead: got %v, want it gone", err)
	}
}
