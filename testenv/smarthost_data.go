package testenv

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
)

var errTooLarge = errors.New("message too large")

// data takes a message that ends with a dot.
func (t *talk) data(ctx context.Context) bool {
	switch {
	case !t.open:
		return t.plain(ctx, "503 5.5.1 Error: need MAIL command")
	case len(t.to) == 0:
		return t.plain(ctx, "554 5.5.1 Error: no valid recipients")
	case t.refuses["data"] != "":
		return t.plain(ctx, t.refuses["data"])
	}
	a, _ := t.host.answer(session.PhaseData)
	if a.give(ctx, t.conn, t.fill()) {
		return true
	}
	if !strings.HasPrefix(a.Reply, "354") {
		return false
	}
	body, err := readDotted(t.r, sandboxMaxBytes)
	return t.finish(ctx, body, err)
}

// chunk takes a BDAT command and its octets (RFC 3030, section 2).
func (t *talk) chunk(ctx context.Context, arg string) bool {
	size, last, ok, huge := wire.Chunk(arg)
	switch {
	case huge:
		_ = t.plain(ctx, "552 5.3.4 Message size exceeds fixed limit")
		return true
	case !ok:
		return t.plain(ctx, "501 5.5.4 Syntax: BDAT count [LAST]")
	case len(t.to) == 0 || int64(len(t.body))+size > sandboxMaxBytes:
		if _, err := io.CopyN(io.Discard, t.r, size); err != nil {
			return true
		}
		return t.plain(ctx, "554 5.5.1 Error: no valid recipients, or message too large")
	}
	body := bytes.NewBuffer(t.body)
	if _, err := io.CopyN(body, t.r, size); err != nil {
		return true
	}
	t.body = body.Bytes()
	if !last {
		return t.plain(ctx, "250 2.0.0 Ok: chunk received")
	}
	return t.finish(ctx, t.body, nil)
}

// finish gives the verdict on a message, and keeps it when it is accepted.
func (t *talk) finish(ctx context.Context, body []byte, err error) bool {
	refused := t.refuses["dot"]
	m := Message{
		ID: t.host.nextID(), Received: time.Now(), Helo: t.helo, User: t.user,
		Secure: t.secure, From: t.from, To: t.to, Data: body,
	}
	t.transaction = transaction{}
	switch {
	case errors.Is(err, errTooLarge):
		return t.plain(ctx, "552 5.3.4 Error: message file too big")
	case err != nil:
		return true
	case refused != "":
		return t.plain(ctx, refused)
	}
	t.id, t.from = m.ID, m.From
	a, _ := t.host.answer(session.PhaseDot)
	if strings.HasPrefix(a.Reply, "2") && t.host.put(m) != nil {
		return t.plain(ctx, "452 4.3.1 Insufficient system storage")
	}
	return a.give(ctx, t.conn, t.fill())
}

// readDotted reads to the end of data, which is CRLF.CRLF and nothing else,
// and takes the stuffed dots away. Beyond limit it reads on and keeps nothing.
func readDotted(r *bufio.Reader, limit int) ([]byte, error) {
	var body bytes.Buffer
	var err error
	start, last := true, byte(0) // at the start of a line; the octet before this part
	for {
		part, broken := r.ReadSlice('\n')
		if broken != nil && !errors.Is(broken, bufio.ErrBufferFull) {
			return nil, broken
		}
		if start && string(part) == ".\r\n" {
			return body.Bytes(), err
		}
		ends := endsLine(part, last)
		last = part[len(part)-1]
		if start && part[0] == '.' {
			part = part[1:]
		}
		start = ends
		if body.Len()+len(part) > limit {
			err = errTooLarge
			continue
		}
		body.Write(part)
	}
}

// endsLine reports whether part, which follows the octet before, ends in CRLF.
func endsLine(part []byte, before byte) bool {
	n := len(part)
	if part[n-1] != '\n' {
		return false
	}
	if n > 1 {
		before = part[n-2]
	}
	return before == '\r'
}
