package testenv_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"smtp-proxy/testenv"
)

func newSandbox(t *testing.T, opts testenv.SandboxOptions) *testenv.Sandbox {
	t.Helper()
	box, err := testenv.NewSandbox(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := box.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return box
}

func trust(pem []byte) *tls.Config {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return &tls.Config{RootCAs: pool, ServerName: "localhost"}
}

// connect opens a session in one of the modes plain, starttls, implicit.
func connect(t *testing.T, box *testenv.Sandbox, mode string) *smtp.Client {
	t.Helper()
	var c *smtp.Client
	var err error
	switch mode {
	case "starttls":
		c, err = smtp.DialStartTLS(box.Addr(), trust(box.Roots()))
	case "implicit":
		c, err = smtp.DialTLS(box.Addr(), trust(box.Roots()))
	default:
		c, err = smtp.Dial(box.Addr())
	}
	if err != nil {
		t.Fatalf("%s: %v", mode, err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestSandboxTakesMail(t *testing.T) {
	for _, mode := range []string{"plain", "starttls", "implicit"} {
		box := newSandbox(t, testenv.SandboxOptions{Implicit: mode == "implicit", User: "u", Password: "p"})
		c := connect(t, box, mode)
		if err := c.Auth(sasl.NewPlainClient("", "u", "p")); err != nil {
			t.Fatalf("%s: %v", mode, err)
		}
		body := "Subject: x\r\n\r\n.dot\r\n"
		if err := c.SendMail("a@x", []string{"b@y", "c@y"}, strings.NewReader(body)); err != nil {
			t.Fatalf("%s: %v", mode, err)
		}
		got := box.Messages()
		if len(got) != 1 {
			t.Fatalf("%s: %d messages, want 1", mode, len(got))
		}
		m := got[0]
		if string(m.Data) != body || m.From != "a@x" || len(m.To) != 2 || m.User != "u" || m.Secure != (mode != "plain") {
			t.Errorf("%s: got %+v with %q", mode, m, m.Data)
		}
	}
}

func TestSandboxOffers(t *testing.T) {
	box := newSandbox(t, testenv.SandboxOptions{})
	c := connect(t, box, "plain")
	for _, want := range []string{"STARTTLS", "PIPELINING", "8BITMIME", "CHUNKING", "BINARYMIME", "SMTPUTF8", "DSN", "SIZE", "AUTH", "ENHANCEDSTATUSCODES"} {
		if ok, _ := c.Extension(want); !ok {
			t.Errorf("EHLO lacks %s", want)
		}
	}
}

func TestSandboxAuth(t *testing.T) {
	box := newSandbox(t, testenv.SandboxOptions{User: "u", Password: "p", RequireAuth: true})
	tests := []struct {
		name string
		sasl sasl.Client
		want string
	}{
		{"plain", sasl.NewPlainClient("", "u", "p"), ""},
		{"login", sasl.NewLoginClient("u", "p"), ""},
		{"plain wrong", sasl.NewPlainClient("", "u", "q"), "535 5.7.8"},
		{"login wrong", sasl.NewLoginClient("v", "p"), "535 5.7.8"},
		{"provoked", sasl.NewPlainClient("", "454_4.7.0@x", "p"), "454 4.7.0"},
		{"mechanism", sasl.NewAnonymousClient("x"), "504 5.7.4"},
	}
	for _, tt := range tests {
		c := connect(t, box, "plain")
		got := code(c.Auth(tt.sasl))
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
	if got, want := code(connect(t, box, "plain").Mail("a@x", nil)), "530 5.7.0"; got != want {
		t.Errorf("MAIL without AUTH: got %q, want %q", got, want)
	}
}

func TestSandboxRequiresTLS(t *testing.T) {
	box := newSandbox(t, testenv.SandboxOptions{RequireTLS: true})
	if got, want := code(connect(t, box, "plain").Mail("a@x", nil)), "530 5.7.0"; got != want {
		t.Errorf("in clear: got %q, want %q", got, want)
	}
	if err := connect(t, box, "starttls").Mail("a@x", nil); err != nil {
		t.Errorf("under TLS: %v", err)
	}
}

func TestSandboxRefusesOnDemand(t *testing.T) {
	box := newSandbox(t, testenv.SandboxOptions{})
	tests := []struct{ from, to, phase, want string }{
		{"mail550_5.1.8@x", "b@y", "mail", "550 5.1.8"},
		{"a@x", "550_5.1.1@y", "rcpt", "550 5.1.1"},
		{"a@x", "rcpt451_4.7.1@y", "rcpt", "451 4.7.1"},
		{"a@x", "452@y", "rcpt", "452"},
		{"a@x", "dot552_5.3.4@y", "dot", "552 5.3.4"},
		{"dot554_5.6.0@x", "b@y", "dot", "554 5.6.0"},
		{"a@x", "data554_5.6.0@y", "dot", "554 5.6.0"},
		{"a@x", "greylist@y", "rcpt", "451 4.7.1"},
		{"a@x", "greylist@y", "", ""},
	}
	for _, tt := range tests {
		phase, got := transaction(connect(t, box, "plain"), tt.from, tt.to)
		if phase != tt.phase || got != tt.want {
			t.Errorf("from %s to %s: got %q in %q, want %q in %q", tt.from, tt.to, got, phase, tt.want, tt.phase)
		}
	}
	if got := len(box.Messages()); got != 1 {
		t.Errorf("%d messages accepted, want only the greylisted one", got)
	}
}

// transaction goes as far as it can and returns where it ended with what.
func transaction(c *smtp.Client, from, to string) (phase, reply string) {
	if err := c.Mail(from, nil); err != nil {
		return "mail", code(err)
	}
	if err := c.Rcpt(to, nil); err != nil {
		return "rcpt", code(err)
	}
	w, err := c.Data()
	if err != nil {
		return "data", code(err)
	}
	io.WriteString(w, "Subject: x\r\n\r\n")
	if err := w.Close(); err != nil {
		return "dot", code(err)
	}
	return "", ""
}

func TestSandboxTakesChunks(t *testing.T) {
	box := newSandbox(t, testenv.SandboxOptions{})
	got := send(t, box.Addr(), "EHLO x\r\nMAIL FROM:<a@x> BODY=BINARYMIME\r\nRCPT TO:<b@y>\r\nBDAT 3\r\na\x00\nBDAT 2 LAST\r\n.\r\r\nQUIT\r\n")
	if !strings.Contains(got, "250 2.0.0 Ok: queued as") {
		t.Fatalf("got %q, want the chunks accepted", got)
	}
	if got, want := string(box.Messages()[0].Data), "a\x00\n.\r"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSandboxLimitsSize(t *testing.T) {
	box := newSandbox(t, testenv.SandboxOptions{MaxBytes: 10})
	c := connect(t, box, "plain")
	err := c.SendMail("a@x", []string{"b@y"}, strings.NewReader(strings.Repeat("x", 100)))
	if got, want := code(err), "552 5.3.4"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSandboxClosesUnderOpenSessions(t *testing.T) {
	box := newSandbox(t, testenv.SandboxOptions{})
	chunk := dial(t, box.Addr())
	io.WriteString(chunk, "EHLO x\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nBDAT 4\r\nabcd")
	awaitReply(t, chunk, "Continue")
	idle := connect(t, box, "starttls")
	if err := idle.Noop(); err != nil {
		t.Fatal(err)
	}
	closed := make(chan error, 1)
	go func() { closed <- box.Close() }()
	select {
	case err := <-closed:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("Close waits for sessions that would never end")
	}
	if err := idle.Noop(); err == nil {
		t.Error("the session outlived Close")
	}
}

func awaitReply(t *testing.T, r io.Reader, want string) {
	t.Helper()
	var got strings.Builder
	for b := make([]byte, 1); !strings.Contains(got.String(), want); {
		if _, err := r.Read(b); err != nil {
			t.Fatalf("got %q, want %q: %v", got.String(), want, err)
		}
		got.Write(b)
	}
}

func TestSandboxNamesATakenPort(t *testing.T) {
	box := newSandbox(t, testenv.SandboxOptions{})
	_, err := testenv.NewSandbox(testenv.SandboxOptions{Addr: box.Addr()})
	if err == nil || !strings.Contains(err.Error(), box.Addr()) {
		t.Errorf("got %v, want an error that names %s", err, box.Addr())
	}
}

// code gives "550 5.1.1" for a reply, "" for none, else the error.
func code(err error) string {
	var reply *smtp.SMTPError
	switch {
	case err == nil:
		return ""
	case !errors.As(err, &reply):
		return err.Error()
	case reply.EnhancedCode[0] <= 0:
		return fmt.Sprint(reply.Code)
	}
	e := reply.EnhancedCode
	return fmt.Sprintf("%d %d.%d.%d", reply.Code, e[0], e[1], e[2])
}
