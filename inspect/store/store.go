package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver
)

// The errors of looking something up.
var (
	ErrNotFound  = errors.New("no such session")
	ErrAmbiguous = errors.New("more than one session begins so")
	ErrNoBody    = errors.New("no body was kept")
)

// Options says how a store is opened.
type Options struct {
	ReadOnly bool             // for the commands that read: nothing is created, a missing store is empty
	Now      func() time.Time // the clock; nil is [time.Now]
}

// Store is the record in one data directory. Its methods may be used
// concurrently.
type Store struct {
	path     string // of the database
	now      func() time.Time
	warnings []string
	lock     *os.File // held while this process writes
	writer   *sql.DB  // nil when read-only; one connection
	packer   *packer

	mu     sync.Mutex
	reader *reader // nil until something is read
	closed bool
}

// file is the name of the database in its directory.
const file = "smtp-proxy.db"

// Open opens the store in a directory. For writing it creates the directory
// (0700) and the database (0600), brings its schema up to date, and fails when
// another process writes there ([ErrInUse]), when the database is damaged or
// none of ours, or when a newer version of this program has written it.
// Nothing is ever deleted or overwritten.
func Open(dir string, opt Options) (*Store, error) {
	s := &Store{path: filepath.Join(dir, file), now: opt.Now}
	if s.now == nil {
		s.now = time.Now
	}
	var err error
	if s.packer, err = newPacker(); err != nil {
		return nil, err
	}
	open := s.openWriting
	if opt.ReadOnly {
		open = s.openReading
	}
	if err := open(dir); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Store) openWriting(dir string) error {
	err := s.prepareDir(dir)
	if err != nil {
		return err
	}
	if s.lock, err = lockFile(filepath.Join(dir, "lock")); err != nil {
		return err
	}
	if err := s.openDatabase(); err != nil {
		return err
	}
	return explainOpen(s.path, bodiesBeside(s.path).sweep(s.writer))
}

func (s *Store) prepareDir(dir string) error {
	warning, err := prepareDir(dir)
	if warning != "" {
		s.warnings = append(s.warnings, warning)
	}
	return err
}

// openDatabase opens the database for writing, and makes it when it is not
// there.
func (s *Store) openDatabase() (err error) {
	if err := prepareFile(s.path); err != nil {
		return err
	}
	if err := s.examine(); err != nil {
		return err
	}
	if s.writer, err = openDB(s.path, writing); err != nil {
		return err
	}
	if err := migrate(s.writer); err != nil {
		return explainOpen(s.path, err)
	}
	return explainOpen(s.path, s.foldLeft(context.Background()))
}

// examine looks at what is there before anything is written to it: opening a
// database for writing may change it.
func (s *Store) examine() error {
	r, err := openReader(s.path)
	if err == nil && r != nil {
		err = r.db.Close()
	}
	return err
}

// openReading checks that what is there can be read. That nothing is there is
// no error: it may come.
func (s *Store) openReading(string) error {
	_, err := s.read()
	return err
}

// Close ends all use of the store.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	var errs []error
	if s.reader != nil {
		errs = append(errs, s.reader.db.Close())
		s.reader = nil
	}
	if s.writer != nil {
		errs = append(errs, s.writer.Close())
		s.writer = nil
	}
	if s.packer != nil {
		s.packer.close()
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
		s.lock = nil
	}
	return errors.Join(errs...)
}

// Warnings are what the owner should be told about the directory.
func (s *Store) Warnings() []string { return s.warnings }

// Path is the database's file.
func (s *Store) Path() string { return s.path }

// explainOpen says what to do about a database that cannot be used.
func explainOpen(path string, err error) error {
	if err == nil {
		return nil
	}
	if damaged(err) {
		return fmt.Errorf("%s is damaged or no SQLite database (%w): move it away to start a new record, or name another directory with --data", path, err)
	}
	return fmt.Errorf("%s: %w", path, err)
}
