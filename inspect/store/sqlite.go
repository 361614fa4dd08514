package store

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// access is how a database is opened.
type access int

const (
	writing access = iota
	reading
	frozen // reading a file that nobody writes: no lock, no -shm beside it
)

// openDB returns a handle on a database. It does not touch the file yet.
func openDB(path string, how access) (*sql.DB, error) {
	db, err := sql.Open("sqlite", dsn(path, how))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	conns := 4
	if how == writing {
		conns = 1
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

// dsn spells out the settings of a connection. WAL lets readers go on beside
// the writer; with synchronous=NORMAL a commit needs no fsync, so that a power
// cut may cost the last commits, a killed process none.
func dsn(path string, how access) string {
	q := url.Values{}
	pragma := func(p ...string) {
		for _, p := range p {
			q.Add("_pragma", p)
		}
	}
	pragma("busy_timeout(5000)")
	switch how {
	case writing:
		q.Set("mode", "rw")
		q.Set("_txlock", "immediate")
		pragma("auto_vacuum(incremental)", "journal_mode(wal)", "synchronous(normal)",
			"journal_size_limit(67108864)", "cache_size(-8192)", "foreign_keys(off)", "trusted_schema(off)")
	case reading:
		q.Set("mode", "ro")
		pragma("query_only(on)", "cache_size(-4096)", "trusted_schema(off)")
	case frozen:
		q.Set("mode", "ro")
		q.Set("immutable", "1")
		pragma("query_only(on)", "trusted_schema(off)")
	}
	name := filepath.ToSlash(path)
	if !strings.HasPrefix(name, "/") && filepath.IsAbs(path) {
		name = "/" + name // file:/C:/…
	}
	return "file:" + (&url.URL{Path: name}).EscapedPath() + "?" + q.Encode()
}

// damaged reports whether an error says that a file is no intact database.
func damaged(err error) bool {
	code := sqliteCode(err)
	return code == sqlite3.SQLITE_CORRUPT || code == sqlite3.SQLITE_NOTADB || errors.Is(err, errForeign)
}

// sqliteCode returns the primary result code of SQLite's error, or 0.
func sqliteCode(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}
