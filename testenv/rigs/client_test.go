//go:build rigs

package rigs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The ways in which a leg can be protected.
const (
	clear    = "none"
	starttls = "starttls"
	implicit = "implicit"
)

// job is one delivery that a mail program is asked to make. It goes to
// scripts as JSON.
type job struct {
	Addr     string   `json:"addr"` // host:port
	TLS      string   `json:"tls"`  // clear, starttls or implicit
	CA       string   `json:"ca"`   // PEM file of the root to trust
	Mech     string   `json:"mech"` // PLAIN, LOGIN or CRAM-MD5; empty for no AUTH
	User     string   `json:"user"`
	Password string   `json:"password"`
	Helo     string   `json:"helo"`
	From     string   `json:"from"`
	To       []string `json:"to"`
	File     string   `json:"file"` // the message, with CRLF line ends
}

// report is what a mail program says of its delivery.
type report struct {
	Final   string            `json:"final"`   // the reply to the message, or the one that ended the attempt
	Refused map[string]string `json:"refused"` // recipients that were refused, and the reply to each
}

// client is a mail program.
type client struct {
	name string
	auth bool // it can sign in
	send func(*testing.T, job) report
}

func clients() []client {
	return []client{
		{"swaks", true, sendSwaks},
		{"curl", true, sendCurl},
		{"smtplib", true, script("python3", "send_data.py")},
		{"nodemailer", true, script("node", "send_nodemailer.js")},
		{"bdat", false, script("python3", "send_bdat.py")},
	}
}

// script returns the sender that hands a job as JSON to a program in testdata
// and reads its report.
func script(interpreter, name string) func(*testing.T, job) report {
	return func(t *testing.T, j job) report {
		t.Helper()
		out, errs, _ := execute(t, j, interpreter, filepath.Join("testdata", name))
		var r report
		if err := json.Unmarshal(out, &r); err != nil {
			t.Fatalf("%s: got no report: %v\n%s%s", name, err, out, errs)
		}
		return r
	}
}

// execute runs a mail program with the job on stdin. An exit code other than
// 0 is no error here: refused mail has one.
func execute(t *testing.T, j job, name string, args ...string) (stdout, stderr []byte, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	input, err := json.Marshal(j)
	must(t, err)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), &out, &errs
	cmd.Env = append(cmd.Environ(),
		"NODE_PATH="+filepath.Join(newKit(t).peers, "node_modules"),
		"PYTHONDONTWRITEBYTECODE=1")
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s: %v\n%s", name, err, errs.Bytes())
	}
	if ctx.Err() != nil {
		t.Fatalf("%s: got no end within %s\n%s%s", name, patience, out.Bytes(), errs.Bytes())
	}
	return out.Bytes(), errs.Bytes(), cmd.ProcessState.ExitCode()
}

// marks say how a program's transcript shows the lines of the two sides.
type marks struct{ sent, got *regexp.Regexp }

// readTranscript makes a report of a transcript: the replies to each RCPT,
// and the last reply before QUIT.
func readTranscript(t *testing.T, text string, m marks) report {
	t.Helper()
	r := report{Refused: map[string]string{}}
	verb := ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if s := m.sent.FindStringSubmatch(line); s != nil {
			verb = s[1]
			continue
		}
		if s := m.got.FindStringSubmatch(line); s != nil && verb != "QUIT" {
			r.Final = s[1]
			if addr, ok := rcpt(verb); ok && s[1][0] > '3' {
				r.Refused[addr] = s[1]
			}
		}
	}
	if r.Final == "" {
		t.Fatalf("got no reply in the transcript:\n%s", text)
	}
	return r
}

func rcpt(line string) (string, bool) {
	rest, ok := strings.CutPrefix(line, "RCPT TO:<")
	addr, _, closed := strings.Cut(rest, ">")
	return addr, ok && closed
}

func localPart(addr string) string {
	local, _, _ := strings.Cut(addr, "@")
	return local
}
