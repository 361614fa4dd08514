package wire

import (
	"bytes"
	"testing"
)

func TestParseCommand(t *testing.T) {
	tests := []struct{ in, verb, arg string }{
		{"MAIL FROM:<a@b> SIZE=1\r\n", "MAIL", "FROM:<a@b> SIZE=1"},
		{"mail from:<a@b>", "MAIL", "from:<a@b>"},
		{"  QUIT\r\n", "QUIT", ""},
		{"AUTH\tPLAIN x\r\n", "AUTH", "PLAIN x"},
		{"StartTLS\r\n", "STARTTLS", ""},
		{"STARTTLS\n\r\n", "STARTTLS\n", ""},
		{"NOOP\nSTARTTLS\r\n", "NOOP\nSTARTTLS", ""},
		{"\r\n", "", ""},
	}
	for _, tt := range tests {
		if got := ParseCommand([]byte(tt.in)); got.Verb != tt.verb || got.Arg != tt.arg {
			t.Errorf("ParseCommand(%q) = %q, want %q %q", tt.in, got, tt.verb, tt.arg)
		}
	}
}

func TestChunk(t *testing.T) {
	tests := []struct {
		arg            string
		size           int64
		last, ok, huge bool
	}{
		{"5", 5, false, true, false},
		{"5 LAST", 5, true, true, false},
		{"0 last", 0, true, true, false},
		{" 12  LAST ", 12, true, true, false},
		{"", 0, false, false, false},
		{"-1", 0, false, false, false},
		{"+1", 0, false, false, false},
		{"5 FIRST", 0, false, false, false},
		{"99999999999999999999", 0, false, false, true},
	}
	for _, tt := range tests {
		size, last, ok, huge := Chunk(tt.arg)
		if size != tt.size || last != tt.last || ok != tt.ok || huge != tt.huge {
			t.Errorf("Chunk(%q) = %d, %v, %v, %v; want %d, %v, %v, %v", tt.arg, size, last, ok, huge, tt.size, tt.last, tt.ok, tt.huge)
		}
	}
}

func TestLooksLike(t *testing.T) {
	http := map[string]bool{
		"GET / HTTP/1.1": true, "POST /x HTTP/1.0": true, "CONNECT a:25 HTTP/1.1": true, "PRI * HTTP/2.0": true,
		"GET": false, "GETX / HTTP/1.1": false, "EHLO a": false, "get / http/1.1": false, "HEAD ": false,
	}
	for line, want := range http {
		if got := LooksLikeHTTP([]byte(line)); got != want {
			t.Errorf("LooksLikeHTTP(%q) = %v, want %v", line, got, want)
		}
	}
	if !LooksLikeTLS([]byte{0x16, 3, 1, 2}) || !LooksLikeTLS([]byte{0x15, 3}) || LooksLikeTLS([]byte("EHLO")) || LooksLikeTLS([]byte{0x16}) {
		t.Error("a TLS record was not told from text")
	}
}

// FuzzCommandEnd checks that a command line ends at the first CRLF and at
// nothing else.
func FuzzCommandEnd(f *testing.F) {
	for _, s := range []string{"NOOP\r\nQUIT\r\n", "a\nb\r\n", "a\r\r\n", "\n\r", "\r\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		want := bytes.Index(b, []byte("\r\n"))
		if want >= 0 {
			want += 2
		} else {
			want = 0
		}
		if got := CommandEnd(b); got != want {
			t.Errorf("CommandEnd(%q) = %d, want %d", b, got, want)
		}
		if want > 0 {
			lf, cr, nul := Newlines(TrimCRLF(b[:want]))
			line := b[:want-2]
			if lf != (bytes.IndexByte(line, '\n') >= 0) || nul != (bytes.IndexByte(line, 0) >= 0) || cr != (bytes.IndexByte(line, '\r') >= 0) {
				t.Errorf("Newlines(%q) = %v, %v, %v", line, lf, cr, nul)
			}
		}
	})
}
