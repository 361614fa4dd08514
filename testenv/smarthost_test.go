package testenv_test

import (
	"crypto/tls"
	"io"
	"strings"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
)

func newSmarthost(t *testing.T, opts testenv.SmarthostOptions) *testenv.Smarthost {
	t.Helper()
	s, err := testenv.NewSmarthost(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestSmarthostTalk(t *testing.T) {
	const hello = "220 mail.example.com ESMTP Postfix\n"
	tests := []struct{ name, send, want string }{
		{"mail", "HELO me\r\nMAIL FROM:<a@x> SIZE=3\r\nRCPT TO:<b@y>\r\nDATA\r\n..x\r\n.\r\nQUIT\r\n",
			"250 mail.example.com\n250 2.1.0 Ok\n250 2.1.5 Ok\n354 End data with <CR><LF>.<CR><LF>\n250 2.0.0 Ok: queued as 00000002\n221 2.0.0 Bye\n"},
		{"chunks", "HELO me\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nBDAT 2\r\n\x00\nBDAT 1 LAST\r\nx",
			"250 mail.example.com\n250 2.1.0 Ok\n250 2.1.5 Ok\n250 2.0.0 Ok: chunk received\n"},
		{"order", "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\nHELO me\r\nMAIL FROM:<>\r\nMAIL FROM:<>\r\nDATA\r\n",
			"503 5.5.1 Error: send HELO/EHLO first\n503 5.5.1 Error: need MAIL command\n503 5.5.1 Error: need MAIL command\n250 mail.example.com\n250 2.1.0 Ok\n503 5.5.1 Error: nested MAIL command\n554 5.5.1 Error: no valid recipients\n"},
		{"syntax", "HELO me\r\nMAIL a@x\r\nMAIL FROM:<a@x>\r\nRCPT TO:\r\nBDAT x\r\nFOO\r\nNOOP\r\nVRFY a\r\nRSET\r\n",
			"250 mail.example.com\n501 5.5.4 Syntax: MAIL FROM:<address>\n250 2.1.0 Ok\n501 5.5.4 Syntax: RCPT TO:<address>\n501 5.5.4 Syntax: BDAT count [LAST]\n502 5.5.2 Error: command not recognized\n250 2.0.0 Ok\n252 2.0.0 a\n250 2.0.0 Ok\n"},
		{"provoked", "HELO me\r\nMAIL FROM:<mail550_5.1.8@x>\r\nMAIL FROM:<a@x>\r\nRCPT TO:<452@y>\r\nRCPT TO:<data554_5.6.0@y>\r\nDATA\r\nRSET\r\nMAIL FROM:<a@x>\r\nRCPT TO:<dot554_5.6.0@y>\r\nDATA\r\n.\r\n",
			"250 mail.example.com\n550 5.1.8 <mail550_5.1.8@x>: Sender address rejected: Domain not found\n250 2.1.0 Ok\n452 Requested action not taken: insufficient system storage\n250 2.1.5 Ok\n554 5.6.0 Message content rejected: malformed header or MIME\n250 2.0.0 Ok\n250 2.1.0 Ok\n250 2.1.5 Ok\n354 End data with <CR><LF>.<CR><LF>\n554 5.6.0 Message content rejected: malformed header or MIME\n"},
		{"auth", "HELO me\r\nAUTH FOO\r\nAUTH LOGIN\r\n*\r\nAUTH PLAIN %\r\nAUTH PLAIN AHUAcQ==\r\nAUTH LOGIN dQ==\r\ncA==\r\nAUTH PLAIN AHUAcA==\r\n",
			"250 mail.example.com\n504 5.7.4 Unrecognized authentication type\n334 VXNlcm5hbWU6\n501 5.7.0 Authentication cancelled\n501 5.5.2 Error: authentication failed: malformed base64\n535 5.7.8 Error: authentication failed: authentication failure\n334 UGFzc3dvcmQ6\n235 2.7.0 Authentication successful\n503 5.5.1 Error: already authenticated\n"},
		{"bare LF dot", "HELO me\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\nx\n.\r\n.\r\n",
			"250 mail.example.com\n250 2.1.0 Ok\n250 2.1.5 Ok\n354 End data with <CR><LF>.<CR><LF>\n250 2.0.0 Ok: queued as 00000002\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSmarthost(t, testenv.SmarthostOptions{User: "u", Password: "p"})
			got := strings.ReplaceAll(send(t, s.Addr(), tt.send), "\r\n", "\n")
			if tt.name == "chunks" {
				got, _, _ = strings.Cut(got, "250 2.0.0 Ok: queued")
			}
			if want := hello + tt.want; got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			checkBody(t, tt.name, s.Messages())
		})
	}
}

func checkBody(t *testing.T, name string, kept []testenv.Message) {
	t.Helper()
	want, ok := map[string]string{"mail": ".x\r\n", "chunks": "\x00\nx", "bare LF dot": "x\n.\r\n"}[name]
	if !ok {
		return
	}
	if len(kept) != 1 || string(kept[0].Data) != want {
		t.Errorf("kept %d messages %+v, want one with %q", len(kept), kept, want)
	}
}

func TestSmarthostSpeaksTLS(t *testing.T) {
	for _, implicit := range []bool{false, true} {
		s := newSmarthost(t, testenv.SmarthostOptions{Implicit: implicit})
		dialer := smtp.DialStartTLS
		if implicit {
			dialer = smtp.DialTLS
		}
		c, err := dialer(s.Addr(), trust(s.Roots()))
		if err != nil {
			t.Fatalf("implicit %v: %v", implicit, err)
		}
		defer c.Close()
		if err := c.Auth(sasl.NewLoginClient("u", "p")); err != nil {
			t.Fatalf("implicit %v: %v", implicit, err)
		}
		if err := c.SendMail("a@x", []string{"b@y"}, strings.NewReader("x\r\n")); err != nil {
			t.Fatalf("implicit %v: %v", implicit, err)
		}
		if ok, _ := c.Extension("STARTTLS"); ok {
			t.Errorf("implicit %v: STARTTLS is offered under TLS", implicit)
		}
		if m := s.Messages()[0]; !m.Secure || m.User != "u" {
			t.Errorf("implicit %v: got %+v, want a secure message of u", implicit, m)
		}
	}
}

// RFC 3207, section 4.2: what was sent in clear behind STARTTLS is not read as
// if it had come under TLS.
func TestSmarthostDropsInjectedPlaintext(t *testing.T) {
	s := newSmarthost(t, testenv.SmarthostOptions{})
	c := dial(t, s.Addr())
	io.WriteString(c, "EHLO me\r\nSTARTTLS\r\nMAIL FROM:<evil@x>\r\n")
	awaitReply(t, c, "220 2.0.0 Ready to start TLS\r\n")
	secure := tls.Client(c, trust(s.Roots()))
	io.WriteString(secure, "NOOP\r\n")
	got := make([]byte, len("250 2.0.0 Ok\r\n"))
	if _, err := io.ReadFull(secure, got); err != nil || string(got) != "250 2.0.0 Ok\r\n" {
		t.Errorf("got %q, %v, want the reply to NOOP alone", got, err)
	}
}

func TestSmarthostAnswers(t *testing.T) {
	deferred := testenv.Answer{Reply: "451 4.7.1 later", After: 1, Times: 1}
	tests := []struct {
		name    string
		answers map[session.Phase]testenv.Answer
		want    string
	}{
		{"times", map[session.Phase]testenv.Answer{session.PhaseMail: deferred},
			"220 mail.example.com ESMTP Postfix\n250 mail.example.com\n250 2.1.0 Ok\n250 2.0.0 Ok\n451 4.7.1 later\n250 2.1.0 Ok\n"},
		{"multi-line, close", map[session.Phase]testenv.Answer{session.PhaseGreeting: {Reply: "554-{host}\n554 no", Then: testenv.EndClose}},
			"554-mail.example.com\n554 no\n"},
		{"raw", map[session.Phase]testenv.Answer{session.PhaseGreeting: {Raw: "+OK\r\n", Then: testenv.EndClose}}, "+OK\n"},
		{"hello", map[session.Phase]testenv.Answer{session.PhaseHelo: {Reply: "550 bad {helo}", Then: testenv.EndClose}},
			"220 mail.example.com ESMTP Postfix\n550 bad me\n"},
	}
	for _, tt := range tests {
		s := newSmarthost(t, testenv.SmarthostOptions{Answers: tt.answers})
		got := send(t, s.Addr(), "HELO me\r\nMAIL FROM:<a@x>\r\nRSET\r\nMAIL FROM:<a@x>\r\nMAIL FROM:<a@x>\r\n")
		if got = strings.ReplaceAll(got, "\r\n", "\n"); got != tt.want {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, got, tt.want)
		}
	}
}

func TestEveryPersonaTakesMail(t *testing.T) {
	for _, name := range testenv.Personas() {
		s := newSmarthost(t, testenv.SmarthostOptions{Persona: name})
		c, err := smtp.DialStartTLS(s.Addr(), trust(s.Roots()))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		defer c.Close()
		if err := c.Auth(sasl.NewPlainClient("", "u", "p")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := c.SendMail("a@x", []string{"b@y"}, strings.NewReader("x\r\n")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLoadPersonaNamesTheKnownOnes(t *testing.T) {
	_, err := testenv.LoadPersona("nobody")
	if err == nil || !strings.Contains(err.Error(), "postfix") {
		t.Errorf("got %v, want an error that lists the personas", err)
	}
}
