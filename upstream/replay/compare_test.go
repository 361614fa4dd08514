package replay_test

import (
	"testing"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
	"smtp-proxy/upstream/replay"
)

func reply(verb, text string) session.Entry {
	r, _ := wire.ParseReply(text)
	return session.Entry{Kind: session.KindReply, From: session.FromUpstream, Verb: verb, Code: r.Code, Enhanced: r.Enhanced, Text: text}
}

func TestCompare(t *testing.T) {
	for _, test := range []struct{ verb, recorded, now, want string }{
		{"RCPT", "250 2.1.5 Ok", "250 2.1.5 recipient fine", ""},
		{".", "250 2.0.0 Ok: queued as 4C2D81234A", "250 2.0.0 Ok: queued as 9F2D8123BB", ""},
		{"RCPT", "451 4.7.1 Greylisted", "250 2.1.5 Ok", "451 4.7.1 then, 250 2.1.5 now"},
		{"RCPT", "550 5.7.1 Relaying denied", "550 5.1.1 User unknown", "550 5.7.1 then, 550 5.1.1 now"},
		{"RCPT", "550 5.1.1 <a@example.com>: User unknown", "550 5.1.1 <b@example.org>: User unknown", ""},
		{"RCPT", "550 5.1.1 User unknown", "550-5.1.1 User\n550 5.1.1 unknown", ""},
		{"RCPT", "550 5.1.1 User unknown", "550 5.1.1 Mailbox closed", "other words: User unknown then, Mailbox closed now"},
		{"EHLO", "250-a.example\n250-SIZE 10\n250 STARTTLS", "250-b.example\n250-STARTTLS\n250 SIZE 10", ""},
		{"EHLO", "250-a\n250-SIZE 10\n250 STARTTLS", "250-a\n250 SIZE 10", "EHLO no longer offers STARTTLS"},
		{"EHLO", "250-a\n250 SIZE 10240000", "250-a\n250 SIZE 35882577", "EHLO offers SIZE 10240000 then, SIZE 35882577 now"},
		{"EHLO", "250-a\n250-AUTH PLAIN LOGIN\n250 AUTH=PLAIN", "250-a\n250 AUTH XOAUTH2 LOGIN", "EHLO no longer offers AUTH PLAIN, newly offers AUTH XOAUTH2"},
		{"EHLO", "250-a\n250 AUTH PLAIN LOGIN", "250-a\n250 AUTH LOGIN PLAIN", ""},
	} {
		if got := replay.Compare(reply(test.verb, test.recorded), reply(test.verb, test.now)); got != test.want {
			t.Errorf("%s: Compare(%q, %q)\n got %q\nwant %q", test.verb, test.recorded, test.now, got, test.want)
		}
	}
}
