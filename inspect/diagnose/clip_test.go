package diagnose_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"smtp-proxy/inspect/diagnose"
)

// Evidence is the peer's own words as far as it goes, and ends between two
// characters.
func TestEvidenceIsShort(t *testing.T) {
	e := engine(t, diagnose.Options{})
	for _, reply := range []string{
		"550 5.1.1 no such user",
		"550 5.1.1 no such user " + strings.Repeat("x", 1700),
		"550 5.1.1 no such user " + strings.Repeat("é", 1700),
		"550 5.1.1 no such user " + strings.Repeat("収", 1700),
		"550 5.1.1 no such user " + strings.Repeat("\xff", 1700),
		"550 5.1.1 no such user " + strings.Repeat("\x1b", 1700) + "\xff",
		"550 5.1.1 no such user " + strings.Repeat("x", 500-len("550 5.1.1 no such user ")),
	} {
		s := play(t, "mx.example.com:587", "open\nU: 220 mx ESMTP\nA: EHLO a\nU: 250 mx\nA: MAIL FROM:<a@b.example>\nU: 250 ok\nA: RCPT TO:<c@d.example>\nU: "+reply+"\nend")
		for _, found := range append(e.Annotate(s), e.Explain(reply, "")...) {
			got := found.Evidence[0].Text
			words, cut := strings.CutSuffix(got, "…")
			if n := utf8.RuneCountInString(words); n > 500 || cut != (n < utf8.RuneCountInString(reply)) || !strings.HasPrefix(reply, words) {
				t.Errorf("got %d characters as evidence, %.40q…%q, want the first 500 of %.40q", n, words, got[max(0, len(got)-8):], reply)
			}
		}
	}
}

// Words of others inside a sentence leave room for the sentence; an address of
// the full length stays whole.
func TestSentencesAreShort(t *testing.T) {
	e := engine(t, diagnose.Options{})
	const most = 700
	for _, n := range []int{240, 1700, 60_000} {
		who := strings.Repeat("x", n) + "@d.example"
		found := e.Explain("550 5.1.1 <"+who+"> no such user", "")[0]
		for _, text := range append([]string{found.Title, found.Explanation}, found.Fix...) {
			if len(text) > most {
				t.Errorf("an address of %d octets: got a sentence of %d, want %d at most: %.60q", n, len(text), most, text)
			}
		}
		if whole := strings.Contains(found.Title, who); whole != (n == 240) {
			t.Errorf("an address of %d octets: stands whole in the title: %t", n, whole)
		}
	}
	s := play(t, "mx.example.com:587", "open\nU: 220 mx ESMTP\nA: EHLO a\nU: 250-mx\\n250-"+strings.Repeat("X", 5000)+"A\\n250 SIZE\nA: QUIT\nU: 221 bye\nend")
	if found := e.Annotate(s); causes(found) != "tls.stripped" || len(found[0].Explanation) > most {
		t.Errorf("5000 octets in place of STARTTLS: got %+v, want tls.stripped with an explanation of %d octets at most", found, most)
	}
}
