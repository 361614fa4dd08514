package store

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// spillAt is where a message leaves the database, in octets. What has come by
// then stands in blocks; the rest goes into a file of its own, as it was sent:
// compressing a large message and writing it twice, into SQLite's log and from
// there into the database, costs more than relaying it.
//
// The table of bodies says how much of a file counts. It is written behind the
// file, so a killed process leaves at most octets that do not count, or a file
// that no row names; the next start removes that.
const spillAt = 1 << 20

// reach is how far a session's message has been written.
type reach struct {
	message int
	head    int64 // octets in blocks
	size    int64 // octets in a file
	block   int64 // the last of those blocks
}

// bodyFiles is the directory of large messages.
type bodyFiles struct{ dir string }

func bodiesBeside(database string) bodyFiles {
	return bodyFiles{filepath.Join(filepath.Dir(database), "bodies")}
}

func (d bodyFiles) path(key int64, message int) string {
	return filepath.Join(d.dir, bodyName(key, message))
}

func bodyName(key int64, message int) string { return fmt.Sprintf("%d-%d", key, message) }

// open opens a message's file for writing, and makes it and the directory,
// both for their owner alone, when they are not there.
func (d bodyFiles) open(key int64, message int) (*os.File, error) {
	path := d.path(key, message)
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	if _, err := prepareDir(d.dir); err != nil {
		return nil, err
	}
	if err := prepareFile(path); err != nil {
		return nil, err
	}
	return os.OpenFile(path, os.O_WRONLY, 0)
}

// remove removes files whose rows are gone. One that stays is removed by the
// next start.
func (d bodyFiles) remove(names []string) {
	for _, name := range names {
		os.Remove(filepath.Join(d.dir, name))
	}
}

// sweep removes the files that no row names: a killed process has left them.
// What is none of ours stays. It holds the database for writing, because a
// guest gives a file its name before the row that names it is committed.
func (d bodyFiles) sweep(db *sql.DB) error {
	list, err := os.ReadDir(d.dir)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, file := range list {
		var key int64
		var message, rows int
		if strings.HasPrefix(file.Name(), stagePrefix) {
			sweepStage(filepath.Join(d.dir, file.Name()))
			continue
		}
		if _, err := fmt.Sscanf(file.Name(), "%d-%d", &key, &message); err != nil || bodyName(key, message) != file.Name() {
			continue
		}
		if err := tx.QueryRow(`SELECT count(*) FROM bodies WHERE session = ? AND message = ?`, key, message).Scan(&rows); err != nil {
			return err
		}
		if rows == 0 {
			d.remove([]string{file.Name()})
		}
	}
	return nil
}

// spill writes pieces into files as a batch goes.
type spill struct {
	files   bodyFiles
	open    *os.File
	key     int64
	message int
	rows    []bodyRow
}

type bodyRow struct {
	key int64
	reach
}

// write puts a piece at the end of what counts of its message.
func (w *spill) write(p piece, at *reach) error {
	if w.open == nil || w.key != p.key || w.message != p.message {
		if err := w.close(); err != nil {
			return err
		}
		f, err := w.files.open(p.key, p.message)
		if err != nil {
			return err
		}
		w.open, w.key, w.message = f, p.key, p.message
		w.rows = append(w.rows, bodyRow{key: p.key})
	}
	n, err := w.open.WriteAt(p.data, at.size)
	if err != nil {
		return fmt.Errorf("write %s: %w", w.open.Name(), err)
	}
	at.size += int64(n)
	w.rows[len(w.rows)-1].reach = *at
	return nil
}

// close ends the file under way. A full disk may show here only.
func (w *spill) close() error {
	if w.open == nil {
		return nil
	}
	f := w.open
	w.open = nil
	if err := f.Close(); err != nil {
		return fmt.Errorf("write %s: %w", f.Name(), err)
	}
	return nil
}

func (w *spill) reset() {
	w.close()
	w.rows = w.rows[:0]
}
