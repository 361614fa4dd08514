package capture

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"time"

	"smtp-proxy/inspect"
)

// Reader reads captures one behind the other. It holds one session and one
// line in memory.
type Reader struct {
	lines *lines
	now   time.Time

	under    *Capture // the session whose end has not been read; nil between sessions
	contents []Content
	sum      hash.Hash // of the last of them
	octets   []byte    // memory for a piece
}

// NewReader returns a reader of captures; now is the moment behind which no
// session can have begun.
func NewReader(in io.Reader, now time.Time) *Reader {
	return &Reader{lines: newLines(in), now: now, sum: sha256.New()}
}

// Next returns the next session, having read the one before to its end. io.EOF
// says that there are no more, and that the last one was whole.
func (r *Reader) Next() (*Capture, error) {
	for r.under != nil {
		if _, err := r.Piece(); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
	}
	line, err := r.lines.read()
	if errors.Is(err, io.EOF) {
		return nil, err
	}
	if err != nil {
		return nil, r.at(err)
	}
	c, err := r.begin(line)
	return c, r.at(err)
}

// at names the line that an error belongs to.
func (r *Reader) at(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("line %d: %w", r.lines.number, err)
}

func (r *Reader) begin(line []byte) (*Capture, error) {
	one, err := bounded(line)
	switch {
	case err != nil:
		return nil, err
	case one.ID == "" && (one.Body != nil || one.End != nil):
		return nil, errors.New("it belongs to a session that is not in front of it: the beginning of the file is missing")
	case one.ID == "":
		return nil, errors.New("it is no session: smtp-proxy export --format json writes files that are read here")
	case one.Mark != nil && one.Mark.Version != Version:
		return nil, fmt.Errorf("the capture is of version %d, and this smtp-proxy reads version %d: read it with the smtp-proxy that wrote it, %.60q, or a newer one", one.Mark.Version, Version, one.Mark.By)
	}
	c := &Capture{Session: new(inspect.Session), Line: r.lines.number}
	if err := json.Unmarshal(line, c.Session); err != nil {
		return nil, wrong(err)
	}
	r.contents = nil
	if one.Mark != nil {
		c.By = one.Mark.By
		one.Mark.Exact.refine(c.Session)
		r.under, r.contents = c, []Content{}
	}
	if err := check(c.Session, r.now); err != nil {
		r.under = nil
		return nil, fmt.Errorf("session %s: %w", inspectable(c.Session.ID), err)
	}
	return c, nil
}

// inspectable is an id that may be no more than a stranger's words.
func inspectable(id string) string {
	if sane(id) {
		return id
	}
	return fmt.Sprintf("%.40q", id)
}

// bounded reads a line that is no more work than a capture's may be.
func bounded(line []byte) (one anyLine, err error) {
	if heavy(line) {
		return one, errors.New("it has more objects, lists or members than a session can have")
	}
	if err := json.Unmarshal(line, &one); err != nil {
		return one, wrong(err)
	}
	return one, nil
}

// wrong says what to do about what is no JSON.
func wrong(err error) error {
	return fmt.Errorf("it is no object of a capture, or was damaged (%w): a capture has one JSON object a line", err)
}

// Piece is some octets of a message.
type Piece struct {
	Message int
	Offset  int64  // in the message
	Data    []byte // valid until the next call
	place   int64  // of the line in the file
}

// Piece returns the next octets of the session's messages. io.EOF says that it
// was whole, and Contents what came with it.
func (r *Reader) Piece() (Piece, error) {
	if r.under == nil {
		return Piece{}, io.EOF
	}
	p, err := r.piece()
	if err != nil {
		r.under = nil // whatever stands behind a damaged line, it is not this session
	}
	return p, err
}

func (r *Reader) piece() (Piece, error) {
	line, err := r.lines.read()
	if errors.Is(err, io.EOF) {
		return Piece{}, fmt.Errorf("line %d: the file ends in the middle of session %s: it was cut short", r.lines.number, r.under.Session.ID)
	}
	if err != nil {
		return Piece{}, r.at(err)
	}
	one, err := r.part(line)
	switch {
	case err != nil:
	case one.ID != "":
		err = fmt.Errorf("a session begins here, and session %s in front of it has no end", r.under.Session.ID)
	case one.Body != nil:
		err = r.more(one.Body)
	case one.End != nil:
		if err = r.end(one.End); err == nil {
			return Piece{}, io.EOF
		}
	default:
		err = errors.New("it is neither a session nor a part of one")
	}
	if err != nil {
		return Piece{}, r.at(err)
	}
	return Piece{one.Body.Message, one.Body.Offset, one.Body.Data, r.lines.start}, nil
}

// part reads a line that belongs to a session.
func (r *Reader) part(line []byte) (anyLine, error) {
	if b, ok := quick(line, r.octets[:0]); ok {
		r.octets = b.Data
		return anyLine{Body: &b}, nil
	}
	return bounded(line)
}

// more takes octets that must follow those before.
func (r *Reader) more(b *bodyLine) error {
	s := r.under.Session
	last := len(r.contents) - 1
	switch {
	case b.Session != s.ID:
		return fmt.Errorf("it has octets of another session than %s", s.ID)
	case len(b.Data) > maxPiece:
		return fmt.Errorf("it has %d octets of a message, more than the %d of a line", len(b.Data), maxPiece)
	case b.Message < 0 || b.Message >= len(s.Messages)+s.Omitted:
		return fmt.Errorf("it has octets of message %d, and session %s has %d messages", b.Message, s.ID, len(s.Messages)+s.Omitted)
	case last >= 0 && b.Message < r.contents[last].Message:
		return fmt.Errorf("message %d stands behind message %d", b.Message, r.contents[last].Message)
	}
	if last < 0 || b.Message != r.contents[last].Message {
		r.settle()
		r.contents = append(r.contents, Content{Message: b.Message})
		last++
	}
	if c := &r.contents[last]; b.Offset != c.Octets {
		return fmt.Errorf("message %d goes on at octet %d, and %d came before: octets are missing, or stand there twice", b.Message, b.Offset, c.Octets)
	}
	r.sum.Write(b.Data)
	r.contents[last].Octets += int64(len(b.Data))
	return nil
}

// settle completes what is known of the message under way.
func (r *Reader) settle() {
	if last := len(r.contents) - 1; last >= 0 {
		r.contents[last].SHA256 = hex.EncodeToString(r.sum.Sum(nil))
	}
	r.sum.Reset()
}

// end compares what came with what the writer had.
func (r *Reader) end(e *endLine) error {
	r.settle()
	if e.Session != r.under.Session.ID {
		return fmt.Errorf("it ends another session than %s", r.under.Session.ID)
	}
	if !slices.Equal(e.Bodies, r.contents) {
		return fmt.Errorf("the messages of session %s are not those that were written: octets are missing or were changed", r.under.Session.ID)
	}
	return nil
}

// Contents says which messages came with the session that was read to its end;
// nil for an object that is no more than a session.
func (r *Reader) Contents() []Content { return r.contents }
