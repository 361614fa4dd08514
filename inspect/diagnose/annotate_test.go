package diagnose_test

import (
	"strings"
	"testing"

	"smtp-proxy/inspect/diagnose"
)

const begin = `
	open
	U: 220 mx.example.com ESMTP
	A: EHLO app.local
	U: 250-mx.example.com\n250-SIZE 1000000\n250-AUTH PLAIN LOGIN\n250 STARTTLS
`

// Sessions in which the app got what it wanted, if by a detour.
func TestHealthySessionsHaveNoFinding(t *testing.T) {
	e := engine(t, diagnose.Options{})
	for name, dialogue := range map[string]string{
		"delivered": begin + `
			A: MAIL FROM:<a@example.com>
			U: 250 ok
			A: RCPT TO:<b@example.net>
			U: 250 ok
			A: DATA
			U: 354 go
			data
			U: 250 2.0.0 queued
			A: QUIT
			U: 221 bye
			close upstream
			close app
			end`,
		"left without QUIT": begin + `
			A: MAIL FROM:<a@example.com>
			U: 250 ok
			A: RCPT TO:<b@example.net>
			U: 250 ok
			A: DATA
			U: 354 go
			data
			U: 250 2.0.0 queued
			close app
			end`,
		"left without QUIT, and the server says so": begin + `
			A: MAIL FROM:<a@example.com>
			U: 250 ok
			A: RCPT TO:<b@example.net>
			U: 250 ok
			A: DATA
			U: 354 go
			data
			U: 250 OK id=1xUhwr-0003oF-0l
			close app
			U: 421 exim.example.com lost input connection
			close upstream
			end`,
		"HELO after a refused EHLO": `
			open
			U: 220 mx ESMTP
			A: EHLO app
			U: 502 unknown
			A: HELO app
			U: 250 mx
			A: QUIT
			U: 221 bye
			end`,
		"second mechanism accepted": begin + `
			A! AUTH CRAM-MD5 me
			U: 504 5.5.4 Unrecognized authentication type
			A! AUTH PLAIN me
			U: 235 2.7.0 ok
			A: QUIT
			U: 221 bye
			end`,
		"a question refused, the mail delivered": begin + `
			A: VRFY bob
			U: 502 5.5.1 VRFY command is disabled
			A: MAIL FROM:<a@example.com>
			U: 250 ok
			A: RCPT TO:<b@example.net>
			U: 250 ok
			A: DATA
			U: 354 go
			data
			U: 250 ok
			end`,
		"MAIL again without a parameter": begin + `
			A: MAIL FROM:<a@example.com> RET=HDRS
			U: 555 5.5.4 Unsupported option: RET=HDRS
			A: MAIL FROM:<a@example.com>
			U: 250 ok
			A: RCPT TO:<b@example.net>
			U: 250 ok
			A: DATA
			U: 354 go
			data
			U: 250 ok
			end`,
		"a port check":                    "open\nU: 220 mx\nclose app\nend",
		"an idle connection that is cut":  begin + "wait 300s\nclose upstream\nend",
		"an idle connection ended by 421": begin + "wait 300s\nodd app shutdown the proxy is stopping\nend",
	} {
		if got := e.Annotate(play(t, "mx.example.com:587", dialogue)); len(got) != 0 {
			t.Errorf("%s: got %s %q, want no finding", name, causes(got), got[0].Explanation)
		}
	}
}

