package testenv

import (
	"bufio"
	"bytes"
	"errors"
	"strings"
	"testing"
)

// What an app stuffs, a smarthost reads back, and stops behind it.
func FuzzReadDotted(f *testing.F) {
	for _, seed := range []string{"", ".", "a\r\n.\r\nb", "..\n.\r\n", "\r\n.\r", "\n.\r\n.x", strings.Repeat("x", 5000) + "\r\n."} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		want := message
		if !bytes.HasSuffix(want, []byte("\r\n")) {
			want = append(bytes.Clone(want), "\r\n"...)
		}
		octets := append(stuffed(message), ".\r\nQUIT\r\n"...)
		r := bufio.NewReader(bytes.NewReader(octets))
		got, err := readDotted(r, 1<<20)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("got %q, %v, want %q, from %q", got, err, want, octets)
		}
		if rest, _ := r.ReadString('\n'); rest != "QUIT\r\n" {
			t.Errorf("left %q behind the message, want QUIT, from %q", rest, octets)
		}
	})
}

func TestReadDottedGivesUpBeyondItsLimit(t *testing.T) {
	r := bufio.NewReader(strings.NewReader("abc\r\ndef\r\n.\r\nNOOP\r\n"))
	body, err := readDotted(r, 6)
	if !errors.Is(err, errTooLarge) || len(body) > 6 {
		t.Errorf("got %q, %v, want at most 6 octets and an error", body, err)
	}
	if rest, _ := r.ReadString('\n'); rest != "NOOP\r\n" {
		t.Errorf("left %q, want the message read to its end", rest)
	}
}

// An address comes back as it was put between the brackets.
func FuzzPathOf(f *testing.F) {
	f.Add("a@b", " SIZE=1")
	f.Add("", "")
	f.Fuzz(func(t *testing.T, addr, params string) {
		if strings.Contains(addr, ">") {
			return
		}
		line := "from: <" + addr + ">" + params
		if got, ok := pathOf(line, "FROM:"); !ok || got != addr {
			t.Errorf("pathOf(%q): got %q, %v, want %q", line, got, ok, addr)
		}
	})
}

func TestPathOf(t *testing.T) {
	tests := []struct {
		arg, want string
		ok        bool
	}{
		{"FROM:<>", "", true},
		{"from:a@b SIZE=1", "a@b", true},
		{"FROM:<a@b", "a@b", false},
		{"FROM:", "", false},
		{"FROM", "", false},
		{"TO:<a@b>", "", false},
	}
	for _, tt := range tests {
		if got, ok := pathOf(tt.arg, "FROM:"); got != tt.want || ok != tt.ok {
			t.Errorf("pathOf(%q): got %q, %v, want %q, %v", tt.arg, got, ok, tt.want, tt.ok)
		}
	}
}

func TestFlagsNameWhatARelayNeeds(t *testing.T) {
	f := &Fault{Upstream: "h:1", Resolver: "r:2", Roots: []byte("x"), Relay: RelaySettings{UpstreamTLS: "none", HandshakeTimeout: 1e9}}
	got := strings.Join(f.Flags("ca.pem"), " ")
	want := "--upstream h:1 --upstream-tls none --upstream-ca ca.pem --resolver r:2 --handshake-timeout 1s"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestUsualTextsAreOneForEachCode(t *testing.T) {
	seen := map[string]bool{}
	for line := range strings.Lines(usualTexts) {
		code, text, ok := strings.Cut(strings.TrimSpace(line), " ")
		if code == "#" || strings.HasPrefix(line, "# ") {
			continue
		}
		if !ok || seen[code] || text == "" {
			t.Errorf("usual.txt: %q: want one line with a text for each code", line)
		}
		seen[code] = true
	}
	if len(seen) < 50 {
		t.Errorf("got %d texts, want all of them", len(seen))
	}
}
