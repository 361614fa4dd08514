package diagnose_test

import (
	"strings"
	"testing"

	"smtp-proxy/inspect/diagnose"
)

// An error that names host and port has them in its title; one that names
// something like them has not.
func TestExplainTakesTheEndpointFromTheText(t *testing.T) {
	e := engine(t, diagnose.Options{})
	for text, want := range map[string]string{
		"dial tcp 192.0.2.10:587: i/o timeout":                               "No answer from 192.0.2.10 on port 587",
		"dial tcp smtp.example.com:465: connect: connection refused":         "smtp.example.com refuses connections on port 465",
		"Error: connect ECONNREFUSED 127.0.0.1:1025":                         "127.0.0.1 refuses connections on port 1025",
		"connect ECONNREFUSED at Socket.<anonymous> (/app/net.socket.js:99)": "The smarthost refuses connections",
	} {
		got := e.Explain(text, "")
		if len(got) == 0 || !strings.HasPrefix(got[0].Title, want) {
			t.Errorf("Explain(%q): got %+v, want the title %q", text, got, want)
		}
	}
	if got := e.Explain("dial tcp 192.0.2.10:587: i/o timeout", "smtp.example.com:25"); !strings.Contains(got[0].Title, "smtp.example.com on port 25") {
		t.Errorf("got title %q, want the upstream that was named", got[0].Title)
	}
}
