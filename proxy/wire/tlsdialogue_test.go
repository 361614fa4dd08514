package wire

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what is seen of the recorded handshakes anew; read the diff")

const seenMark = "-- seen --\n"

// recorded reads a handshake of testdata/tls: "app" and "upstream" lines with
// what each wrote at once in indented hexadecimal lines behind them, "end" where
// a side closed.
func recorded(t testing.TB, path string) (dialogue []said, text, seen string) {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text, seen, ok := strings.Cut(string(file), seenMark)
	if !ok {
		t.Fatalf("%s: no line %q", path, seenMark)
	}
	for line := range strings.Lines(text) {
		switch line = strings.TrimSuffix(line, "\n"); {
		case line == "app":
			dialogue = append(dialogue, said{side: TLSApp})
		case line == "upstream":
			dialogue = append(dialogue, said{side: TLSUpstream})
		case line == "end":
			dialogue = append(dialogue, said{side: end})
		case strings.HasPrefix(line, " "):
			b, err := hex.DecodeString(line[1:])
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			last := &dialogue[len(dialogue)-1]
			last.b = append(last.b, b...)
		case !strings.HasPrefix(line, "#"):
			t.Fatalf("%s: what is %q?", path, line)
		}
	}
	return dialogue, text, seen
}

func recordings(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob("testdata/tls/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no recorded handshakes: %v", err)
	}
	return paths
}

