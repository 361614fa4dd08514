package wire

import (
	"errors"
	"fmt"
)

// errMessage is the end of a message where more was due, or more of it than
// its lengths say.
var errMessage = errors.New("the lengths in it do not add up")

// cursor reads the vectors of a TLS message in order. Once something does not
// fit it stays bad and yields nothing more, so that a parser looks at the end
// only.
type cursor struct {
	b   []byte
	bad bool
}

// take returns the next n octets, without a copy.
func (c *cursor) take(n int) []byte {
	if c.bad || n > len(c.b) {
		c.b, c.bad = nil, true
		return nil
	}
	head := c.b[:n]
	c.b = c.b[n:]
	return head
}

// uint returns the next n octets as a number, most significant first; n is at
// most 3, the widest that a handshake message has.
func (c *cursor) uint(n int) int {
	v := 0
	for _, o := range c.take(n) {
		v = v<<8 | int(o)
	}
	return v
}

func (c *cursor) uint16() uint16 { return uint16(c.uint(2)) }

// vector returns what follows a length of n octets.
func (c *cursor) vector(n int) []byte { return c.take(c.uint(n)) }

// list returns a vector of 16-bit values behind a length of n octets, without
// GREASE.
func (c *cursor) list(n int) []uint16 {
	b := c.vector(n)
	if len(b)%2 != 0 {
		c.bad = true
	}
	if c.bad {
		return nil
	}
	ids := make([]uint16, 0, len(b)/2)
	for ; len(b) > 0; b = b[2:] {
		if id := uint16(b[0])<<8 | uint16(b[1]); !grease(id) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return ids
}

// ended reports whether all was read and all of it fitted.
func (c *cursor) ended() bool { return !c.bad && len(c.b) == 0 }

// extensions hands each extension of the block that ends a hello to read, and
// returns their types in order, without GREASE. A hello may end without a
// block at all (RFC 5246, section 7.4.1.2). Nothing may follow it.
func (c *cursor) extensions(read func(kind uint16, body *cursor) bool) ([]uint16, error) {
	if c.ended() {
		return nil, nil
	}
	block := cursor{b: c.vector(2)}
	var kinds []uint16
	for len(block.b) > 0 {
		kind, body := block.uint16(), cursor{b: block.vector(2)}
		if block.bad {
			break
		}
		if grease(kind) {
			continue
		}
		if !read(kind, &body) {
			return nil, fmt.Errorf("extension %d: %w", kind, errMessage)
		}
		kinds = append(kinds, kind)
	}
	if !c.ended() || !block.ended() {
		return nil, errMessage
	}
	return kinds, nil
}
