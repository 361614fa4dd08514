package store

import (
	"database/sql"
	"errors"
	"io/fs"
	"os"
)

// reader is a handle for reading.
//
// SQLite cannot open a database in WAL mode for reading alone without making a
// -shm file beside it. So one that no process has open (there is no -wal) is
// read as a frozen file, and opened anew when that changes.
type reader struct {
	db      *sql.DB
	frozen  bool
	version int         // of the schema
	file    os.FileInfo // as it was when it was opened
}

// read returns the handle for reading, or nil when there is no store.
func (s *Store) read() (*reader, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, sql.ErrConnDone
	}
	if s.reader != nil && !s.stale(s.reader) {
		return s.reader, nil
	}
	if s.reader != nil {
		s.reader.db.Close() // what is being read from it comes to its end
		s.reader = nil
	}
	r, err := openReader(s.path)
	if err != nil || r == nil {
		return nil, err
	}
	s.reader = r
	return r, nil
}

// stale reports whether another file stands there now, or whether a frozen one
// has changed or is being written.
func (s *Store) stale(r *reader) bool {
	info, err := os.Stat(s.path)
	if err != nil || !os.SameFile(info, r.file) {
		return true
	}
	return r.frozen && (hasWAL(s.path) || info.Size() != r.file.Size() || !info.ModTime().Equal(r.file.ModTime()))
}

func openReader(path string) (*reader, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, explainOpen(path, err)
	case info.Size() == 0: // made, and nothing in it yet
		return nil, nil
	}
	r := &reader{frozen: !hasWAL(path), file: info}
	how := reading
	if r.frozen {
		how = frozen
	}
	if r.db, err = openDB(path, how); err != nil {
		return nil, err
	}
	if r.version, err = schemaVersion(r.db); err != nil {
		r.db.Close()
		return nil, explainOpen(path, err)
	}
	if r.version == 0 { // its first migration is under way
		r.db.Close()
		return nil, nil
	}
	return r, nil
}

func hasWAL(path string) bool {
	_, err := os.Stat(path + "-wal")
	return err == nil
}
