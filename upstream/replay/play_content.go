package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"smtp-proxy/proxy/wire"
)

// The errors of a body that is not what the record says. Nothing is delivered
// then: its end is not sent.
var (
	errShort = errors.New("the body that was kept is shorter than the record says")
	errEnds  = errors.New("the body that was kept holds an end of data, or has none of its own")
)

// endOfData is the line that ends message text.
var endOfData = []byte(".\r\n")

// content sends message text and the line that ends it.
func (p *player) content(ctx context.Context, s *spoken) {
	p.flush()
	p.expect(s)
	// Leave to deliver is leave to pass on what passed.
	watch := &textWatch{lax: len(p.options.To) == 0}
	if s.octets > 0 {
		p.state.text = !p.octets(ctx, s, watch)
	} else {
		p.state.text = !p.write(endOfData)
	}
	p.due[len(p.due)-1].sent = time.Now()
}

// octets sends what belongs to one thing said. Text is watched: an end within
// it would make the rest commands. Its own end leaves with the last of it. all
// reports that everything went out.
func (p *player) octets(ctx context.Context, s *spoken, watch *textWatch) (all bool) {
	if s.octets == 0 {
		return true
	}
	body, err := p.bodyOfMessage(ctx, s)
	if err != nil {
		p.abort(s, err)
		return false
	}
	const most = 32 << 10
	buf := make([]byte, min(s.octets, most), most+len(endOfData))
	for left := s.octets; left > 0; {
		piece, err := p.piece(body, buf[:min(left, int64(len(buf)))])
		left -= int64(len(piece))
		if err == nil && watch != nil {
			err = watch.check(piece, left == 0)
		}
		if err != nil {
			p.abort(s, err)
			return false
		}
		if watch != nil && left == 0 {
			piece = append(piece, endOfData...)
		}
		if !p.write(piece) {
			return false
		}
	}
	return true
}

// piece fills b from the body.
func (p *player) piece(body io.Reader, b []byte) ([]byte, error) {
	n, err := io.ReadFull(body, b)
	p.bodyAt += int64(n)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errShort
	}
	return b[:n], err
}

// abort ends the session within a message.
func (p *player) abort(s *spoken, err error) {
	p.giveUp = "the message could not be sent"
	p.broke(fmt.Sprintf("message %d", s.message+1), err)
	p.conn.Close()
}

// bodyOfMessage returns the octets of a message from where a thing said begins.
func (p *player) bodyOfMessage(ctx context.Context, s *spoken) (io.Reader, error) {
	if p.bodyOf != s.message {
		p.closeBody()
		body, err := p.script.recording.Body(ctx, s.message)
		if err != nil {
			return nil, err
		}
		p.body, p.bodyOf, p.bodyAt = body, s.message, 0
	}
	n, err := io.CopyN(io.Discard, p.body, max(0, s.skip-p.bodyAt))
	p.bodyAt += n
	if errors.Is(err, io.EOF) {
		err = errShort
	}
	return p.body, err
}

func (p *player) closeBody() {
	if p.body != nil {
		_ = p.body.Close()
	}
	p.body, p.bodyOf = nil, -1
}

// textWatch looks for an end of data in message text that is sent.
type textWatch struct {
	data wire.Data
	left []byte // not judged yet
	last [2]byte
	lax  bool // what only a lax smarthost takes for the end may pass
}

// check refuses an end within b and, of the last of the text, a line that has
// none, behind which the dot would be text.
func (w *textWatch) check(b []byte, last bool) error {
	if !w.clean(b) || last && w.last != [2]byte{'\r', '\n'} {
		return errEnds
	}
	return nil
}

// clean reports whether b holds no end.
func (w *textWatch) clean(b []byte) bool {
	for _, c := range b[max(0, len(b)-2):] {
		w.last = [2]byte{w.last[1], c}
	}
	w.left = append(w.left, b...)
	n, verdict := w.data.Scan(w.left)
	for verdict == wire.Ambiguous && w.lax {
		w.data.Pass()
		var more int
		n++
		more, verdict = w.data.Scan(w.left[n:])
		n += more
	}
	w.left = append(w.left[:0], w.left[n:]...)
	return verdict == wire.More
}
