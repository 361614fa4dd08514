package web

import (
	"bytes"
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
)

// TestPlacesTaken has streams be refused, not held, when there are as many as
// there may be; one who leaves makes room.
func TestPlacesTaken(t *testing.T) {
	r := newRecord(t)
	r.add(t, inspect.Delivered, nil)
	s := newSite(t, Options{Store: r.Store})
	for path, room := range map[string]chan struct{}{"/live": s.places.streams, "/api/v1/events": s.places.readers} {
		for range cap(room) {
			room <- struct{}{}
		}
		code, body := get(t, s, path)
		if code != 503 || !strings.Contains(body, "as many streams are open as may be") {
			t.Errorf("%s when all places are taken: got %d, want 503\n%s", path, code, body)
		}
		if len(room) != cap(room) {
			t.Errorf("%s gave back a place that was not its own", path)
		}
		if code, _ := get(t, s, "/"); code != 200 {
			t.Errorf("the list meanwhile: got %d, want 200", code)
		}
	}
}

// deadlines is a writer that says what time it was given for each piece.
type deadlines struct {
	httptest.ResponseRecorder
	set    int
	pieces []int
}

func (d *deadlines) SetWriteDeadline(at time.Time) error {
	if !at.IsZero() {
		d.set++
	}
	return nil
}

func (d *deadlines) Write(b []byte) (int, error) {
	d.pieces = append(d.pieces, d.set)
	return d.ResponseRecorder.Write(b)
}

// TestSendAll gives each piece of a long answer its own time, so that a slow
// reader gets all and one who takes nothing is given up.
func TestSendAll(t *testing.T) {
	text := bytes.Repeat([]byte("0123456789abcdef"), 10_000)
	w := &deadlines{ResponseRecorder: *httptest.NewRecorder()}
	if err := sendAll(w, text); err != nil || !bytes.Equal(w.Body.Bytes(), text) {
		t.Fatalf("got %d octets, %v; want all %d", w.Body.Len(), err, len(text))
	}
	for i, set := range w.pieces {
		if set != i+1 {
			t.Errorf("piece %d: got deadline %d, want one of its own", i+1, set)
		}
	}
	if len(w.pieces) != 3 {
		t.Errorf("got %d pieces of %d octets, want 3", len(w.pieces), len(text))
	}
}

// TestPlacesOpened has sessions wait for their turn, and leave when their
// reader does.
func TestPlacesOpened(t *testing.T) {
	r := newRecord(t)
	v := r.add(t, inspect.Delivered, nil)
	s := newSite(t, Options{Store: r.Store})
	for range cap(s.places.opened) {
		s.places.opened <- struct{}{}
	}
	for _, path := range []string{"/sessions/" + v.ID, "/sessions/" + v.ID + "/messages", "/api/v1/sessions/" + v.ID} {
		ctx, leave := context.WithCancel(t.Context())
		leave()
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", "http://localhost"+path, nil))
		if w.Body.Len() > 0 {
			t.Errorf("%s for one who left before their turn: got %s, want nothing", path, w.Body)
		}
	}
	<-s.places.opened
	if code, _ := get(t, s, "/sessions/"+v.ID); code != 200 || len(s.places.opened) != cap(s.places.opened)-1 {
		t.Errorf("with one place: got %d and %d places taken, want 200 and the place given back", code, len(s.places.opened))
	}
}
