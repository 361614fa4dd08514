package main

import (
	"errors"
	"io"
	"sync"

	"github.com/rs/zerolog"
)

// logLines writes a log in the order in which its lines come. Many sessions end
// in the same moment: their lines may be held until the last is there, and are
// one write then. Whatever else is logged meanwhile goes out behind them, at
// once.
type logLines struct {
	mu     sync.Mutex
	out    io.Writer
	people bool      // read it as it comes: nothing is held
	file   io.Closer // nil unless it is the log's own
	held   []byte
}

// heldMost is how many octets are held before they are written all the same.
const heldMost = 64 << 10

// Write writes a line, and what was held before it.
func (l *logLines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.flush(); err != nil {
		return 0, err
	}
	return l.out.Write(line)
}

// release writes what is held.
func (l *logLines) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.flush() // nobody could be told: the log is what failed
}

func (l *logLines) flush() error {
	if len(l.held) == 0 {
		return nil
	}
	_, err := l.out.Write(l.held)
	l.held = l.held[:0]
	return err
}

// holding returns a log like that one, whose lines are held until release.
func (l *logLines) holding(log zerolog.Logger) zerolog.Logger {
	if l.people {
		return log
	}
	return log.Output((*heldLines)(l))
}

// heldLines is where lines are held.
type heldLines logLines

// Write holds a line.
func (h *heldLines) Write(line []byte) (int, error) {
	l := (*logLines)(h)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = append(l.held, line...)
	if len(l.held) < heldMost {
		return len(line), nil
	}
	return len(line), l.flush()
}

// Close writes what is held and closes the log's own file.
func (l *logLines) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.flush()
	if l.file == nil {
		return err
	}
	return errors.Join(err, l.file.Close())
}
