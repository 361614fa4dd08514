package capture

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// lines reads a capture line by line, each no longer than a capture's may be.
type lines struct {
	in     *bufio.Reader
	number int   // of the latest line; the first is 1
	start  int64 // where it begins in the file
	next   int64
	long   []byte // memory for a line that the reader's buffer cannot hold
}

func newLines(in io.Reader) *lines { return &lines{in: bufio.NewReaderSize(in, 128<<10)} }

// read returns the next line that is not blank, valid until the next call.
// io.EOF says that there is none.
func (l *lines) read() ([]byte, error) {
	for {
		line, err := l.line()
		if errors.Is(err, io.EOF) && len(line) > 0 {
			err = nil // the last line may lack its end
		}
		if err != nil || !blank(line) {
			return line, err
		}
	}
}

func (l *lines) line() ([]byte, error) {
	l.number++
	l.start = l.next
	line, err := l.in.ReadSlice('\n')
	l.next += int64(len(line))
	if !errors.Is(err, bufio.ErrBufferFull) {
		return line, err
	}
	for l.long = append(l.long[:0], line...); errors.Is(err, bufio.ErrBufferFull); {
		line, err = l.in.ReadSlice('\n')
		l.next += int64(len(line))
		if l.long = append(l.long, line...); len(l.long) > maxLine {
			return nil, fmt.Errorf("it is longer than %d MiB, more than a capture has in a line", maxLine>>20)
		}
	}
	return l.long, err
}

func blank(line []byte) bool {
	for _, c := range line {
		if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return false
		}
	}
	return true
}

// heavy reports whether a line has more in it than a session can have. What
// stands between two quotes does not count.
func heavy(line []byte) bool {
	nested, parts, text := 0, 0, false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '"':
			text = !text
		case text && c == '\\':
			i++
		case text:
		case c == '{' || c == '[':
			nested++
		case c == ',':
			parts++
		}
	}
	return nested > maxNested || parts > maxParts
}
