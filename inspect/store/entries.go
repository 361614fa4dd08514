package store

import (
	"encoding/binary"
	"time"

	"smtp-proxy/proxy/session"
)

// How an entry is written, one behind the other:
//
//	flags  leg, origin, own, secure, edit, whether reply and facts follow
//	seq    uvarint
//	at     varint, nanoseconds since the entry before (the first: since 1970)
//	kind, phase, verb, odd   words
//	code   uvarint, and the enhanced code: a string    if it is a reply
//	text   string
//	bytes  varint
//	wait   varint, nanoseconds
//	facts  the handshake's length (varint, nanoseconds), the handshake as JSON
//	       or nothing, the other facts (facts.go)       if there are any
//
// A word is its number in the list of known words, or 0 and a string.

const (
	flagUpstream = 1 << iota
	flagFromUpstream
	flagFromProxy
	flagOwn
	flagSecure
	flagEdit
	flagReply
	flagFacts
)

// knownWords are numbered by their place from 1. Records refer to the numbers,
// so new words go to the end and none is ever moved.
func knownWords() []string {
	return []string{"",
		"open", "greeting", "command", "reply", "auth", "tls", "data", "close", "error", "probe", "note",
		"connect", "helo", "mail", "rcpt", "dot", "quit",
		"EHLO", "HELO", "LHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", ".", "BDAT", "RSET", "NOOP", "QUIT", "VRFY", "HELP", "TLS",
	}
}

// entryCodec writes and reads entries.
type entryCodec struct {
	words      []string
	numbers    map[string]byte
	handshakes handshakes
	scratch    []byte
}

func newEntryCodec() *entryCodec {
	c := &entryCodec{words: knownWords(), numbers: map[string]byte{}}
	for i, w := range c.words {
		c.numbers[w] = byte(i + 1)
	}
	return c
}

// append writes an entry behind b; last is the time of the entry before it.
func (c *entryCodec) append(b []byte, e *session.Entry, last int64) ([]byte, error) {
	flags := flagsOf(e)
	b = append(b, flags)
	b = binary.AppendUvarint(b, uint64(e.Seq))
	b = binary.AppendVarint(b, e.At.UnixNano()-last)
	b = c.word(b, string(e.Kind))
	b = c.word(b, string(e.Phase))
	b = c.word(b, e.Verb)
	b = c.word(b, string(e.Odd))
	if flags&flagReply != 0 {
		b = binary.AppendUvarint(b, uint64(e.Code))
		b = appendString(b, e.Enhanced)
	}
	b = appendString(b, e.Text)
	b = binary.AppendVarint(b, e.Bytes)
	b = binary.AppendVarint(b, int64(e.Wait))
	if flags&flagFacts == 0 {
		return b, nil
	}
	return c.facts(b, e)
}

func flagsOf(e *session.Entry) byte {
	var f byte
	set := func(bit byte, on bool) {
		if on {
			f |= bit
		}
	}
	set(flagUpstream, e.Leg == session.Upstream)
	set(flagFromUpstream, e.From == session.FromUpstream)
	set(flagFromProxy, e.From == session.FromProxy)
	set(flagOwn, e.Own)
	set(flagSecure, e.Secure)
	set(flagEdit, e.Edit)
	set(flagReply, e.Code != 0 || e.Enhanced != "")
	set(flagFacts, e.Lookup != nil || e.Dial != nil || e.TLS != nil || e.Auth != nil || e.Fault != nil ||
		e.TCP != nil || e.Silent != nil || e.Probe != nil)
	return f
}

func (c *entryCodec) word(b []byte, w string) []byte {
	if w == "" { // the first of them, and the most frequent
		return append(b, 1)
	}
	if n, ok := c.numbers[w]; ok {
		return append(b, n)
	}
	return appendString(append(b, 0), w)
}

// read yields the entries of a piece.
func (c *entryCodec) read(b []byte, yield func(*session.Entry) error) error {
	in := coder{b: b}
	var last int64
	for len(in.b) > 0 {
		e, err := c.entry(&in, last)
		if err != nil {
			return err
		}
		last = e.At.UnixNano()
		if err := yield(e); err != nil {
			return err
		}
	}
	return nil
}

func (c *entryCodec) entry(in *coder, last int64) (*session.Entry, error) {
	flags := in.byte()
	e := &session.Entry{
		Own: flags&flagOwn != 0, Secure: flags&flagSecure != 0, Edit: flags&flagEdit != 0,
		Seq: int(in.uint()), At: time.Unix(0, last+in.int()).UTC(),
		Kind: session.Kind(c.readWord(in)), Phase: session.Phase(c.readWord(in)),
		Verb: c.readWord(in), Odd: session.Oddity(c.readWord(in)),
	}
	if flags&flagUpstream != 0 {
		e.Leg = session.Upstream
	}
	switch {
	case flags&flagFromUpstream != 0:
		e.From = session.FromUpstream
	case flags&flagFromProxy != 0:
		e.From = session.FromProxy
	}
	if flags&flagReply != 0 {
		e.Code, e.Enhanced = int(in.uint()), in.string()
	}
	e.Text, e.Bytes, e.Wait = in.string(), in.int(), time.Duration(in.int())
	if flags&flagFacts != 0 {
		c.readFacts(in, e)
	}
	return e, in.err
}

func (c *entryCodec) readWord(in *coder) string {
	n := int(in.byte())
	switch {
	case n == 0 && in.err == nil:
		return in.string()
	case n > len(c.words):
		in.fail()
		return ""
	case n == 0:
		return ""
	}
	return c.words[n-1]
}
