package replay_test

import (
	"os"
	"strings"
	"testing"

	"smtp-proxy/upstream/replay"
)

// blocks reads a file of replies, one a line, in blocks parted by empty lines.
func blocks(t testing.TB, path string) (all [][]string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for block := range strings.SplitSeq(string(text), "\n\n") {
		var replies []string
		for line := range strings.Lines(block) {
			if line = strings.TrimSuffix(line, "\n"); line != "" && !strings.HasPrefix(line, "#") {
				replies = append(replies, strings.ReplaceAll(line, `\n`, "\n"))
			}
		}
		if len(replies) > 0 {
			all = append(all, replies)
		}
	}
	if len(all) == 0 {
		t.Fatalf("%s holds no replies", path)
	}
	return all
}

func TestVariantsAreTheSame(t *testing.T) {
	for _, block := range blocks(t, "testdata/variants.txt") {
		if len(block) < 2 {
			t.Errorf("nothing to compare %q with", block)
		}
		want := replay.Normal(block[0])
		for _, reply := range block[1:] {
			if got := replay.Normal(reply); got != want {
				t.Errorf("Normal(%q)\n got %q\nwant %q, as of %q", reply, got, want, block[0])
			}
		}
	}
}

func TestMeaningsStayDistinct(t *testing.T) {
	for _, block := range blocks(t, "testdata/distinct.txt") {
		seen := map[string]string{}
		for _, reply := range block {
			normal := strings.ToLower(replay.Normal(reply))
			if other, ok := seen[normal]; ok {
				t.Errorf("both are %q:\n%q\n%q", normal, other, reply)
			}
			seen[normal] = reply
		}
	}
}

func TestNormal(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"", ""},
		{"250", "250"},
		{"250 2.0.0 Ok: queued as 4C2D81234A", "250 2.0.0 Ok: queued as {id}"},
		{"550-5.1.1 No\n550 5.1.1 such user", "550 5.1.1 No such user"},
		{"550 5.7.1 relay=[192.0.2.4]:25 [2001:db8::1] IPv6:2001:db8::2", "550 5.7.1 relay={ip} {ip} {ip}"},
		{"501 see RFC-2821 4.1.1.1", "501 see RFC-2821 4.1.1.1"},
		{"552 limit 10485760bytes, SHA256 IPv6 base64", "552 limit 10485760bytes, SHA256 IPv6 base64"},
		{"421 at 12:03:04 or 2026-11-20 12:03:04 UTC or Fri Nov 20 12:03:04 2026", "421 at {time} or {time} or {time}"},
		{"550 later.Please mx12.example.com.", "550 later.Please {host}."},
		{"not a reply\r\nof  two lines", "not a reply of two lines"},
	} {
		if got := replay.Normal(test.text); got != test.want {
			t.Errorf("Normal(%q)\n got %q\nwant %q", test.text, got, test.want)
		}
	}
}
