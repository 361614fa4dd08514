//go:build rigs

package rigs_test

import (
	"errors"
	"fmt"
	"net/smtp"
	"path/filepath"
	"regexp"
	"testing"

	gosmtp "github.com/emersion/go-smtp"
)

// TestAnnotatedReplies has libraries of many kinds meet a failing reply with
// one more line: each still takes it for the refusal that it is, and shows the
// cause to whoever reads its error.
func TestAnnotatedReplies(t *testing.T) {
	k := newKit(t)
	addr := annotating(t, k)
	for _, c := range annotatedClients() {
		t.Run(c.name, func(t *testing.T) {
			got := c.send(t, addr, "550_5.1.1@example.net")
			if !saysCause.MatchString(got) {
				t.Errorf("got %q, want the code and a line with the cause", got)
			}
		})
	}
}

// saysCause is the refusal and, somewhere behind it, the cause and a session.
var saysCause = regexp.MustCompile(`(?s)550.*User unknown.*smtp-proxy: recipient\.unknown \(session 01[0-9A-Z]+\)`)

// annotating runs a proxy before the embedded sandbox and returns its address.
func annotating(t *testing.T, k kit) string {
	t.Helper()
	p := newProxy(t, k, &mta{}, legs{app: clear, upstream: clear})
	p.args = []string{"run", "--data", p.data, "--listen", p.addr, "--http", regexp.MustCompile(`//([^/]*)/`).FindStringSubmatch(p.health)[1],
		"--upstream", "sandbox", "--annotate"}
	p.run(t)
	t.Cleanup(func() { p.finish(t) })
	return p.addr
}

// annotatedClient is a library or program; send returns what it shows of a
// refusal.
type annotatedClient struct {
	name string
	send func(t *testing.T, addr, to string) string
}

func annotatedClients() []annotatedClient {
	return []annotatedClient{
		{"swaks", library("sh", "swaks.sh")},
		{"curl", library("sh", "curl.sh")},
		{"msmtp", library("sh", "msmtp.sh")},
		{"python smtplib", library("python3", "python.py")},
		{"nodemailer", library("node", "nodemailer.js")},
		{"perl Net::SMTP", library("perl", "netsmtp.pl")},
		{"ruby net/smtp", library("ruby", "netsmtp.rb")},
		{"PHPMailer", library("php", "phpmailer.php")},
		{"go net/smtp", goNetSMTP},
		{"go-smtp", goSMTP},
	}
}

// library returns the sender that runs a program of testdata/libraries.
func library(interpreter, name string) func(*testing.T, string, string) string {
	return func(t *testing.T, addr, to string) string {
		t.Helper()
		out, errs, _ := execute(t, job{}, interpreter, filepath.Join("testdata", "libraries", name), addr, to)
		return string(out) + string(errs)
	}
}

func goNetSMTP(t *testing.T, addr, to string) string {
	t.Helper()
	err := smtp.SendMail(addr, nil, "a@example.com", []string{to}, []byte("Subject: x\r\n\r\nx\r\n"))
	if err == nil {
		t.Fatal("got no error, want a refusal")
	}
	return err.Error()
}

func goSMTP(t *testing.T, addr, to string) string {
	t.Helper()
	c, err := gosmtp.Dial(addr)
	must(t, err)
	defer c.Close()
	must(t, c.Mail("a@example.com", nil))
	var refusal *gosmtp.SMTPError
	if err := c.Rcpt(to, nil); !errors.As(err, &refusal) {
		t.Fatalf("got %v, want a refusal", err)
	}
	return fmt.Sprint(refusal.Code, " ", refusal.Message)
}
