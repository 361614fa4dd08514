package diagnose_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/proxy/session"
)

// replaced returns the good dialogue with some of it replaced, and cut off
// behind the last replacement.
func replaced(pairs ...string) string {
	text := wellDone
	for i := 0; i < len(pairs); i += 2 {
		at := strings.Index(text, pairs[i])
		if at < 0 {
			panic("no " + pairs[i] + " in the dialogue")
		}
		end := len(text)
		if i+2 == len(pairs) {
			end = at + len(pairs[i])
		}
		text = text[:at] + pairs[i+1] + text[at+len(pairs[i]):end]
	}
	return text + "\n\tend"
}

// What explains the failure comes first in the explanation; the rest is
// listed behind it.
func TestChanged(t *testing.T) {
	const since = "New since the last session that worked (2026-11-21 12:00 UTC): "
	const mail = "A: MAIL FROM:<me@example.com>\n\tU: 250 ok"
	for name, tt := range map[string]struct {
		dialogue string
		cause    string
		want     string // the first of what changed
		tells    bool   // the explanation begins with it
	}{
		"AUTH gone": {
			replaced(`250-AUTH PLAIN LOGIN\n`, "", "U: 235 2.7.0 ok", "U: 502 5.5.1 not implemented"),
			"auth.encryption-required", "the upstream's EHLO reply lists no AUTH any more, before: AUTH LOGIN PLAIN", true,
		},
		"a mechanism gone": {
			replaced(`AUTH PLAIN LOGIN`, "AUTH LOGIN", "U: 235 2.7.0 ok", "U: 504 5.5.4 unrecognized authentication type"),
			"auth.mechanism-unsupported", "the upstream's EHLO reply says AUTH LOGIN, before: AUTH LOGIN PLAIN", true,
		},
		"another user": {
			replaced("A! AUTH PLAIN me@example.com", "A! AUTH PLAIN you@example.com", "U: 235 2.7.0 ok", "U: 535 5.7.8 Error: authentication failed"),
			"auth.bad-credentials", "the app signed in as you@example.com, before it signed in as me@example.com", true,
		},
		"no user": {
			replaced("A! AUTH PLAIN me@example.com\n\tU: 235 2.7.0 ok\n", "", mail, "A: MAIL FROM:<me@example.com>\n\tU: 530 5.7.0 Authentication required"),
			"auth.required", "the app did not sign in, before it signed in as me@example.com", true,
		},
		"another mechanism": {
			replaced("A! AUTH PLAIN", "A! AUTH LOGIN", "U: 235 2.7.0 ok", "U: 535 5.7.8 Error: authentication failed"),
			"auth.bad-credentials", "the app signs in with LOGIN, before with PLAIN", true,
		},
		"another sender domain": {
			replaced(mail, "A: MAIL FROM:<me@other.example>\n\tU: 553 5.7.1 <me@other.example>: Sender address rejected: not owned by user me@example.com"),
			"sender.not-authorized", "the sender's domain is other.example, before it was example.com", true,
		},
		"another name": {
			replaced("A: EHLO app.local", "A: EHLO web-7", "U: 250-mx", "U: 501 5.5.4 Helo command rejected: need fully-qualified hostname"),
			"reputation.helo-rejected", "the app calls itself web-7 in EHLO, before it did app.local", true,
		},
		"a new limit": {
			replaced("SIZE 1000000", "SIZE 1000", mail, "A: MAIL FROM:<me@example.com> SIZE=20000000\n\tU: 552 5.3.4 Message size exceeds fixed limit"),
			"message.too-large", "the upstream's EHLO reply says SIZE 1000, before: SIZE 1000000", true,
		},
		"a large message": {
			replaced(mail, "A: MAIL FROM:<me@example.com> SIZE=20000000\n\tU: 552 5.3.4 Message size exceeds fixed limit"),
			"message.too-large", "the message has 20 MB, the largest that was accepted had 1000 octets (the upstream announces a limit of 1000 kB)", true,
		},
		"beside the point": {
			replaced("ESMTP Postfix", "ESMTP Exim 4.98", "U: 235 2.7.0 ok", "U: 535 5.7.8 Error: authentication failed"),
			"auth.bad-credentials", `the upstream greets with "220 mx.example.com ESMTP Exim 4.98", before with "220 mx.example.com ESMTP Postfix"`, false,
		},
		"nothing": {
			replaced("U: 235 2.7.0 ok", "U: 535 5.7.8 Error: authentication failed"), "auth.bad-credentials", "", false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCourse(t, diagnose.Options{})
			c.good(2)
			f := c.fails(tt.cause, tt.dialogue)
			if got := strings.Join(f.Changed[:min(1, len(f.Changed))], ""); got != tt.want {
				t.Errorf("got changes %q, want %q first", f.Changed, tt.want)
			}
			if got := strings.HasPrefix(f.Explanation, since+tt.want); got != tt.tells {
				t.Errorf("got explanation %q, want it to begin with the change: %v", f.Explanation, tt.tells)
			}
		})
	}
}

