package diagnose_test

import (
	"testing"

	"smtp-proxy/inspect"
)

// A silent port is asked what it speaks, and its number counts for nothing
// against the answer.
func TestAnswerOfSpeaks(t *testing.T) {
	silent := func(port string) *inspect.Session {
		return play(t, "smtp.example.com:"+port, "open\nwait 12s\nclose app\nend")
	}
	runAnswered(t, []answered{
		{"TLS on a port of any number", silent("2587"), "speaks", asked("speaks", "fail", "tls.implicit-expected"),
			"tls.implicit-expected", inspect.Certain, "operator", []string{"port 2587 sent no greeting in clear"}, "--upstream-tls implicit"},
		{"TLS where the number says so", silent("465"), "speaks", asked("speaks", "fail", "tls.implicit-expected"),
			"tls.implicit-expected", inspect.Certain, "operator", []string{"answered a TLS handshake"}, "smtps://smtp.example.com:465"},
		{"it greets now", silent("587"), "speaks", asked("speaks", "ok", ""),
			"connect.no-greeting", inspect.Certain, "upstream", []string{"it greeted"}, ""},
		{"it greets in clear where its number says TLS", silent("465"), "speaks", asked("speaks", "ok", ""),
			"connect.no-greeting", inspect.Likely, "upstream", []string{"it greeted"}, ""},
		{"it is silent still", silent("465"), "speaks", asked("speaks", "fail", "connect.no-greeting"),
			"connect.no-greeting", inspect.Likely, "upstream", []string{"Asked by the proxy: probe speaks."}, ""},
	})
}
