package diagnose_test

import (
	"slices"
	"strings"
	"testing"

	"smtp-proxy/inspect/diagnose"
)

// Who sends without end is told from who sends a long line or a long reply.
func TestEndlessReplies(t *testing.T) {
	greeted := "open\nU: 220 mx.example.com ESMTP\n"
	endless := "odd upstream long-line a reply line of more than 65536 octets: "
	for _, test := range []struct {
		name, dialogue string
		cause, side    string
		words          []string // in title, explanation, steps and evidence
	}{
		{"a greeting line", "open\n" + endless + "220 mx mx mx…\nodd app opaque unread\nclose app\nend", "protocol.invalid-reply", "upstream",
			[]string{"mx.example.com sends a reply that does not end", "mx.example.com port 587", "nc mx.example.com 587 | head", "load balancer", "220 mx mx mx…"}},
		{"a greeting under TLS", "open\ntls upstream\n" + endless + "220 mx mx mx…\nclose app\nend", "protocol.invalid-reply", "upstream",
			[]string{"openssl s_client -quiet -connect mx.example.com:587"}},
		{"no reply's code", "open\n" + endless + "<html> <html>…\nclose app\nend", "connect.not-smtp", "operator",
			[]string{"HTTP (<html> <html>…)", "587 (STARTTLS)", "nc mx.example.com 587"}},
		{"to EHLO, withheld", greeted + "A: EHLO a\n" + endless + "250-mx 250-mx…\nP: 421 4.5.0 smtp-proxy: too long\nend", "protocol.invalid-reply", "upstream",
			[]string{"first suspect", "another port"}},
		{"behind one that ended", greeted + "A: HELP\n" + endless + "214-so 214-so…\nU: 214 so\nA: EHLO a\n" + endless + "250-mx 250-mx…\nclose app\nend", "protocol.invalid-reply", "upstream",
			[]string{"250-mx"}},
		{"cut off by its sender", "open\n" + endless + "220 mx mx mx…\nwait 20s\nclose upstream\nend", "protocol.invalid-reply", "upstream", nil},
		{"one that ended", greeted + "A: EHLO a\n" + endless + "250-X 250-X…\nU: 250-mx\\n250 SIZE\nA: QUIT\nU: 221 bye\nclose app\nend", "", "", nil},
		{"the app's line", greeted + "A: EHLO a\nU: 250 mx\nodd app long-line a line of more than 12288 octets\nP: 500 5.5.2 smtp-proxy: line too long\nclose app\nend",
			"protocol.line-too-long", "app", []string{"RCPT"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			found := engine(t, diagnose.Options{}).Annotate(play(t, "mx.example.com:587", test.dialogue))
			if got := causes(found); got != test.cause {
				t.Fatalf("got %q, want %q in\n%s", got, test.cause, test.dialogue)
			}
			if test.cause == "" {
				return
			}
			f := found[0]
			all := strings.Join(slices.Concat([]string{f.Title, f.Explanation}, f.Fix), "\n")
			for _, e := range f.Evidence {
				all += "\n" + e.Text
			}
			if f.Side != test.side {
				t.Errorf("got side %s, want %s", f.Side, test.side)
			}
			for _, words := range test.words {
				if !strings.Contains(all, words) {
					t.Errorf("got %q, want %q in it", all, words)
				}
			}
		})
	}
}
