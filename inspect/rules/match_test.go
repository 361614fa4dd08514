package rules_test

import (
	"slices"
	"strings"
	"testing"

	"smtp-proxy/inspect/rules"
	"smtp-proxy/proxy/wire"
)

func symptom(t testing.TB, reply string) rules.Symptom {
	t.Helper()
	r, ok := wire.ParseReply(reply)
	if !ok {
		t.Fatalf("%q is no reply", reply)
	}
	return rules.FromReply(r)
}

func byIndex(set *rules.Set, s rules.Symptom) []string {
	var ids []string
	for _, r := range set.Match(s) {
		ids = append(ids, r.ID)
	}
	slices.Sort(ids)
	return ids
}

// The index may only leave out what cannot match: for examples from all over
// the set it finds what trying all rules finds.
func TestIndexFindsWhatTryingAllFinds(t *testing.T) {
	set := loadExamples(t)
	for i, r := range set.Rules() {
		if i%20 != 0 { // trying all is what the index is there to avoid
			continue
		}
		for _, e := range r.MustMatch {
			s := set.Symptom(e)
			if got, want := byIndex(set, s), set.ByHand(s); !slices.Equal(got, want) {
				t.Errorf("%q: index finds %v, trying all rules finds %v", e.Reply, got, want)
			}
		}
	}
}

func FuzzIndex(f *testing.F) {
	set, err := rules.LoadExamples()
	if err != nil {
		f.Fatal(err)
	}
	for i, r := range set.Rules() {
		if i%40 == 0 && len(r.MustMatch) > 0 {
			f.Add(r.MustMatch[0].Reply)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, ok := wire.ParseReply(text)
		if !ok {
			r = wire.Reply{Code: 550, Lines: strings.Split(text, "\n")}
		}
		s := rules.FromReply(r)
		if got, want := byIndex(set, s), set.ByHand(s); !slices.Equal(got, want) {
			t.Errorf("%q: index finds %v, trying all rules finds %v", text, got, want)
		}
	})
}

func TestWords(t *testing.T) {
	for text, want := range map[string]string{
		"5.1.1 The email account\n5.1.1 does not  exist": "the email account does not exist",
		"You’re “blocked”":                               `you're "blocked"`,
		"#5.7.1 sorry":                                   "sorry",
		"":                                               "",
	} {
		if got := rules.Words(text); got != want {
			t.Errorf("Words(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestStrayEnhancedCode(t *testing.T) {
	for reply, want := range map[string]string{
		"553 sorry, not in my list (#5.7.1)":     "5.7.1",
		"550 [5.1.1] no such user":               "5.1.1",
		"550 5.1.1 no such user":                 "5.1.1",
		"550 4.4.7 expired":                      "4.4.7",
		"550 see http://192.0.2.1/5.1.1.html":    "",
		"550 blocked 5.6.7.8 is listed":          "",
		"250 2.1.0 ok (#5.7.1 is for the other)": "2.1.0",
	} {
		if got := symptom(t, reply).Enhanced; got != want {
			t.Errorf("FromReply(%q).Enhanced = %q, want %q", reply, got, want)
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	set, err := rules.Load()
	if err != nil {
		b.Fatal(err)
	}
	s := symptom(b, "550-5.7.26 This mail has been blocked because the sender is unauthenticated.\n550-5.7.26 The sender must pass either SPF or DKIM. For instructions, go to\n550 5.7.26 https://support.google.com/mail/answer/81126#authentication x9 - gsmtp")
	set.Match(s)
	for b.Loop() {
		set.Match(s)
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if _, err := rules.Load(); err != nil {
			b.Fatal(err)
		}
	}
}