// Without a good session there is nothing to compare with.
func TestNothingToCompareWith(t *testing.T) {
	c := newCourse(t, diagnose.Options{})
	for range 3 {
		if f := c.fails("auth.bad-credentials", replaced("U: 235 2.7.0 ok", "U: 535 5.7.8 Error: authentication failed")); f.Changed != nil {
			t.Errorf("got changes %q, want none", f.Changed)
		}
	}
}

// What differs each time is no change: the id and the date in a greeting, the
// host in a pool, the user of one of several apps, a name made up each time.
func TestWhatVariesIsNoChange(t *testing.T) {
	c := newCourse(t, diagnose.Options{})
	vary := func(i int, dialogue string) string {
		dialogue = strings.Replace(dialogue, "220 mx.example.com ESMTP Postfix", fmt.Sprintf("220 mx%d.example.com ESMTP d9443c01a7336-2903b3d%dsm5.4 Sat, 21 Nov 2026 12:00:%02d +0000 - gsmtp", i, i, i), 1)
		dialogue = strings.ReplaceAll(dialogue, "me@example.com", []string{"me", "you"}[i%2]+"@example.com")
		return strings.Replace(dialogue, "EHLO app.local", fmt.Sprintf("EHLO pod-%d", i), 1)
	}
	for i := range 8 {
		c.run(c.session(vary(i, wellDone)))
	}
	if f := c.fails("auth.bad-credentials", vary(9, replaced("U: 235 2.7.0 ok", "U: 535 5.7.8 Error: authentication failed"))); len(f.Changed) > 0 {
		t.Errorf("got changes %q, want none", f.Changed)
	}
}

// STARTTLS that was on offer and is gone was removed on the way, as far as
// anybody can tell from here.
func TestStrippedSinceTheLastGoodSession(t *testing.T) {
	c := newCourse(t, diagnose.Options{})
	gone := replaced(`\n250 STARTTLS`, `\n250 8BITMIME`, "A! AUTH PLAIN me@example.com\n", "odd upstream tls-not-offered STARTTLS is demanded and not on offer\n")
	if got := c.run(c.session(gone)); causes(got) != "tls.not-offered" {
		t.Fatalf("got %q of an upstream that never offered it, want tls.not-offered", causes(got))
	}
	c.good(1)
	got := c.run(c.session(gone))
	if causes(got) != "tls.stripped tls.not-offered" || got[0].Certainty != inspect.Likely || got[1].Certainty != inspect.Possible {
		t.Fatalf("got %q, want tls.stripped as likely, tls.not-offered as possible", causes(got))
	}
	if want := "the upstream's EHLO reply lists no STARTTLS any more, before: STARTTLS"; !strings.Contains(got[0].Explanation, want) || got[1].Changed[0] != want {
		t.Errorf("got %q and %q, want %q in both", got[0].Explanation, got[1].Changed, want)
	}
}

func certified(c *course, names []string, serial string, verify session.VerifyFault, then string) *inspect.Session {
	s := newScript(c.t, c.upstream)
	c.n++
	c.now = c.now.Add(time.Second)
	s.now = c.now
	s.asm = inspect.NewAssembler(&session.Info{ID: fmt.Sprintf("01T%05d", c.n), Started: c.now, Route: c.route, Upstream: c.upstream})
	leaf := session.Certificate{Subject: "CN=" + names[0], Issuer: "CN=Example CA", NotBefore: noon.AddDate(0, -1, 0), NotAfter: noon.AddDate(0, 2, 0), Names: names, Serial: serial}
	tls := session.Entry{Leg: session.Upstream, From: session.FromUpstream, Kind: session.KindTLS, Phase: session.PhaseTLS,
		TLS: &session.TLS{Version: "TLS 1.3", Verified: verify == "", Verify: verify, Chain: []session.Certificate{leaf}}}
	if verify != "" {
		tls.Fault = &session.Fault{Op: "handshake", Class: session.FaultCertificate, Text: string(verify)}
	}
	s.line("open")
	s.line("U: 220 mx.example.com ESMTP Postfix")
	s.add(tls)
	for line := range strings.Lines(then) {
		if line = strings.TrimSpace(line); line != "" {
			s.line(line)
		}
	}
	return s.asm.Session()
}

