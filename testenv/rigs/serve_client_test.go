//go:build rigs

package rigs_test

import (
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// verdict is how a mail program ends an attempt, and everything that it shows
// of the smarthost on the way there.
type verdict struct {
	exit int
	said []string // the smarthost's replies and the program's own errors, in order
}

// attempter is a mail program that is watched as it fails.
type attempter struct {
	name string
	try  func(*testing.T, job) verdict
}

func attempters() []attempter {
	return []attempter{
		{"swaks", trySwaks},
		{"curl", tryCurl},
		{"smtplib", tryScript("python3", "try_smtplib.py")},
		{"nodemailer", tryScript("node", "try_nodemailer.js")},
	}
}

// trySwaks keeps what swaks shows of replies, certificates and errors.
func trySwaks(t *testing.T, j job) verdict {
	t.Helper()
	host, port, err := net.SplitHostPort(j.Addr)
	must(t, err)
	args := []string{
		"--server", host, "--port", port, "--helo", j.Helo, "--timeout", "20",
		"--from", j.From, "--to", strings.Join(j.To, ","), "--data", "@" + j.File, "--suppress-data",
	}
	args = append(args, map[string][]string{
		starttls: {"--tls", "--tls-verify", "--tls-ca-path", j.CA},
		implicit: {"--tls-on-connect", "--tls-verify", "--tls-ca-path", j.CA},
	}[j.TLS]...)
	if j.Mech != "" {
		args = append(args, "--auth", j.Mech, "--auth-user", j.User, "--auth-password", j.Password)
	}
	out, errs, code := execute(t, j, "swaks", args...)
	return verdict{code, keep(string(out)+string(errs), `^<|^\*\*\*|^=== TLS peer DN|^=== TLS started`)}
}

// tryCurl keeps the replies that curl -v shows, and its last word.
func tryCurl(t *testing.T, j job) verdict {
	t.Helper()
	scheme := "smtp://"
	if j.TLS == implicit {
		scheme = "smtps://"
	}
	args := []string{
		"-sSv", "--url", scheme + j.Addr + "/" + j.Helo, "--max-time", "20",
		"--mail-from", j.From, "--mail-rcpt", strings.Join(j.To, ","), "--upload-file", j.File,
	}
	if j.TLS != clear {
		args = append(args, "--ssl-reqd", "--cacert", j.CA)
	}
	if j.Mech != "" {
		args = append(args, "--login-options", "AUTH="+j.Mech, "--user", j.User+":"+j.Password)
	}
	out, errs, code := execute(t, j, "curl", args...)
	return verdict{code, keep(string(out)+string(errs), `^< \d|^curl: |^\* +subject:|^\* SSL connection using`)}
}

// tryScript runs a program in testdata that prints one line for each error.
func tryScript(interpreter, name string) func(*testing.T, job) verdict {
	return func(t *testing.T, j job) verdict {
		t.Helper()
		out, errs, code := execute(t, j, interpreter, filepath.Join("testdata", name))
		return verdict{code, keep(string(out)+string(errs), ``)}
	}
}

// keep returns the lines that match, less what differs each time.
func keep(text, pattern string) []string {
	wanted := regexp.MustCompile(pattern)
	var all []string
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, "\r\n"); wanted.MatchString(line) {
			all = append(all, sameEachTime(line))
		}
	}
	return all
}

// own matches what is one connection's own: its queue id and port, an error
// number that curl has left over, OpenSSL's name of a thread.
var own = regexp.MustCompile(`(queued as )\w+|(port |localhost:|127\.0\.0\.1:)\d+|(\(errno: )\d+|[0-9A-F]{16}(:error:)`)

func sameEachTime(line string) string {
	return own.ReplaceAllString(line, "${1}${2}${3}*${4}")
}
