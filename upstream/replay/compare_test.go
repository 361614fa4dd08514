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
		{"RCPT", "550 5.1.1 User unknown", "550 5.1.1 Mailbox closed", `other words: "User unknown" then, "Mailbox closed" now`},
		{"RCPT", "550 5.1.1 <a@example.com>: User unknown in local recipient table", "550 5.1.1 <a@example.com>: User unknown in virtual mailbox table", `other words: "local recipient" then, "virtual mailbox" now`},
		{"RCPT", "550 5.1.1 User unknown", "550 5.1.1 User unknown here", `other words: nothing then, "here" now`},
		{"RCPT", "550 5.1.1 USER UNKNOWN", "550 5.1.1 User unknown", ""},
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

func TestCompareGreetings(t *testing.T) {
	const postfix = "220 mx1.example.com ESMTP Postfix"
	for _, test := range []struct{ recorded, now, want string }{
		{postfix, "220 mx2.example.com ESMTP Postfix", ""},
		{postfix, "220 localhost ESMTP Postfix", ""},
		{postfix, "220 mx1.example.com ESMTP Exim 4.96 Fri, 20 Nov 2026 09:04:00 +0000", `other software: "postfix" then, "exim" now`},
		{"220 mx ESMTP Exim 4.89 Mon, 25 Jan 2021 16:34:02 +1000", "220 mx ESMTP Exim 4.96 Fri, 20 Nov 2026 09:04:00 +0000", ""},
		{"220 mx.google.com ESMTP d9443c01a7336-2c8a7f31bd4si91234565ad.441 - gsmtp", "220 mx.google.com ESMTP k9sm10841846wro.80 - gsmtp", ""},
		{"220 gmx.com (mrgmx001) Nemesis ESMTP Service ready", "220 gmx.com (mrgmx117) Nemesis ESMTP Service ready", ""},
		{postfix, "554 5.7.1 go away", "220 then, 554 5.7.1 now"},
		{"554 mx1 blocked by zen.spamhaus.org", "554 mx1 blocked by bl.spamcop.net", `other words: "zen.spamhaus.org" then, "bl.spamcop.net" now`},
	} {
		a, b := reply("", test.recorded), reply("", test.now)
		a.Kind, b.Kind = session.KindGreeting, session.KindGreeting
		if got := replay.Compare(a, b); got != test.want {
			t.Errorf("Compare(%q, %q)\n got %q\nwant %q", test.recorded, test.now, got, test.want)
		}
	}
}
