package inspect

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestUndotted(t *testing.T) {
	for in, want := range map[string]string{
		"":                             "",
		"a\r\n..\r\nb\r\n":             "a\r\n.\r\nb\r\n",
		"..a\r\n...b\r\nc.\r\n.":       ".a\r\n..b\r\nc.\r\n",
		"a\n..b\r..c\r\n.d":            "a\n..b\r..c\r\nd",
		"a\n.b\r.c\r\n\r\n..d":         "a\n.b\r.c\r\n\r\n.d",
		"a\r\r\n..b\r\n":               "a\r\r\n.b\r\n",
		"a.\r\n.\r\n..":                "a.\r\n\r\n.",
		"Subject: x\r\n\r\n..\r\n\r\n": "Subject: x\r\n\r\n.\r\n\r\n",
		strings.Repeat("..", 5):        strings.Repeat(".", 9),
	} {
		for name, slow := range map[string]func(io.Reader) io.Reader{"at once": func(r io.Reader) io.Reader { return r }, "octet by octet": iotest.OneByteReader} {
			if got, err := io.ReadAll(Undotted(slow(strings.NewReader(in)))); string(got) != want || err != nil {
				t.Errorf("%q %s: got %q %v, want %q", in, name, got, err, want)
			}
		}
	}
	if _, err := io.ReadAll(Undotted(iotest.ErrReader(io.ErrClosedPipe))); err == nil {
		t.Error("of what cannot be read: got no error, want it")
	}
}

// FuzzUndotted wants back what was stuffed.
func FuzzUndotted(f *testing.F) {
	f.Add("a\r\n.b\r\n..\r\n.")
	f.Add(".\n.\r.\r\n.")
	f.Fuzz(func(t *testing.T, text string) {
		stuffed := strings.ReplaceAll(text, "\r\n.", "\r\n..")
		if strings.HasPrefix(text, ".") {
			stuffed = "." + stuffed
		}
		if got, err := io.ReadAll(Undotted(strings.NewReader(stuffed))); err != nil || string(got) != text {
			t.Errorf("Undotted(%q) = %q, %v, want %q", stuffed, got, err, text)
		}
	})
}
