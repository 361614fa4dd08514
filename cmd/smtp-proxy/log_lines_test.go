package main

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/rs/zerolog"
)

// writes keeps each write apart.
type writes []string

func (w *writes) Write(p []byte) (int, error) {
	*w = append(*w, string(p))
	return len(p), nil
}

// TestLogLines holds lines among others: all are written, in order, those that
// are held in as few writes as may be.
func TestLogLines(t *testing.T) {
	var out writes
	l := &logLines{out: &out}
	log := zerolog.New(l)
	held := l.holding(log)
	held.Info().Msg("1")
	held.Info().Msg("2")
	log.Warn().Msg("3")
	held.Info().Msg("4")
	l.release()
	l.release()
	held.Info().Msg("5")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	line := func(level, n string) string { return `{"level":"` + level + `","message":"` + n + "\"}\n" }
	want := []string{line("info", "1") + line("info", "2"), line("warn", "3"), line("info", "4"), line("info", "5")}
	if got := strings.Join(out, "|"); got != strings.Join(want, "|") {
		t.Errorf("got %q, want %q", out, want)
	}
}

// TestLogLinesBounded holds more than is held at once.
func TestLogLinesBounded(t *testing.T) {
	var out bytes.Buffer
	l := &logLines{out: &out}
	held := l.holding(zerolog.New(l))
	for range 3 * heldMost / 1000 {
		held.Info().Msg(strings.Repeat("x", 1000))
		if len(l.held) >= heldMost {
			t.Fatalf("%d octets are held, want less than %d", len(l.held), heldMost)
		}
	}
	if out.Len() < heldMost {
		t.Errorf("%d octets were written, want more", out.Len())
	}
}

// TestLogLinesForPeople checks that a terminal shows each line as it comes.
func TestLogLinesForPeople(t *testing.T) {
	var out writes
	l := &logLines{out: &out, people: true}
	held := l.holding(zerolog.New(l))
	held.Info().Msg("1")
	if len(out) != 1 {
		t.Errorf("got %d writes, want 1", len(out))
	}
}

// TestLogLinesFail has a log that cannot be written: it says so, and lets go of
// what it holds.
func TestLogLinesFail(t *testing.T) {
	r, w := io.Pipe()
	r.Close()
	l := &logLines{out: w, held: []byte("line\n")}
	if _, err := l.Write([]byte("next\n")); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v, want %v", err, io.ErrClosedPipe)
	}
	if len(l.held) > 0 {
		t.Errorf("holds %q still", l.held)
	}
}
