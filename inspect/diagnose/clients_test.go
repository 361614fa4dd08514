package diagnose_test

import (
	"os"
	"strings"
	"testing"

	"smtp-proxy/inspect/diagnose"
)

// The errors that mail programs and TLS libraries print get the cause that the
// file says, the steps to mend it and advice.
func TestExplainClientErrors(t *testing.T) {
	text, err := os.ReadFile("testdata/clients.txt")
	if err != nil {
		t.Fatal(err)
	}
	e := engine(t, diagnose.Options{})
	lines := 0
	for line := range strings.Lines(string(text)) {
		want, words, ok := strings.Cut(strings.TrimRight(line, "\n"), "\t")
		if !ok {
			continue
		}
		lines++
		got := e.Explain(words, "")
		if len(got) == 0 || got[0].Cause != want {
			rule := ""
			if len(got) > 0 {
				rule = got[0].Rule
			}
			t.Errorf("%s: got %q (%s), want %s", words, causes(got), rule, want)
			continue
		}
		if f := got[0]; f.Retry.Advice == "" || f.Title == "" || len(f.Fix) == 0 {
			t.Errorf("%s: incomplete: %+v", words, f)
		}
	}
	if lines < 80 {
		t.Errorf("clients.txt: %d lines, want 80 at least", lines)
	}
}
