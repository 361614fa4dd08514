//go:build rigs

package rigs_test

import (
	"net"
	"regexp"
	"strings"
	"testing"
)

// sendSwaks delivers with swaks and reads its transcript.
func sendSwaks(t *testing.T, j job) report {
	t.Helper()
	host, port, err := net.SplitHostPort(j.Addr)
	must(t, err)
	args := []string{
		"--server", host, "--port", port, "--helo", j.Helo, "--timeout", "60",
		"--from", j.From, "--to", strings.Join(j.To, ","),
		"--data", "@" + j.File, "--suppress-data",
	}
	args = append(args, map[string][]string{
		starttls: {"--tls", "--tls-verify", "--tls-ca-path", j.CA},
		implicit: {"--tls-on-connect", "--tls-verify", "--tls-ca-path", j.CA},
	}[j.TLS]...)
	if j.Mech != "" {
		args = append(args, "--auth", j.Mech, "--auth-user", j.User, "--auth-password", j.Password)
	}
	out, errs, _ := execute(t, j, "swaks", args...)
	return readTranscript(t, string(out)+string(errs), marks{
		sent: regexp.MustCompile(`^ [-~]> (.*)$`),
		got:  regexp.MustCompile(`^<[-~*][ *] +(\d{3} .*)$`),
	})
}
