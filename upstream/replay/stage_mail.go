package replay

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"smtp-proxy/proxy/wire"
)

// message takes what follows DATA, and gives the verdict.
func (t *talk) message(ctx context.Context) bool {
	q := t.at.moment(".", "")
	a := t.find(q)
	taken := Taken{Helo: t.helo, User: t.user, From: t.from, To: t.at.to, Secure: t.at.secure}
	if a.octets > 0 {
		return t.leaveInMessage(ctx, a)
	}
	if a.early && !t.perform(ctx, a) {
		return false
	}
	body := &keeper{keeps: t.stage.o.keeps() && a.code/100 == 2}
	if err := t.dotted(body); err != nil {
		return false
	}
	t.at.advance(q, a.code)
	if a.code/100 == 2 && !t.kept(taken, body) {
		a = madeUp(notKept)
	}
	return a.early || t.perform(ctx, a)
}

// notKept is the reply where a message cannot be put where its owner wants it.
const notKept = "452 4.3.1 smtp-proxy: the message could not be kept"

func (o *StageOptions) keeps() bool { return o.Keep != nil && !o.Unread }

// kept counts and keeps a message that is about to be accepted.
func (t *talk) kept(m Taken, body *keeper) bool {
	m.Octets, m.Data, m.Cut = body.size, body.b.Bytes(), body.cut
	return t.stage.accepts(m)
}

// leaveInMessage goes where the smarthost went.
func (t *talk) leaveInMessage(ctx context.Context, a *answer) bool {
	_ = t.conn.SetReadDeadline(time.Now().Add(stageIdle))
	// The app may have less to say: then it meets the end behind its dot, or
	// the silence.
	if err := t.dotted(&keeper{most: a.octets}); err != nil && !errors.Is(err, errEnough) {
		return false
	}
	return t.perform(ctx, a)
}

// keeper holds what is kept of a message.
type keeper struct {
	b     bytes.Buffer
	keeps bool
	cut   bool
	size  int64 // octets of the message, those included that are not kept

	read, most int64 // octets read, and after how many to stop; 0 for no such number
}

var errEnough = errors.New("so much was taken of the message")

func (k *keeper) Write(line []byte) (int, error) {
	k.size += int64(len(line))
	switch {
	case !k.keeps:
	case k.b.Len()+len(line) > stageMessage:
		k.cut = true
	default:
		k.b.Write(line)
	}
	return len(line), nil
}

func (k *keeper) count(n int) error {
	k.read += int64(n)
	if k.most > 0 && k.read >= k.most {
		return errEnough
	}
	return nil
}

// dotted reads to CRLF.CRLF, which alone ends a message, and takes the doubled
// dots away.
func (t *talk) dotted(k *keeper) error {
	start, last := true, byte(0) // at the start of a line; the octet before this part
	for {
		_ = t.conn.SetReadDeadline(time.Now().Add(stageIdle))
		part, err := t.r.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
		if start && string(part) == ".\r\n" {
			return nil
		}
		ends := bytes.HasSuffix(part, []byte("\r\n")) || len(part) == 1 && part[0] == '\n' && last == '\r'
		last = part[len(part)-1]
		if err := k.count(len(part)); err != nil {
			return err
		}
		if start && part[0] == '.' {
			part = part[1:]
		}
		start = ends
		_, _ = k.Write(part)
	}
}

// chunk takes BDAT and its octets (RFC 3030, section 2).
func (t *talk) chunk(ctx context.Context, arg string) bool {
	size, last, ok, huge := wire.Chunk(arg)
	switch {
	case huge:
		t.deviate("a BDAT of more octets than can be counted")
		_ = t.write("552 5.3.4 Too large")
		return false
	case !ok:
		t.deviate("a BDAT whose argument is none")
		return t.write("501 5.5.4 BDAT takes a number of octets, and LAST") == nil
	}
	q := t.at.moment("BDAT", "BDAT "+arg)
	if t.chunks == nil {
		t.chunks = &keeper{keeps: t.stage.o.keeps()}
	}
	if !t.octets(t.chunks, size) {
		return false
	}
	taken := Taken{Helo: t.helo, User: t.user, From: t.from, To: t.at.to, Secure: t.at.secure}
	a, body := t.find(q), t.chunks
	t.at.advance(q, a.code)
	if last || a.code/100 != 2 {
		t.chunks = nil
	}
	if last && a.code/100 == 2 && !t.kept(taken, body) {
		a = madeUp(notKept)
	}
	return t.perform(ctx, a)
}

// octets reads as many as were announced.
func (t *talk) octets(w io.Writer, n int64) bool {
	for n > 0 {
		_ = t.conn.SetReadDeadline(time.Now().Add(stageIdle))
		got, err := io.CopyN(w, t.r, min(n, stageLine))
		if err != nil {
			return false
		}
		n -= got
	}
	return true
}