func TestCausesOfSessions(t *testing.T) {
	e := engine(t, diagnose.Options{})
	for name, tt := range map[string]struct{ upstream, dialogue, want string }{
		"535":                      {"mx.example.com:587", begin + "A! AUTH PLAIN me@example.com\nU: 535 5.7.8 Error: authentication failed\nclose app\nend", "auth.bad-credentials"},
		"535, connection lost":     {"mx.example.com:587", begin + "A! AUTH PLAIN me@example.com\nU: 535 Incorrect authentication data\nclose app\nU: 421 exim.example.com lost input connection\nend", "auth.bad-credentials"},
		"535 then MAIL":            {"mx.example.com:587", begin + "A! AUTH PLAIN me@example.com\nU: 535 5.7.8 Error: authentication failed\nA: MAIL FROM:<a@example.com>\nU: 530 5.7.0 Authentication required\nend", "auth.bad-credentials"},
		"mechanism not on offer":   {"mx.example.com:587", begin + "A! AUTH CRAM-MD5 me@example.com\nU: 535 5.7.8 no\nend", "auth.mechanism-unsupported auth.bad-credentials"},
		"no AUTH in clear":         {"mx.example.com:587", "open\nU: 220 mx\nA: EHLO a\nU: 250-mx\\n250 STARTTLS\nA! AUTH PLAIN me\nU: 503 5.5.1 AUTH not available\nend", "auth.encryption-required"},
		"no sign-in":               {"mx.example.com:587", begin + "A: MAIL FROM:<a@example.com>\nU: 530 5.7.0 Authentication required\nend", "auth.required"},
		"user without domain":      {"smtp.gmail.com:587", begin + "A! AUTH PLAIN me\nU: 535-5.7.8 Username and Password not accepted.\\n535 5.7.8 BadCredentials - gsmtp\nend", "auth.username-format auth.bad-credentials"},
		"unknown recipient":        {"mx.example.com:587", begin + "A: MAIL FROM:<a@example.com>\nU: 250 ok\nA: RCPT TO:<nobody@example.net>\nU: 550 5.1.1 <nobody@example.net>: Recipient address rejected: User unknown in virtual mailbox table\nA: QUIT\nU: 221 bye\nend", "recipient.unknown"},
		"pipelined after refusals": {"mx.example.com:587", begin + "A: MAIL FROM:<a@example.com>\nA: RCPT TO:<x@example.net>\nA: RCPT TO:<y@example.net>\nA: DATA\nU: 250 ok\nU: 550 5.1.1 User unknown\nU: 550 5.1.1 User unknown\nU: 554 5.5.1 Error: no valid recipients\nend", "recipient.unknown"},
		"refused greeting":         {"mx.example.com:25", "open\nU: 554 mx.example.com No SMTP service here\nend", "connect.rejected"},
		"silent upstream":          {"mx.example.com:587", "open\nwait 30s\nclose app\nend", "connect.no-greeting"},
		"silent on 465":            {"mx.example.com:465", "open\nwait 30s\nclose app\nend", "tls.implicit-expected"},
		"closed before greeting":   {"mx.example.com:587", "open\nclose upstream\nP: 421 4.4.2 smtp-proxy: closed\nend", "connect.closed"},
		"IMAP":                     {"mx.example.com:143", "open\nodd upstream invalid-reply a line that is no SMTP reply: * OK Dovecot ready.\nclose app\nend", "connect.not-smtp"},
		"upstream speaks TLS":      {"mx.example.com:587", "open\nodd upstream tls-on-plain a TLS record\nclose upstream\nend", "tls.implicit-expected"},
		"app speaks TLS":           {"mx.example.com:587", "open\nU: 220 mx\nodd app tls-on-plain\nclose app\nend", "tls.plaintext-expected"},
		"STARTTLS masked":          {"mx.example.com:587", "open\nU: 220 ****\nA: EHLO a\nU: 250-mx\\n250 XXXXXXXA\nA: QUIT\nU: 221 bye\nend", "tls.stripped"},
		"STARTTLS not offered":     {"mx.example.com:587", "open\nU: 220 mx\nA: EHLO a\nU: 250 mx\nodd upstream tls-not-offered\nend", "tls.not-offered"},
		"STARTTLS refused":         {"mx.example.com:587", begin + "own: 454 4.7.0 TLS not available due to local problem\nodd upstream tls-refused\nend", "tls.starttls-refused"},
		"closed in mid-session":    {"mx.example.com:587", begin + "A: MAIL FROM:<a@example.com>\nclose upstream\nP: 421 4.4.2 smtp-proxy: closed\nend", "upstream.closed"},
		"app left in transaction":  {"mx.example.com:587", begin + "A: MAIL FROM:<a@example.com>\nU: 250 ok\nclose app\nend", "app.disconnected"},
		"app gave up waiting":      {"mx.example.com:587", begin + "A: MAIL FROM:<a@example.com>\nwait 15s\nclose app\nend", "upstream.timeout"},
		"upstream gave up waiting": {"mx.example.com:587", begin + "A: MAIL FROM:<a@example.com>\nU: 250 ok\nwait 60s\nclose upstream\nend", "app.timeout"},
		"silent upstream noted":    {"mx.example.com:587", begin + "A: MAIL FROM:<a@example.com>\nwait 300s\nodd upstream timeout silent\nend", "upstream.timeout"},
		"HTTP":                     {"mx.example.com:587", "open\nU: 220 mx\nodd app http\nend", "protocol.not-smtp"},
		"smuggling":                {"mx.example.com:587", begin + "A: MAIL FROM:<a@example.com>\nU: 250 ok\nodd app smuggling an ambiguous end of data (LF.LF) was refused\nend", "protocol.smuggling"},
		"stopped in a message":     {"mx.example.com:587", begin + "A: MAIL FROM:<a@example.com>\nU: 250 ok\nodd app shutdown stopping\nP: 421 4.3.2 smtp-proxy: shutting down\nend", "proxy.shutting-down"},
		"unknown words":            {"mx.example.com:587", begin + "A: MAIL FROM:<a@example.com>\nU: 459 Zut\nend", "unclassified.temporary"},
		"while it runs":            {"mx.example.com:587", begin + "A: MAIL FROM:<a@example.com>\nU: 250 ok\nA: RCPT TO:<b@example.net>\nU: 550 5.1.1 User unknown", "recipient.unknown"},
	} {
		got := e.Annotate(play(t, tt.upstream, tt.dialogue))
		if causes(got) != tt.want {
			t.Errorf("%s: got %q, want %q", name, causes(got), tt.want)
		}
		for _, f := range got {
			if len(f.Evidence) == 0 || len(f.Fix) == 0 || f.Retry.Advice == "" || f.Side == "" || strings.ContainsAny(f.Title+f.Explanation+strings.Join(f.Fix, ""), "{}") {
				t.Errorf("%s: %s is incomplete: %+v", name, f.Cause, f)
			}
		}
	}
}

