package web

import (
	"net/url"
	"strings"
	"testing"

	"smtp-proxy/inspect"
)

// FuzzToggle has a word put into any filter and taken out again: what is left
// is the filter without that key, and each address on the way holds a filter
// that selects by the word.
func FuzzToggle(f *testing.F) {
	for _, text := range []string{"", "outcome:failed", "-outcome:open since:2h", `"two words" cause:tls.*`, `from:"a\"b@c" outcome:no-mail`, "before:2026-11-20T15:04:05Z", "to:\u00e9@x", `"\\"`} {
		f.Add(text, "tls.handshake-reset")
	}
	f.Fuzz(func(t *testing.T, text, cause string) {
		start, err := inspect.ParseFilter(text)
		if err != nil || cause == "" {
			return
		}
		if got := without(start, "cause").String(); got != withoutWords(start, "cause") {
			t.Fatalf("%q without cause is %q, want %q", text, got, withoutWords(start, "cause"))
		}
		on := toggle(without(start, "cause"), "cause", cause)
		put := filterIn(t, on.URL)
		terms := put.Terms()
		if last := terms[len(terms)-1]; on.On || last.Key != "cause" || last.Value != strings.ToLower(cause) || last.Not {
			t.Fatalf("%q in %q leads to %s, whose last word is %+v", cause, text, on.URL, last)
		}
		off := toggle(put, "cause", cause)
		if back := filterIn(t, off.URL); !off.On || back.String() != without(start, "cause").String() {
			t.Fatalf("taken out of %q again: got %q, want %q", put, back, without(start, "cause"))
		}
	})
}

// withoutWords writes the words that without leaves, by themselves.
func withoutWords(f inspect.Filter, key string) string {
	var words []string
	for _, t := range f.Terms() {
		if t.Key != key || t.Not {
			words = append(words, t.String())
		}
	}
	return strings.Join(words, " ")
}

// filterIn reads the filter of an address.
func filterIn(t *testing.T, address string) inspect.Filter {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	f, err := inspect.ParseFilter(u.Query().Get("q"))
	if err != nil {
		t.Fatalf("%s holds no filter: %v", address, err)
	}
	return f
}
