package web

import (
	"bufio"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestUndotted(t *testing.T) {
	for in, want := range map[string]string{
		"":                      "",
		"a\r\n..\r\nb\r\n":      "a\r\n.\r\nb\r\n",
		"..a\r\n...b\r\n":       ".a\r\n..b\r\n",
		"a\n..b\r..c\r\n.d":     "a\n..b\r..c\r\nd",
		"a.\r\n.\r\n..":         "a.\r\n\r\n.",
		"\r\n.\r\n":             "\r\n\r\n",
		strings.Repeat("..", 5): strings.Repeat(".", 9),
	} {
		for name, slow := range map[string]func(io.Reader) io.Reader{"at once": func(r io.Reader) io.Reader { return r }, "octet by octet": iotest.OneByteReader} {
			u := &undotted{in: bufio.NewReaderSize(slow(strings.NewReader(in)), 16), body: io.NopCloser(nil), fresh: true}
			if got, err := io.ReadAll(u); string(got) != want || err != nil {
				t.Errorf("%q %s: got %q %v, want %q", in, name, got, err, want)
			}
		}
	}
}
