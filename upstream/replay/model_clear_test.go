package replay_test

import (
	"strings"
	"testing"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream/replay"
)

// An app that says EHLO in clear and goes on to STARTTLS does not speak in
// clear: another one that mails so does it in another way.
func TestModelTellsAnAppInClear(t *testing.T) {
	said := func(verb string, secure bool) session.Entry {
		return session.Entry{Leg: session.App, From: session.FromApp, Kind: session.KindCommand, Verb: verb, Text: verb, Secure: secure}
	}
	replied := func(e session.Entry, verb, text string) session.Entry {
		e.From, e.Kind, e.Verb, e.Text, e.Code = session.FromUpstream, session.KindReply, verb, text, 250
		return e
	}
	up := session.Entry{Leg: session.Upstream, Secure: true}
	begin := []session.Entry{
		{Leg: session.Upstream, From: session.FromUpstream, Kind: session.KindGreeting, Text: "220 mx", Code: 220},
		{Leg: session.Upstream, Kind: session.KindTLS, Secure: true, TLS: &session.TLS{}},
		said("EHLO", false), replied(up, "EHLO", "250 mx"),
	}
	for name, test := range map[string]struct {
		rest []session.Entry
		want bool
	}{
		"clear":    {[]session.Entry{said("MAIL", false), replied(up, "MAIL", "250 ok")}, true},
		"upgraded": {[]session.Entry{said("STARTTLS", false), said("EHLO", true), replied(up, "EHLO", "250 mx"), said("MAIL", true), replied(up, "MAIL", "250 ok")}, false},
	} {
		model := replay.Learn(replay.Recording{ID: name, Entries: append(begin[:len(begin):len(begin)], test.rest...)})
		if got := strings.Contains(strings.Join(model.Lacks(), "\n"), "spoke in clear"); got != test.want {
			t.Errorf("%s: got told of it %t, want %t", name, got, test.want)
		}
	}
}
