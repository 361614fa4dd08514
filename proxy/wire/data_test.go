package wire

import (
	"bytes"
	"strings"
	"testing"
)

// scanAll feeds a message in pieces of the given size, as the machine does,
// and returns what was taken for the message, the verdict and what was left.
func scanAll(d *Data, in []byte, step int) (body []byte, v Verdict, rest []byte) {
	var held []byte
	for len(in) > 0 {
		k := min(step, len(in))
		held = append(held, in[:k]...)
		in = in[k:]
		n, v := d.Scan(held)
		body = append(body, held[:n]...)
		held = append([]byte(nil), held[n:]...)
		if v != More {
			return body, v, append(held, in...)
		}
	}
	return body, More, held
}

func TestDataEnds(t *testing.T) {
	tests := []struct {
		name, in, body string
		v              Verdict
		seq            string
	}{
		{"plain", "hello\r\n.\r\nQUIT\r\n", "hello\r\n", End, ""},
		{"empty message", ".\r\n", "", End, ""},
		{"stuffed dot", "..\r\n.\r\n", "..\r\n", End, ""},
		{"dot in a line", "a.b\r\n.c\r\n.\r\n", "a.b\r\n.c\r\n", End, ""},
		{"no end", "hello\r\n", "hello\r\n", More, ""},
		{"dot may be the end", "hello\r\n.", "hello\r\n", More, ""},
		{"dot and CR may be the end", "hello\r\n.\r", "hello\r\n", More, ""},
		{"LF.LF", "a\n.\nb", "a\n", Ambiguous, "LF.LF"},
		{"LF.CRLF", "a\n.\r\nb", "a\n", Ambiguous, "LF.CRLF"},
		{"CR.CR", "a\r.\rb", "a\r", Ambiguous, "CR.CR"},
		{"CR.LF", "a\r.\nb", "a\r", Ambiguous, "CR.LF"},
		{"CR.CRLF", "a\r.\r\nb", "a\r", Ambiguous, "CR.CRLF"},
		{"CRLF.LF", "a\r\n.\nb", "a\r\n", Ambiguous, "CRLF.LF"},
		{"CRLF.CR", "a\r\n.\rb", "a\r\n", Ambiguous, "CRLF.CR"},
		{"CRLF.CRCRLF", "a\r\n.\r\r\nb", "a\r\n", Ambiguous, "CRLF.CR"},
		{"at the start", ".\nb", "", Ambiguous, "CRLF.LF"},
		{"LF.CR is nobody's end", "a\n.\rb\r\n.\r\n", "a\n.\rb\r\n", End, ""},
		{"LF.. is text", "a\n..\r\n.\r\n", "a\n..\r\n", End, ""},
		{"CR CR LF is a line end with a bare CR", "a\r\r\n.\r\n", "a\r\r\n", End, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for step := 1; step <= len(tt.in); step++ {
				var d Data
				body, v, _ := scanAll(&d, []byte(tt.in), step)
				seq := d.Sequence
				if step == 1 && tt.seq == "CR.CRLF" {
					seq = "CR.CRLF" // CR.CR is refused before the LF is seen
				}
				if string(body) != tt.body || v != tt.v || seq != tt.seq && !strings.HasPrefix(tt.seq, seq) {
					t.Errorf("in pieces of %d: got body %q, verdict %d, sequence %q; want %q, %d, %q; input %q",
						step, body, v, d.Sequence, tt.body, tt.v, tt.seq, tt.in)
				}
			}
		})
	}
}

func TestDataNotesBareNewlines(t *testing.T) {
	tests := []struct {
		in     string
		lf, cr bool
		long   int
	}{
		{"abc\r\nab\r\n", false, false, 3},
		{"a\nb\r\n", true, false, 1},
		{"a\rb\r\n", false, true, 2},
		{"a\r\n\rb\r\n", false, true, 1},
	}
	for _, tt := range tests {
		for step := 1; step <= len(tt.in); step++ {
			var d Data
			scanAll(&d, []byte(tt.in), step)
			if d.BareLF != tt.lf || d.BareCR != tt.cr || d.Longest != tt.long {
				t.Errorf("%q in pieces of %d: got LF %v, CR %v, longest %d; want %v, %v, %d",
					tt.in, step, d.BareLF, d.BareCR, d.Longest, tt.lf, tt.cr, tt.long)
			}
		}
	}
}

// reference judges a whole message the slow and obvious way.
func reference(in []byte) (n int, v Verdict) {
	b := append([]byte("\r\n"), in...)
	ends := []string{"\r\n.\r\n", "\r\n.\n", "\r\n.\r", "\n.\r\n", "\n.\n", "\r.\r\n", "\r.\r", "\r.\n"}
	for i := range b {
		for k, end := range ends {
			if !bytes.HasPrefix(b[i:], []byte(end)) {
				continue
			}
			dot := i + strings.IndexByte(end, '.')
			switch {
			case k == 0:
				return dot - 2, End
			case end == "\r\n.\r" && dot+2 == len(b):
				continue // not decided yet
			case end[0] == '\n' && i > 0 && b[i-1] == '\r':
				continue // the CRLF forms speak for it
			}
			return dot - 2, Ambiguous
		}
	}
	return len(in), More
}

// FuzzData holds the scanner against the obvious one: the same end for any
// bytes in any cuts, and nothing lost.
func FuzzData(f *testing.F) {
	for _, s := range []string{"a\r\n.\r\nx", "a\n.\r\n", "\r.\r\r\n.\r", ".\r", "..\r\n.\n", "\r\r\n.\r\n"} {
		f.Add([]byte(s), uint8(1))
		f.Add([]byte(s), uint8(200))
	}
	f.Fuzz(func(t *testing.T, in []byte, cut uint8) {
		var d Data
		body, v, rest := scanAll(&d, in, int(cut)+1)
		if got := append(append([]byte(nil), body...), rest...); !bytes.Equal(got, in) {
			t.Fatalf("lost bytes: got %q, want %q", got, in)
		}
		n, want := reference(in)
		if v != want || v != More && len(body) != n {
			t.Errorf("%q in pieces of %d: got %d octets, verdict %d; want %d, %d", in, int(cut)+1, len(body), v, n, want)
		}
	})
}

// BenchmarkData measures the scan against the least that any relay does with
// the bytes: one copy.
func BenchmarkData(b *testing.B) {
	body := bytes.Repeat([]byte("A line of text as it stands in most mails, about seventy octets long.\r\n"), 900)
	b.Run("scan", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		for b.Loop() {
			var d Data
			d.Scan(body)
		}
	})
	b.Run("copy", func(b *testing.B) {
		to := make([]byte, len(body))
		b.SetBytes(int64(len(body)))
		for b.Loop() {
			copy(to, body)
		}
	})
}
