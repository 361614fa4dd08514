package diagnose_test

import (
	"strings"
	"testing"

	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/proxy/session"
)

// A bug in a part of the diagnosis is reported and costs that part alone.
func TestBugsAreContained(t *testing.T) {
	var reports []error
	e := engine(t, diagnose.Options{Failed: func(err error) { reports = append(reports, err) }})
	broken := sessionOf(t, "mx.example.com:587", session.Entry{Kind: session.KindTLS, Leg: session.Side(7)})
	if got := e.Annotate(broken); len(got) != 0 {
		t.Errorf("got %v, want nothing of a session that cannot be read", causes(got))
	}
	if len(reports) == 0 || !strings.Contains(reports[0].Error(), "01TEST") {
		t.Errorf("reports %v, want one that names the session", reports)
	}
}

func TestProvider(t *testing.T) {
	e := engine(t, diagnose.Options{})
	for _, tt := range []struct{ upstream, banner, want string }{
		{"smtp.gmail.com:587", "220 smtp.gmail.com ESMTP x - gsmtp", "gmail"},
		{"email-smtp.eu-west-1.amazonaws.com:587", "220 x", "ses"},
		{"relay.example.com:25", "220 relay.example.com ESMTP Postfix (Debian/GNU)", "postfix"},
		{"contoso-com.mail.protection.outlook.com:25", "220 x Microsoft ESMTP MAIL Service ready", "microsoft365"},
		{"relay.example.com:25", "220 relay.example.com ESMTP", ""},
		{"192.0.2.1:25", "220 hello", ""},
	} {
		if got := e.Provider(sessionOf(t, tt.upstream, greeting(tt.banner))); got != tt.want {
			t.Errorf("provider of %s %q = %q, want %q", tt.upstream, tt.banner, got, tt.want)
		}
	}
}

func TestRuledOut(t *testing.T) {
	e := engine(t, diagnose.Options{})
	s := play(t, "mx.example.com:587", `
		open
		U: 220 mx
		tls upstream
		A: EHLO a
		U: 250-mx\n250 AUTH PLAIN
		A! AUTH PLAIN me@example.com
		U: 235 ok
		A: MAIL FROM:<b@example.com>
		U: 553 5.7.1 <b@example.com>: Sender address rejected: not owned by user me@example.com
		end`)
	got := e.Annotate(s)
	if causes(got) != "sender.not-authorized" {
		t.Fatalf("got %q, want sender.not-authorized", causes(got))
	}
	all := strings.Join(got[0].RuledOut, "; ")
	for _, want := range []string{"mx.example.com answers on port 587", "TLS with mx.example.com stands", "the sign-in was accepted"} {
		if !strings.Contains(all, want) {
			t.Errorf("ruled out %q, want %q in it", all, want)
		}
	}
	if !strings.Contains(got[0].Title, "me@example.com may not send as b@example.com") {
		t.Errorf("title %q does not name user and sender", got[0].Title)
	}
}
