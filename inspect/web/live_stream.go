package web

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"smtp-proxy/inspect"
)

// Times of a stream.
const (
	beatEvery  = 15 * time.Second // between signs of life, for proxies that cut what is silent
	writeLimit = 20 * time.Second // for one event: who takes longer has gone
)

const eventStream = "text/event-stream; charset=utf-8"

// stream is an answer that goes on: server-sent events (HTML Living Standard,
// section 9.2).
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	out     bytes.Buffer
	due     time.Time // when then is called; zero for never
	then    func(*stream)
}

// later calls then after a while, unless that is to come already.
func (s *stream) later(wait time.Duration, then func(*stream)) {
	if s.due.IsZero() {
		s.due, s.then = time.Now().Add(wait), then
	}
}

// wait is how long a stream may wait for changes.
func (s *stream) wait() time.Duration {
	if s.due.IsZero() {
		return beatEvery
	}
	return min(beatEvery, max(0, time.Until(s.due)))
}

// idle adds what is due when nothing has changed for a while.
func (s *stream) idle(upTo int64) {
	if s.due.IsZero() || time.Now().Before(s.due) {
		s.beat(upTo)
	}
}

// settle adds what is due.
func (s *stream) settle() {
	if !s.due.IsZero() && !time.Now().Before(s.due) {
		s.due = time.Time{}
		s.then(s)
	}
}

// startStream begins a stream. From then on it is not bound by the time that
// the server allows for a request.
func startStream(w http.ResponseWriter) *stream {
	s := &stream{w: w, control: http.NewResponseController(w)}
	// A connection that knows no deadline has none to lift.
	_ = s.control.SetReadDeadline(time.Time{})
	w.Header().Set("Content-Type", eventStream)
	w.Header().Set("X-Accel-Buffering", "no")
	return s
}

// event adds an event. Data is one line for each part: none holds a line end.
func (s *stream) event(name string, data ...[]byte) {
	if name != "" {
		s.out.WriteString("event: " + name + "\n")
	}
	for _, line := range data {
		s.out.WriteString("data: ")
		s.out.Write(oneLine(line))
		s.out.WriteByte('\n')
	}
	s.out.WriteByte('\n')
}

// id names the block from which a reader that comes back goes on.
func (s *stream) id(block int64) {
	if block > 0 {
		s.out.WriteString("id: " + strconv.FormatInt(block, 10) + "\n")
	}
}

// beat adds a sign of life, and up to where nothing is left to tell.
func (s *stream) beat(upTo int64) {
	s.out.WriteString(": alive\n")
	s.id(upTo)
	s.out.WriteByte('\n')
}

// send writes what was added.
func (s *stream) send() error {
	err := s.control.SetWriteDeadline(time.Now().Add(writeLimit))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := s.w.Write(s.out.Bytes()); err != nil {
		return err
	}
	s.out.Reset()
	return s.control.Flush()
}

func oneLine(b []byte) []byte {
	if !bytes.ContainsAny(b, "\r\n") {
		return b
	}
	return bytes.Map(func(r rune) rune {
		if r == '\n' || r == '\r' {
			return ' '
		}
		return r
	}, b)
}

// resumeFrom returns the block that a reader knows all of, negative when it
// names none: by Last-Event-ID when it comes back, else by the address.
func resumeFrom(r *http.Request) int64 {
	text := r.Header.Get("Last-Event-ID")
	if text == "" {
		text = r.URL.Query().Get("after")
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return -1
	}
	return n
}

// follow calls told with each batch, and sends what that has added, until the
// reader leaves; then it returns nil.
func (s *Site) follow(w http.ResponseWriter, r *http.Request, f inspect.Filter, told func(*stream, batch)) error {
	free, err := takePlace(w, s.places.streams)
	if err != nil {
		return err
	}
	defer free()
	l := s.hub.join(f, resumeFrom(r))
	defer l.leave()
	out := startStream(w)
	out.beat(0)
	for {
		if err := out.send(); err != nil || r.Context().Err() != nil {
			return nil // the reader has gone
		}
		b, err := nextWithin(r.Context(), l, out.wait())
		switch {
		case r.Context().Err() != nil:
			return nil
		case errors.Is(err, context.DeadlineExceeded):
			out.idle(l.upTo())
		case err != nil:
			s.Log.Debug().Err(err).Msg("the record cannot be followed for the page")
			return nil // it comes back, and names the last block it had
		default:
			told(out, b)
		}
		out.settle()
	}
}

// nextWithin waits for changes for a while.
func nextWithin(ctx context.Context, l *listener, wait time.Duration) (batch, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	return l.next(ctx)
}
