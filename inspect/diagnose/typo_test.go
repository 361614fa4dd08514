package diagnose_test

import (
	"strings"
	"testing"

	"smtp-proxy/inspect/diagnose"
)

// A refused address one slip beside a well-known domain is asked about; a
// domain that is merely short, or right, is not.
func TestTypoInARecipient(t *testing.T) {
	e := engine(t, diagnose.Options{})
	for addr, want := range map[string]string{
		"bob@gmial.com":   "bob@gmail.com",
		"bob@gmail.co":    "bob@gmail.com",
		"bob@hotmial.com": "bob@hotmail.com",
		"bob@gmail.com":   "",
		"bob@gmx.at":      "",
		"bob@example.net": "",
	} {
		got := e.Explain("550 5.1.2 <"+addr+">: Recipient address rejected: Domain not found", "")
		if len(got) == 0 || got[0].Cause != "recipient.domain-not-found" {
			t.Fatalf("%s: got %q, want recipient.domain-not-found", addr, causes(got))
		}
		asks := strings.Contains(got[0].Fix[0], "slip away")
		if asks != (want != "") || !strings.Contains(got[0].Fix[0], want) {
			t.Errorf("%s: got first step %q, want one that names %q", addr, got[0].Fix[0], want)
		}
	}
}