// Several recipients refused for the same reason are one finding that points
// at each refusal.
func TestRecipientsAreOneFinding(t *testing.T) {
	e := engine(t, diagnose.Options{})
	s := play(t, "mx.example.com:587", begin+`
		A: MAIL FROM:<a@example.com>
		U: 250 ok
		A: RCPT TO:<x@example.net>
		U: 550 5.1.1 User unknown
		A: RCPT TO:<b@example.net>
		U: 250 ok
		A: RCPT TO:<y@example.net>
		U: 550 5.1.1 User unknown
		A: RCPT TO:<z@example.net>
		U: 452 4.2.2 Mailbox full
		A: DATA
		U: 354 go
		data
		U: 250 ok
		end`)
	got := e.Annotate(s)
	if causes(got) != "recipient.unknown recipient.mailbox-full" || len(got[0].Evidence) != 2 {
		t.Fatalf("got %s with evidence %v, want recipient.unknown (two refusals) and recipient.mailbox-full", causes(got), got)
	}
	for _, ev := range got[0].Evidence {
		if !strings.HasPrefix(ev.Text, "550 5.1.1") || s.Events[ev.Event-1].Text != ev.Text {
			t.Errorf("evidence %+v does not point at its reply", ev)
		}
	}
	if !strings.Contains(got[0].Title, "x@example.net") {
		t.Errorf("title %q does not name the recipient", got[0].Title)
	}
}
