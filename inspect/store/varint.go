package store

import (
	"encoding/binary"
	"errors"
)

// errCoding says that stored bytes are not what they should be.
var errCoding = errors.New("the record is damaged here")

// coder reads the numbers and strings of a piece, in the order in which they
// were appended. After the first mistake it returns zeros; err says so.
type coder struct {
	b   []byte
	err error
}

func (c *coder) fail() {
	c.b, c.err = nil, errCoding
}

func (c *coder) byte() byte {
	if len(c.b) == 0 {
		c.fail()
		return 0
	}
	v := c.b[0]
	c.b = c.b[1:]
	return v
}

func (c *coder) uint() uint64 {
	v, n := binary.Uvarint(c.b)
	if n <= 0 {
		c.fail()
		return 0
	}
	c.b = c.b[n:]
	return v
}

func (c *coder) int() int64 {
	v, n := binary.Varint(c.b)
	if n <= 0 {
		c.fail()
		return 0
	}
	c.b = c.b[n:]
	return v
}

// bytes returns a slice of what is being read, never more than there is.
func (c *coder) bytes() []byte {
	n := c.uint()
	if n > uint64(len(c.b)) {
		c.fail()
		return nil
	}
	v := c.b[:n]
	c.b = c.b[n:]
	return v
}

func (c *coder) string() string { return string(c.bytes()) }

func appendString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

func appendBytes(b, v []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(v)))
	return append(b, v...)
}
