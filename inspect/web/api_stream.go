package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"time"
)

// pipe writes an answer piece by piece, each to its reader at once. A reader
// who takes nothing for writeTime is given up.
type pipe struct {
	w       http.ResponseWriter
	control *http.ResponseController
	kind    string
	begun   bool
	buffer  bytes.Buffer
}

// writeTime is how long a piece of a stream may take to be read.
const writeTime = 30 * time.Second

func newPipe(w http.ResponseWriter, kind string) *pipe {
	return &pipe{w: w, control: http.NewResponseController(w), kind: kind}
}

// begin sends the header.
func (s *pipe) begin() error {
	if s.begun {
		return nil
	}
	s.begun = true
	if err := allow(s.control); err != nil {
		return err
	}
	s.w.Header().Set("Content-Type", s.kind)
	s.w.Header().Set("X-Accel-Buffering", "no") // nginx passes it on as it comes
	s.w.WriteHeader(http.StatusOK)
	return s.flush()
}

func (s *pipe) flush() error {
	if err := s.control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}

// write sends what has been put into the buffer.
func (s *pipe) write() error {
	if err := s.begin(); err != nil {
		return err
	}
	defer s.buffer.Reset()
	if err := allow(s.control); err != nil {
		return err
	}
	_, err := s.w.Write(s.buffer.Bytes())
	return err
}

// allow gives the next piece its time. It replaces what the server allows for
// the whole of an answer.
func allow(c *http.ResponseController) error {
	err := c.SetWriteDeadline(time.Now().Add(writeTime))
	if errors.Is(err, http.ErrNotSupported) {
		return nil
	}
	return err
}

// line sends one object of a list. It goes out when there is enough for a
// packet, or at the end.
func (s *pipe) line(v any) error {
	if err := encode(&s.buffer, v); err != nil {
		return err
	}
	return s.write()
}

// event sends one server-sent event. An id is where to go on from when the
// stream breaks; empty leaves it as it was.
func (s *pipe) event(name, id string, v any) error {
	s.buffer.WriteString("event: " + name + "\n")
	if id != "" {
		s.buffer.WriteString("id: " + id + "\n")
	}
	s.buffer.WriteString("data: ")
	if err := encode(&s.buffer, v); err != nil {
		return err
	}
	s.buffer.WriteByte('\n')
	if err := s.write(); err != nil {
		return err
	}
	return s.flush()
}

// beat shows that the stream is alive: a comment, which readers skip, and an
// id when there is one to go on from.
func (s *pipe) beat(id string) error {
	s.buffer.WriteString(": alive\n")
	if id != "" {
		s.buffer.WriteString("id: " + id + "\n")
	}
	s.buffer.WriteByte('\n')
	if err := s.write(); err != nil {
		return err
	}
	return s.flush()
}

// end tells of an error behind what has been sent: by then the status has
// gone. A reader who has left is told nothing.
func (s *pipe) end(r *http.Request, err error) error {
	if r.Context().Err() != nil {
		return nil
	}
	if err == nil {
		return s.begin()
	}
	if !s.begun {
		return err
	}
	p := problemOf(err)
	if s.kind == typeEvents {
		return s.event("error", "", p.object())
	}
	return s.line(p.object())
}

// object is a problem as the API words it.
func (p problem) object() map[string]string {
	return map[string]string{"error": p.title, "advice": p.advice}
}

// encode writes an object and a line end. Mail is full of < and >, which stay
// themselves, as in the output of the commands.
func encode(b *bytes.Buffer, v any) error {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
