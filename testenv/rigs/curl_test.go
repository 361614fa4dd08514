//go:build rigs

package rigs_test

import (
	"regexp"
	"testing"
)

// sendCurl delivers with curl and reads what -v shows.
func sendCurl(t *testing.T, j job) report {
	t.Helper()
	scheme := "smtp://"
	if j.TLS == implicit {
		scheme = "smtps://"
	}
	args := []string{
		"-sv", "--url", scheme + j.Addr + "/" + j.Helo, "--max-time", "60",
		"--mail-from", j.From, "--mail-rcpt-allowfails", "--upload-file", j.File,
	}
	for _, to := range j.To {
		args = append(args, "--mail-rcpt", to)
	}
	if j.TLS != clear {
		args = append(args, "--ssl-reqd", "--cacert", j.CA)
	}
	if j.Mech != "" {
		args = append(args, "--login-options", "AUTH="+j.Mech, "--user", j.User+":"+j.Password)
	}
	out, errs, _ := execute(t, j, "curl", args...)
	return readTranscript(t, string(out)+string(errs), marks{
		sent: regexp.MustCompile(`^> (.*)$`),
		got:  regexp.MustCompile(`^< (\d{3} .*)$`),
	})
}
