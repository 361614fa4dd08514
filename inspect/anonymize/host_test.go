package anonymize_test

import (
	"strings"
	"testing"

	"smtp-proxy/inspect/anonymize"
	"smtp-proxy/proxy/session"
)

// A peer may say names of hosts that are no UTF-8, or longer in lower case.
func TestHostOfAnyOctets(t *testing.T) {
	for _, host := range []string{"planted-corp.com\n550 5.\xff\xff", "\xff.planted-corp.com.", "\u023a\u023a\u023a\u023a.planted-corp.com", "\xff", "."} {
		s := whole()
		s.App.Helo, s.Messages[0].To[0].Addr = host, "b@"+host
		s.Events = []session.Entry{{Kind: session.KindCommand, Verb: "EHLO", Text: "EHLO " + host}, {Kind: session.KindReply, From: session.FromUpstream, Code: 550, Text: "550 " + host}}
		got := anonymize.New().Session(s)
		if all := got.App.Helo + got.Messages[0].To[0].Addr + got.Events[0].Text + got.Events[1].Text; strings.Contains(all, "planted") {
			t.Errorf("%q: got %q, want it without the planted name", host, all)
		}
	}
}
