package store

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/rs/zerolog"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// The errors of looking a session up.
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

// Store is one data directory.
type Store struct{}

// Open opens the store in a directory.
func Open(dir string, opt Options) (*Store, error) { return &Store{}, nil }

// Close ends all use of the store.
func (s *Store) Close() error { return nil }

// Warnings are what the owner should know about the directory, for the log.
func (s *Store) Warnings() []string { return nil }

// Sessions yields the sessions that a filter selects, newest first, without
// their events. limit 0 is no limit.
func (s *Store) Sessions(ctx context.Context, f inspect.Filter, limit int, yield func(*inspect.Session) error) error {
	return nil
}

// Session returns one session with its events.
func (s *Store) Session(ctx context.Context, id string) (*inspect.Session, error) {
	return nil, ErrNotFound
}

// Body returns the octets of a message as they were sent.
func (s *Store) Body(ctx context.Context, id string, message int) (io.ReadCloser, error) {
	return nil, ErrNoBody
}

// Follow yields sessions as they grow and end.
func (s *Store) Follow(ctx context.Context, since time.Time, f inspect.Filter, yield func(*inspect.Session) error) error {
	<-ctx.Done()
	return nil
}

// Seen says how often a cause was seen for an upstream of late.
func (s *Store) Seen(upstream, cause string) (inspect.Recurrence, error) {
	return inspect.Recurrence{}, nil
}

// Retain deletes what is too old or too much.
func (s *Store) Retain(ctx context.Context, keep time.Duration, maxBytes int64) error { return nil }

// Source is where records come from: the proxy's recorder.
type Source interface {
	// Next waits for records. They are valid until the next call; io.EOF says
	// that there will be no more.
	Next(ctx context.Context) ([]session.Record, error)
}

// KeeperOptions says what a keeper does beside writing.
type KeeperOptions struct {
	Annotate func(*inspect.Session) []inspect.Finding // nil: nothing is found
	Ended    func(*inspect.Session)                   // called for each session that has ended, once it is written
	Log      zerolog.Logger
	Capture  string            // full, headers or none; empty is full
	Routes   map[string]string // the same for single routes by name
	Keep     time.Duration     // retention by age; 0 or less keeps everything
	KeepSize int64             // retention by size in octets; 0 or less keeps everything
}

// Keeper is the one writer of a store.
type Keeper struct{}

// NewKeeper returns the keeper of a store; a nil store keeps nothing.
func NewKeeper(s *Store, opt KeeperOptions) *Keeper { return &Keeper{} }

// Run keeps what comes from a source until its end.
func (k *Keeper) Run(ctx context.Context, from Source) error { return nil }

// Healthy says why nothing can be written at present, or nil.
func (k *Keeper) Healthy() error { return nil }
