package store

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// TestKeeps hands sessions of one batch on: the events of each are its own
// while it is told of, and of those that are kept for good.
func TestKeeps(t *testing.T) {
	kept := map[string]*inspect.Session{}
	opt := quiet()
	opt.Keeps = func(v *inspect.Session) bool { return len(v.Findings) > 0 }
	opt.Ended = func(v *inspect.Session) {
		checkOwn(t, v)
		kept[v.ID] = v
	}
	var batch []session.Record
	for i := range 6 {
		at := start.Add(time.Duration(i) * time.Second)
		records := delivered(fmt.Sprintf("01K%d", i), at, "a@b", "c@d", "x")
		if i%2 == 0 {
			records = refused(fmt.Sprintf("01K%d", i), at, fmt.Sprintf("to%d@d", i), "550 5.1.1 no")
		}
		batch = append(batch, records...)
	}
	feed(t, openStore(t, newDir(t), Options{}), opt, batch)
	if len(kept) != 6 {
		t.Errorf("told of %d sessions, want 6", len(kept))
	}
	for _, v := range kept {
		if len(v.Findings) > 0 {
			checkOwn(t, v)
		}
	}
}

// checkOwn wants the events of a session to be those that it began and ended
// with.
func checkOwn(t *testing.T, v *inspect.Session) {
	t.Helper()
	for i, e := range v.Events {
		if e.Seq != i+1 || e.At.Before(v.Started) || e.At.After(v.Ended) {
			t.Errorf("session %s: event %d is %+v, want one of its own between %s and %s", v.ID, i, e, v.Started, v.Ended)
		}
	}
	if len(v.Events) == 0 {
		t.Errorf("session %s has no events", v.ID)
	}
}

// TestHeadersWithoutEnd captures headers of a message that has no blank line:
// what is kept of it is bounded, and the next message begins anew.
func TestHeadersWithoutEnd(t *testing.T) {
	opt := quiet()
	opt.Capture = captureHeaders
	s := openStore(t, newDir(t), Options{})
	feed(t, s, opt, large("01H", start, strings.Repeat("no colon and no end ", 200_000), "A: b\r\n\r\nbody")...)
	if got := len(readBody(t, s, "01H", 0)); got != maxHeader {
		t.Errorf("got %d octets, want %d", got, maxHeader)
	}
	if got := readBody(t, s, "01H", 1); got != "A: b\r\n\r\n" {
		t.Errorf("got %q of the next message, want its header", got)
	}
}
