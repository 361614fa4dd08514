//go:build unix

package store

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestUmask writes under a umask that would let everybody read. The umask is
// the process's, so this test runs alone.
func TestUmask(t *testing.T) {
	old := unix.Umask(0)
	defer unix.Umask(old)
	dir := newDir(t)
	s := openStore(t, dir, Options{})
	feed(t, s, quiet(), delivered("01A", start, "a@b", "c@d", "x"))
	for _, path := range files(t, dir) {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v (%v), want 0600", filepath.Base(path), info.Mode(), err)
		}
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory has mode %v (%v), want 0700", info.Mode(), err)
	}
}

// TestNarrowsOldFile takes rights off a database that others may read.
func TestNarrowsOldFile(t *testing.T) {
	dir := newDir(t)
	s := openStore(t, dir, Options{})
	path := s.Path()
	s.Close()
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	openStore(t, dir, Options{})
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the database has mode %v (%v), want 0600", info.Mode(), err)
	}
}
