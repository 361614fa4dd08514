package store

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestDamaged opens files that are no intact database, for writing and for
// reading. None of them may be changed.
func TestDamaged(t *testing.T) {
	intact := makeDatabase(t, nil)
	for name, tt := range map[string]struct {
		content []byte
		want    string
	}{
		"garbage":        {[]byte(strings.Repeat("no database ", 1000)), "is damaged or no SQLite database"},
		"short":          {[]byte("SQLite"), "is damaged or no SQLite database"},
		"truncated":      {intact[:len(intact)/2], "is damaged or no SQLite database"},
		"foreign":        {makeDatabase(t, []string{"PRAGMA application_id = 7"}), "another program"},
		"newer":          {makeDatabase(t, []string{"PRAGMA user_version = 9999"}), "written by a newer smtp-proxy (schema 9999"},
		"zeroed in part": {append(append([]byte{}, intact[:100]...), make([]byte, len(intact)-100)...), "is damaged"},
	} {
		for _, readOnly := range []bool{false, true} {
			dir := t.TempDir()
			path := filepath.Join(dir, file)
			if err := os.WriteFile(path, tt.content, 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := Open(dir, Options{ReadOnly: readOnly})
			if err == nil {
				s.Close()
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("%s, read-only %v: %v, want %q and the path", name, readOnly, err, tt.want)
			}
			if after, err := os.ReadFile(path); err != nil || string(after) != string(tt.content) {
				t.Errorf("%s, read-only %v: the file was changed (%v)", name, readOnly, err)
			}
		}
	}
}

// makeDatabase returns the bytes of a store with a session, changed by
// statements.
func makeDatabase(t *testing.T, statements []string) []byte {
	t.Helper()
	dir := newDir(t)
	s := openStore(t, dir, Options{})
	feed(t, s, quiet(), delivered("01A", start, "a@b", "c@d", strings.Repeat("x y z ", 50_000)))
	s.Close()
	path := filepath.Join(dir, file)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range append(statements, "PRAGMA wal_checkpoint(TRUNCATE)") {
		if _, err := db.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSecondWriter(t *testing.T) {
	dir := newDir(t)
	first := openStore(t, dir, Options{})
	if _, err := Open(dir, Options{}); !errors.Is(err, ErrInUse) {
		t.Fatalf("a second writer gets %v, want ErrInUse", err)
	}
	openStore(t, dir, Options{ReadOnly: true})
	first.Close()
	openStore(t, dir, Options{})
}

func TestModes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Log("modes mean nothing here")
		return
	}
	dir := filepath.Join(newDir(t), "deeper")
	s := openStore(t, dir, Options{})
	feed(t, s, quiet(), delivered("01A", start, "a@b", "c@d", "x"))
	for _, path := range append(files(t, dir), dir) {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		want := os.FileMode(0o600)
		if info.IsDir() {
			want = 0o700
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %04o, want %04o", path, got, want)
		}
	}
	if n := len(files(t, dir)); n != 4 {
		t.Errorf("%d files in %s, want database, -wal, -shm and lock", n, dir)
	}
	if len(s.Warnings()) != 0 {
		t.Errorf("warnings %q about a directory of our own", s.Warnings())
	}
}

func TestWideDirectory(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s := openStore(t, dir, Options{})
	if runtime.GOOS != "windows" && (len(s.Warnings()) != 1 || !strings.Contains(s.Warnings()[0], "chmod 700")) {
		t.Errorf("warnings = %q, want one that says chmod 700", s.Warnings())
	}
}

func TestUnusableDirectory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{path, filepath.Join(path, "below")} {
		if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), "data") {
			t.Errorf("Open(%s) = %v, want an error about the data directory", dir, err)
		}
	}
}

// TestReaderBesideWriter lists and looks up while another handle writes.
func TestReaderBesideWriter(t *testing.T) {
	dir := newDir(t)
	w := openStore(t, dir, Options{})
	r := openStore(t, dir, Options{ReadOnly: true})
	q := make(queue)
	done := make(chan error, 1)
	wrote := make(chan string)
	opt := quiet()
	go func() { done <- NewKeeper(w, opt).Run(context.Background(), q) }()
	go func() {
		defer close(wrote)
		for i := range 50 {
			id := "01" + string(rune('A'+i%26)) + string(rune('a'+i/26))
			q <- delivered(id, start.Add(1e9*1), "a@b", "c@d", "body")
			wrote <- id
		}
		close(q)
	}()
	for range wrote {
		n := len(ids(t, r, "", 0))
		if v, err := r.Session(context.Background(), "latest"); n > 0 && (err != nil || v.Outcome != "delivered") {
			t.Errorf("beside %d sessions: %v, %v", n, v, err)
		}
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := len(ids(t, r, "", 0)); got != 50 {
		t.Errorf("%d sessions, want 50", got)
	}
}