func TestAnotherCertificate(t *testing.T) {
	c := newCourse(t, diagnose.Options{})
	_, talk, _ := strings.Cut(wellDone, "Postfix\n")
	c.run(certified(c, []string{"mx.example.com"}, "01", "", talk))
	got := c.run(certified(c, []string{"mail.other.example"}, "02", session.VerifyName, "P: 421 4.7.0 smtp-proxy: no\nend"))
	want := "the upstream's certificate is another one: for mail.other.example instead of mx.example.com, with serial 02 instead of 01"
	if causes(got) != "tls.certificate-name-mismatch" || got[0].Changed[0] != want || !strings.Contains(got[0].Explanation, want) {
		t.Errorf("got %q with changes %q and %q, want %q", causes(got), got[0].Changed, got[0].Explanation, want)
	}
	long := make([]string, 300)
	for i := range long {
		long[i] = strings.Repeat("x", 60) + ".example.com"
	}
	got = c.run(certified(c, long, strings.Repeat("f", 5000), session.VerifyName, "P: 421 4.7.0 smtp-proxy: no\nend"))
	if n := len(got[0].Changed[0]); n > 1000 {
		t.Errorf("got a change of %d octets, want it bounded", n)
	}
}

func TestAnotherAddress(t *testing.T) {
	c := newCourse(t, diagnose.Options{})
	c.good(1)
	after := func(entries ...session.Entry) inspect.Finding {
		s := sessionOf(t, mx, entries...)
		s.Started, s.Ended = c.now.Add(time.Second), c.now.Add(2*time.Second)
		got := c.engine.Annotate(s)
		if causes(got) != "connect.timeout" {
			t.Fatalf("got %q, want connect.timeout", causes(got))
		}
		return got[0]
	}
	f := after(dialFault(session.FaultTimeout, "192.0.2.99:587"))
	if want := "the upstream's address is 192.0.2.99, before it was 192.0.2.10"; !strings.Contains(f.Explanation, want) {
		t.Errorf("got %q, want %q", f.Explanation, want)
	}
	f = after(dialFault(session.FaultTimeout, "192.0.2.99:587"), dialFault(session.FaultTimeout, "192.0.2.10:587"))
	if f.Changed != nil {
		t.Errorf("got changes %q, want none: the known address was tried, too", f.Changed)
	}
}

// A session that is diagnosed once more is not compared with later ones.
func TestLaterSessionsDoNotCount(t *testing.T) {
	c := newCourse(t, diagnose.Options{})
	early := c.session(replaced("A! AUTH PLAIN me@example.com", "A! AUTH PLAIN you@example.com", "U: 235 2.7.0 ok", "U: 535 5.7.8 Error: authentication failed"))
	c.run(early)
	c.good(3)
	if f := c.engine.Annotate(early)[0]; f.Recurrence.Of != 1 || f.Changed != nil {
		t.Errorf("got %+v and changes %q, want 1 of 1 and none", f.Recurrence, f.Changed)
	}
}

// Another upstream on the same route since the last start is what changed,
// with its region.
func TestAnotherRegion(t *testing.T) {
	before := newCourse(t, diagnose.Options{})
	before.upstream = "email-smtp.us-east-1.amazonaws.com:587"
	c := newCourse(t, diagnose.Options{History: &records{elsewhere: before.session(wellDone)}})
	c.upstream, c.now = "email-smtp.eu-west-1.amazonaws.com:587", before.now
	refused := replaced("U: 235 2.7.0 ok", "U: 535 Authentication Credentials Invalid")
	got := c.run(c.session(refused))
	if want := "(region eu-west-1 instead of us-east-1: "; len(got) == 0 || !strings.HasPrefix(got[0].Explanation, "New since the last session on this route that worked") || !strings.Contains(got[0].Explanation, want) {
		t.Fatalf("got %q with %+v, want %q", causes(got), got, want)
	}

	c.upstream = "first.example.com:587" // several upstreams within one process are meant
	c.good(1)
	c.upstream = "second.example.com:587"
	if got := c.run(c.session(refused)); got[0].Changed != nil {
		t.Errorf("got changes %q on a route to several upstreams, want none", got[0].Changed)
	}
}
