package diagnose_test

import (
	"strings"
	"testing"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/proxy/session"
)

// published is what example.org says of 203.0.113.5.
func published(result, cause, text string, parts ...string) session.Entry {
	e := asked("sender", result, cause, parts...)
	e.Probe.Target, e.Text = "example.org", text
	return e
}

// What the domain publishes is evidence, and tells what of it is to be changed.
func TestAnswerOfSender(t *testing.T) {
	refused := func(text string) *inspect.Session {
		return play(t, "mx.example.com:25", "open\nU: 220 mx\nA: EHLO a\nU: 250 mx\nA: MAIL FROM:<me@example.org>\nU: 250 ok\nA: RCPT TO:<you@example.com>\nU: "+text+"\nA: QUIT\nU: 221 bye\nclose upstream\nend")
	}
	signedIn := strings.NewReplacer("U: 250 2.0.0 queued", "U: 550 5.7.23 SPF validation failed").Replace(
		"open\nU: 220 mx\nA: EHLO a\nU: 250 mx\nA! AUTH PLAIN me\nU: 235 ok\nA: MAIL FROM:<me@example.org>\nU: 250 ok\nA: RCPT TO:<you@example.com>\nU: 250 ok\nA: DATA\nU: 354 go\ndata\nU: 250 2.0.0 queued\nA: QUIT\nU: 221 bye\nend")
	const spf = "550 5.7.23 SPF validation failed for [203.0.113.5]"
	runAnswered(t, []answered{
		{"not allowed", refused(spf), "sender",
			published("fail", "sender.spf-failed", "SPF of example.org for 203.0.113.5 is fail by -all; example.org has no DMARC record", "spf fail -all", "dmarc absent"),
			"sender.spf-failed", inspect.Certain, "operator", []string{"SPF of example.org for 203.0.113.5 is fail by -all"}, "in front of what decides now (-all)"},
		{"no record", refused("550 5.7.26 This mail has been blocked because the sender is unauthenticated."), "sender",
			published("fail", "sender.spf-failed", "example.org has none", "spf none it has no SPF record"),
			"sender.unauthenticated", inspect.Certain, "operator", []string{"example.org has none"}, "Publish an SPF record for example.org"},
		{"a record that cannot be read", refused(spf), "sender",
			published("fail", "sender.spf-failed", "broken", "spf permerror it takes 12 look-ups, 10 are allowed"),
			"sender.spf-failed", inspect.Certain, "operator", nil, "cannot read: it takes 12 look-ups, 10 are allowed."},
		{"allowed by now", refused(spf), "sender",
			published("ok", "", "pass", "spf pass ip4:203.0.113.5"),
			"sender.spf-failed", inspect.Certain, "operator", []string{"the receiver saw another one"}, "SPF record of"},
		{"the policy", refused("550 5.7.26 Unauthenticated email from example.org is not accepted due to domain's DMARC policy."), "sender",
			published("ok", "", "example.org asks receivers to refuse mail that fails (p=reject)", "dmarc reject"),
			"sender.dmarc-failed", inspect.Certain, "operator", []string{"(p=reject)"}, ""},
		{"signed in, the address is another", play(t, "smtp.example.com:587", signedIn), "sender",
			published("fail", "sender.spf-failed", "SPF of example.org for 203.0.113.5 is fail by -all", "spf fail -all"),
			"sender.spf-failed", inspect.Certain, "operator", []string{"which delivers from addresses of its own"}, "Add the smarthost to the SPF record"},
	})
}

// What one domain publishes is no word about the mail of another one that was
// refused in the same session.
func TestSenderOfAnotherMail(t *testing.T) {
	e := engine(t, diagnose.Options{})
	s := play(t, "mx.example.com:25", "open\nU: 220 mx\nA: EHLO a\nU: 250 mx\nA: MAIL FROM:<me@example.org>\nU: 550 5.7.23 SPF validation failed for [203.0.113.5]\n"+
		"A: MAIL FROM:<you@example.net>\nU: 550 5.7.26 This mail has been blocked because the sender is unauthenticated.\nA: QUIT\nU: 221 bye\nend")
	answer := published("fail", "sender.unauthenticated", "example.org has none", "spf none it has no SPF record")
	answer.Seq = len(s.Events) + 1
	s.Answer(&answer)
	told := map[string]bool{}
	for _, f := range e.Annotate(s) {
		told[f.Cause] = strings.Contains(f.Explanation+strings.Join(f.Fix, " "), "example.org has none") || strings.Contains(strings.Join(f.Fix, " "), "Publish an SPF record for example.org")
	}
	if !told["sender.spf-failed"] || told["sender.unauthenticated"] || len(told) != 2 {
		t.Errorf("told of example.org: %v, want it of the mail from there alone", told)
	}
}

// The question is about the sender of the mail that was refused.
func TestSenderIsAskedFor(t *testing.T) {
	e := engine(t, diagnose.Options{})
	for from, want := range map[string]string{"me@example.org": "sender example.org 203.0.113.5", "": ""} {
		s := play(t, "mx.example.com:25", "open\nU: 220 mx\nA: EHLO a\nU: 250 mx\nA: MAIL FROM:<other@example.net>\nU: 250 ok\nA: RSET\nU: 250 ok\nA: MAIL FROM:<"+from+
			">\nU: 550 5.7.23 SPF validation failed for [203.0.113.5]\nA: MAIL FROM:<late@example.edu>\nU: 250 ok\nA: QUIT\nU: 221 bye\nend")
		s.Findings = e.Annotate(s)
		got := ""
		for _, q := range e.Questions(s) {
			got += q.Probe + " " + q.Domain + " " + q.Addr.String()
		}
		if got != want {
			t.Errorf("of a mail from %q, %s: asked %q, want %q", from, causes(s.Findings), got, want)
		}
	}
}
