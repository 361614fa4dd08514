//go:build rigs

package rigs_test

import (
	"net"
	"path/filepath"
	"testing"

	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
)

// failure is one way in which a smarthost fails an app that does everything
// right, and what that app is set to.
type failure struct {
	name  string
	fault string                   // of testenv
	opts  testenv.SmarthostOptions // of the smarthost, where it is no named fault
	mech  string                   // how the app signs in; empty for not at all
	tls   string                   // how it secures the connection; empty for STARTTLS
	mode  string                   // --upstream-tls of the relay that records it; empty for auto
	by    string                   // the program whose session is recorded; empty for smtplib

	// beyond names the programs that ask for more than the recording can tell:
	// what comes behind a handshake that was given up, of a TLS version that was
	// not offered, to a command that was not sent, in the second line of what is
	// no reply.
	beyond []string

	fine bool // the message is taken
}

// failures are what is recorded and served. The ones above are decided by
// replies, those below by the end of a connection or a handshake.
func failures() []failure {
	reply := func(phase session.Phase, text string) testenv.SmarthostOptions {
		return testenv.SmarthostOptions{Answers: map[session.Phase]testenv.Answer{phase: {Reply: text}}}
	}
	return []failure{
		{name: "nothing wrong", fine: true},
		{name: "nothing wrong, signed in", mech: "LOGIN", fine: true},
		{name: "nothing wrong, implicit TLS", opts: testenv.SmarthostOptions{Implicit: true}, tls: implicit, mode: implicit, fine: true},
		{name: "recipient refused", fault: "recipient.unknown"},
		{name: "recipient refused, implicit TLS", tls: implicit, mode: implicit, opts: withImplicit(reply(session.PhaseRcpt, "550 5.1.1 <{to}>: no such user"))},
		{name: "recipient refused in clear", fault: "recipient.unknown", tls: clear, mode: clear},
		{name: "sender refused", fault: "sender.rejected"},
		{name: "quota", opts: reply(session.PhaseRcpt, "552 5.2.2 <{to}>: over quota")},
		{name: "greylisted", opts: reply(session.PhaseRcpt, "451 4.7.1 <{to}>: greylisted, come back in 300 seconds")},
		{name: "wrong password", fault: "auth.bad-credentials", mech: "PLAIN"},
		{name: "mechanism missing", mech: "PLAIN", by: "nodemailer", opts: withoutPLAIN(reply(session.PhaseAuth, "504 5.5.4 Unrecognized authentication type"))},
		{name: "STARTTLS missing", fault: "tls.not-offered", mode: starttls, beyond: []string{"nodemailer"}},
		{name: "STARTTLS refused", fault: "tls.starttls-refused"},
		{name: "message refused", fault: "message.spam"},
		{name: "DATA refused", opts: reply(session.PhaseData, "451 4.3.0 no room for a message just now")},
		{name: "421 at the greeting", fault: "upstream.unavailable"},
		{name: "421 at MAIL", fault: "upstream.unavailable/mail"},
		{name: "closed at RCPT", fault: "upstream.closed"},
		{name: "closed behind the dot", fault: "upstream.closed/after-the-dot"},
		{name: "closed before the greeting", fault: "connect.closed"},
		{name: "no SMTP", fault: "connect.not-smtp", beyond: []string{"swaks"}},

		{name: "certificate expired", fault: "tls.certificate-expired"},
		{name: "certificate for another name", fault: "tls.certificate-name-mismatch", beyond: []string{"swaks"}},
		{name: "certificate untrusted", fault: "tls.certificate-untrusted"},
		{name: "certificate self-signed", fault: "tls.certificate-self-signed"},
		{name: "chain incomplete", fault: "tls.chain-incomplete/lost"},
		{name: "TLS version", fault: "tls.version-mismatch", beyond: []string{"swaks", "curl"}},
		{name: "TLS cipher", fault: "tls.cipher-mismatch"},
		{name: "TLS closed in the handshake", fault: "tls.handshake-reset/closed"},
		{name: "TLS expected at once", fault: "tls.plaintext-expected", tls: implicit, mode: implicit},
	}
}

func withImplicit(o testenv.SmarthostOptions) testenv.SmarthostOptions {
	o.Implicit = true
	return o
}

// withoutPLAIN offers no mechanism that the programs know. nodemailer signs in
// regardless.
func withoutPLAIN(o testenv.SmarthostOptions) testenv.SmarthostOptions {
	o.EHLO = []string{"PIPELINING", "SIZE 52428800", "AUTH NTLM GSSAPI", "STARTTLS", "8BITMIME"}
	return o
}

// target is where a program is sent: a smarthost or what plays it.
type target struct {
	addr string // localhost:port
	ca   string // PEM file
	host *testenv.Smarthost
}

// taken counts the messages that the smarthost has taken.
func (at target) taken() int {
	if at.host == nil {
		return 0
	}
	return len(at.host.Messages())
}

// start puts the smarthost up afresh, under the name localhost.
func (f failure) start(t *testing.T) target {
	t.Helper()
	if f.fault == "" {
		o := f.opts
		o.Host = "localhost"
		s, err := testenv.NewSmarthost(o)
		must(t, err)
		t.Cleanup(func() { s.Close() })
		return target{"localhost:" + port(s.Addr()), f.roots(t, s.Roots()), s}
	}
	s, err := testenv.StartFault(f.fault, testenv.FaultOptions{Host: "localhost"})
	must(t, err)
	t.Cleanup(func() { s.Close() })
	_, at, err := net.SplitHostPort(s.Upstream)
	must(t, err)
	return target{"localhost:" + at, f.roots(t, s.Roots), s.Smarthost}
}

// roots writes what the program is to trust: the smarthost's authority, or
// another one when nobody is to know that.
func (f failure) roots(t *testing.T, pem []byte) string {
	t.Helper()
	if pem == nil {
		ca, err := testenv.NewCA()
		must(t, err)
		pem = ca.PEM()
	}
	return write(t, filepath.Join(t.TempDir(), "ca.pem"), string(pem))
}

// job is what the programs are asked to do.
func (f failure) job(at target, file string) job {
	j := job{
		Addr: at.addr, CA: at.ca, TLS: f.tls, Mech: f.mech, User: "app@example.com", Password: password,
		Helo: "app.rig.test", From: "app@example.com", To: []string{"user@example.net"}, File: file,
	}
	if j.TLS == "" {
		j.TLS = starttls
	}
	return j
}
