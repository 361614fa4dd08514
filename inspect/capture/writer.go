package capture

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"smtp-proxy/inspect"
)

// ErrNoBody says that there are no octets of a message.
var ErrNoBody = errors.New("no octets of the message")

// Body opens the octets of a message as they were sent; 0 is the first. The
// error is [ErrNoBody] when there are none.
type Body func(ctx context.Context, message int) (io.ReadCloser, error)

// Writer writes captures. It holds one session and one piece of a message in
// memory.
type Writer struct {
	out *bufio.Writer
	by  string
}

// NewWriter returns a writer of captures; by names the program that writes.
func NewWriter(w io.Writer, by string) *Writer {
	return &Writer{out: bufio.NewWriterSize(w, 64<<10), by: by}
}

// Write writes a session with its events and the octets of its messages, which
// a nil body leaves out. The session is the reader's again as it was, down to
// the nanosecond.
func (w *Writer) Write(ctx context.Context, s *inspect.Session, body Body) error {
	line, err := w.session(s)
	if err != nil {
		return fmt.Errorf("session %s: %w", s.ID, err)
	}
	w.out.Write(line) // its error is Flush's
	end := endLine{Session: s.ID, Bodies: []Content{}}
	for message := range len(s.Messages) + s.Omitted {
		if body == nil {
			break
		}
		c, err := w.message(ctx, s.ID, message, body)
		if err != nil {
			return errors.Join(fmt.Errorf("message %d of session %s: %w", message+1, s.ID, err), w.out.Flush())
		}
		if c != nil {
			end.Bodies = append(end.Bodies, *c)
		}
	}
	if err := json.NewEncoder(w.out).Encode(map[string]endLine{"end": end}); err != nil {
		return err
	}
	return w.out.Flush()
}

// message writes the octets of a message, if there are any.
func (w *Writer) message(ctx context.Context, id string, message int, body Body) (*Content, error) {
	in, err := body(ctx, message)
	if errors.Is(err, ErrNoBody) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	c := &Content{Message: message}
	return c, errors.Join(w.pieces(ctx, id, c, in), in.Close())
}

// session returns the line that begins a session: its object, with one member
// more at its end.
func (w *Writer) session(s *inspect.Session) ([]byte, error) {
	large := fmt.Errorf("with %d events and %d messages it is too large for a capture, which holds %d MiB of a session",
		len(s.Events), len(s.Messages), maxLine>>20)
	if len(s.Events)+2*len(s.Messages) > maxNested {
		return nil, large
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return nil, err
	}
	b.Truncate(b.Len() - len("}\n"))
	b.WriteString(`,"capture":`)
	if err := e.Encode(mark{Version, w.by, exactOf(s)}); err != nil {
		return nil, err
	}
	b.Truncate(b.Len() - len("\n"))
	b.WriteString("}\n")
	if b.Len() > maxLine || heavy(b.Bytes()) {
		return nil, large
	}
	return b.Bytes(), nil
}

func (w *Writer) pieces(ctx context.Context, id string, c *Content, in io.Reader) error {
	sum := sha256.New()
	for piece := make([]byte, maxPiece); ctx.Err() == nil; {
		n, err := io.ReadFull(in, piece)
		if n > 0 || c.Octets == 0 && errors.Is(err, io.EOF) {
			w.piece(id, c.Message, c.Octets, piece[:n])
			sum.Write(piece[:n])
			c.Octets += int64(n)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			c.SHA256 = hex.EncodeToString(sum.Sum(nil))
			return nil
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// piece writes what [bodyLine] is, without encoding/json: nothing in it needs
// to be escaped but the session's name.
func (w *Writer) piece(id string, message int, offset int64, data []byte) {
	name, _ := json.Marshal(id) // a string never fails
	fmt.Fprintf(w.out, `{"body":{"session":%s,"message":%d,"offset":%d,"data":"`, name, message, offset)
	b64 := base64.NewEncoder(base64.StdEncoding, w.out)
	b64.Write(data)
	b64.Close()
	io.WriteString(w.out, "\"}}\n")
}
