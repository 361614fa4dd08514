package inspect

import (
	"bufio"
	"io"
)

// Undotted reads a message that was sent with DATA as the app composed it: less
// the dot in front of each line that begins with one (RFC 5321, section 4.5.2).
// Lines end with CRLF only: behind any other newline a dot is part of the text.
func Undotted(sent io.Reader) io.Reader {
	return &undotted{in: bufio.NewReaderSize(sent, 32<<10), fresh: true}
}

type undotted struct {
	in    *bufio.Reader
	fresh bool // at the beginning of a line
	last  byte
}

func (u *undotted) Read(to []byte) (n int, err error) {
	for n < len(to) {
		if n > 0 && u.in.Buffered() == 0 {
			return n, nil // what is there should not wait for what is not
		}
		c, err := u.in.ReadByte()
		if err != nil {
			return n, err
		}
		if !u.fresh || c != '.' {
			to[n] = c
			n++
		}
		u.fresh = u.last == '\r' && c == '\n'
		u.last = c
	}
	return n, nil
}
