package replay

import (
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
	errEnds  = errors.New("the body that was kept holds an end of data, or what a lax smarthost takes for one")
)

// content sends message text and the line that ends it.
func (p *player) content(s *spoken) {
	p.flush()
	p.expect(s)
	if p.octets(s, true) {
		p.write([]byte(".\r\n"))
		p.due[len(p.due)-1].sent = time.Now()
	}
}

// octets sends what belongs to one thing said, and reports whether all of it
// went out. Text is watched: an end within it would make the rest commands.
func (p *player) octets(s *spoken, text bool) bool {
	body, err := p.bodyOfMessage(s)
	if err != nil {
		p.abort(s, err)
		return false
	}
	watch := &textWatch{}
	buf := make([]byte, 32<<10)
	for left := s.octets; left > 0; {
		n, err := io.ReadFull(body, buf[:min(left, int64(len(buf)))])
		p.bodyAt += int64(n)
		left -= int64(n)
		switch {
		case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
			p.abort(s, errShort)
			return false
		case err != nil:
			p.abort(s, err)
			return false
		case text && !watch.clean(buf[:n]):
			p.abort(s, errEnds)
			return false
		}
		if !p.write(buf[:n]) {
			return false
		}
	}
	if text && !watch.ended() {
		p.abort(s, errEnds)
		return false
	}
	return true
}

// abort ends the session within a message.
func (p *player) abort(s *spoken, err error) {
	p.giveUp = "the message could not be sent"
	p.broke(fmt.Sprintf("message %d", s.message+1), err)
	p.conn.Close()
}

// bodyOfMessage returns the octets of a message from where a thing said begins.
func (p *player) bodyOfMessage(s *spoken) (io.Reader, error) {
	if s.octets == 0 {
		return nil, nil
	}
	if p.bodyOf != s.message {
		p.closeBody()
		body, err := p.script.recording.Body(p.ctx, s.message)
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
	any  bool
}

// clean reports whether b holds no end.
func (w *textWatch) clean(b []byte) bool {
	for _, c := range b[max(0, len(b)-2):] {
		w.last = [2]byte{w.last[1], c}
	}
	w.any = w.any || len(b) > 0
	w.left = append(w.left, b...)
	n, verdict := w.data.Scan(w.left)
	w.left = append(w.left[:0], w.left[n:]...)
	return verdict == wire.More
}

// ended reports whether the text is at the end of a line, so that the dot
// behind it ends it.
func (w *textWatch) ended() bool { return !w.any || w.last == [2]byte{'\r', '\n'} }