// TestRecordedHandshakes reads handshakes of real programs.
func TestRecordedHandshakes(t *testing.T) {
	for _, path := range recordings(t) {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			dialogue, text, want := recorded(t, path)
			got := describe(observe(dialogue, 0))
			if *update {
				if err := os.WriteFile(path, []byte(text+seenMark+got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != want {
				t.Errorf("got:\n%swant:\n%sdialogue:\n%s", got, want, sizes(dialogue))
			}
			sameInPieces(t, dialogue)
		})
	}
}

// describe is what an observer has seen, in words.
func describe(o *TLSObserver) string {
	s := o.Seen()
	var b bytes.Buffer
	if h := s.Client; h != nil {
		fmt.Fprintf(&b, "app offers %s to %q in %s, %d suites, groups %s; early data %t\n", h.JA4(), h.SNI,
			strings.Join(Names(append([]uint16{h.Version}, h.Versions...), VersionName), " "), len(h.Suites),
			strings.Join(Names(h.Groups, GroupName), " "), h.EarlyData)
	}
	if h := s.Server; h != nil {
		fmt.Fprintf(&b, "upstream takes %s %s %s, prime %d, protocol %q, resumed %t, retried %t\n", VersionName(h.Version),
			SuiteName(h.Suite), GroupName(h.Group), h.DHBits, h.ALPN, h.Resumed, s.Retried)
	}
	fmt.Fprintf(&b, "chain %d, staple %d, certificate asked for %t, given %t\n", len(s.Chain), len(s.Staple), s.AskedCert, s.GaveCert)
	fmt.Fprintf(&b, "stage %d, finished %t, done %t\n", s.Stage, s.Finished, o.Done())
	for side, name := range []string{"app", "upstream"} {
		fmt.Fprintf(&b, "%s: alert %+v, warned %+v, hidden alert %t, spoke on %t, no TLS %q, corrupt %q\n", name, number(s.Alert[side]),
			number(s.Warned[side]), s.HiddenAlert[side], s.Spoke[side], s.NotTLS[side], s.Corrupt[side])
	}
	for _, f := range s.Flights {
		fmt.Fprintf(&b, "%s %d octets in %d records\n", []string{"app", "upstream"}[f.From], f.Bytes, f.Records)
	}
	return b.String()
}

func number(a *TLSAlert) any {
	if a == nil {
		return "none"
	}
	return a.Number
}

// TestEverySplit cuts handshakes in two at every octet of every write.
func TestEverySplit(t *testing.T) {
	for _, name := range []string{"openssl-tls12-dhe", "openssl-tls13-retry", "java-tls13-untrusted"} {
		dialogue, _, want := recorded(t, "testdata/tls/"+name+".txt")
		for i, s := range dialogue {
			for cut := 1; cut < len(s.b); cut++ {
				pieces := slices.Concat(dialogue[:i], []said{{s.side, s.b[:cut]}, {s.side, s.b[cut:]}}, dialogue[i+1:])
				if got := describe(observe(pieces, 0)); got != want {
					t.Fatalf("%s, write %d cut at %d: got:\n%swant:\n%s", name, i, cut, got, want)
				}
			}
		}
	}
}

// FuzzTLSObserver checks that any octets, cut in any way, are read as in one
// piece, within bounds, and all counted. A dialogue is written as frames of
// side, length in two octets, content.
func FuzzTLSObserver(f *testing.F) {
	for _, path := range recordings(f) {
		dialogue, _, _ := recorded(f, path)
		f.Add(frames(dialogue), []byte{1, 7, 200})
	}
	f.Add(frames([]said{{TLSUpstream, []byte("220 smtp.example.com ESMTP\r\n")}}), []byte{3})
	f.Fuzz(func(t *testing.T, in, cuts []byte) {
		dialogue := unframe(in)
		whole, cut := observe(dialogue, 0), &TLSObserver{}
		var fed int64
		for i, s := range dialogue {
			if s.side == end {
				cut.End()
				continue
			}
			for b, k := s.b, 0; len(b) > 0; k++ {
				n := len(b)
				if len(cuts) > 0 {
					n = min(n, 1+int(cuts[k%len(cuts)]))
				}
				feed(cut, s.side, b[:n], moment(i))
				b = b[n:]
				checkBounds(t, cut)
			}
			fed += int64(len(s.b))
		}
		if got, want := describe(cut), describe(whole); got != want {
			t.Errorf("in pieces: got:\n%sin one piece:\n%s", got, want)
		}
		var counted int64
		for _, flight := range whole.Seen().Flights {
			counted += flight.Bytes
		}
		if counted > fed || !whole.Done() && counted != fed {
			t.Errorf("got %d octets in the flights of %d that were sent; done %t", counted, fed, whole.Done())
		}
	})
}

// checkBounds checks that an observer keeps no more than it promises.
func checkBounds(t *testing.T, o *TLSObserver) {
	t.Helper()
	chain := 0
	for _, der := range o.seen.Chain {
		chain += len(der)
	}
	for side := range o.sides {
		if n := len(o.sides[side].message.b); n > maxCertificate+4 || o.done && n > 0 || len(o.seen.NotTLS[side]) > 64 {
			t.Fatalf("side %d: got %d octets of a message and %d in clear", side, n, len(o.seen.NotTLS[side]))
		}
	}
	if chain > maxCertificate || len(o.seen.Chain) > maxChain || len(o.seen.Staple) > maxHello || len(o.seen.Flights) > maxFlights {
		t.Fatalf("got %d octets of certificates, %d of a staple, %d flights", chain, len(o.seen.Staple), len(o.seen.Flights))
	}
}

func frames(dialogue []said) (b []byte) {
	for _, s := range dialogue {
		b = appendVector(append(b, byte(s.side)), 2, s.b)
	}
	return b
}

func unframe(b []byte) (dialogue []said) {
	for len(b) > 3 {
		n := min(int(b[1])<<8|int(b[2]), len(b)-3)
		dialogue = append(dialogue, said{int(b[0]) % 3, b[3 : 3+n]})
		b = b[3+n:]
	}
	return dialogue
}

func BenchmarkObserver(b *testing.B) {
	b.Run("handshake", func(b *testing.B) {
		dialogue, _, _ := recorded(b, "testdata/tls/openssl-tls12.txt")
		b.ReportAllocs()
		for b.Loop() {
			if o := observe(dialogue, 0); !o.Done() {
				b.Fatal("not done")
			}
		}
	})
	b.Run("after", func(b *testing.B) {
		dialogue, _, _ := recorded(b, "testdata/tls/openssl-tls12.txt")
		o, bulk := observe(dialogue, 0), make([]byte, 16<<10)
		b.SetBytes(int64(len(bulk)))
		b.ReportAllocs()
		for b.Loop() {
			o.App(bulk, 0)
		}
	})
}
