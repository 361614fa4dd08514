package web

import (
	"fmt"
	"testing"
	"time"

	"smtp-proxy/proxy/session"
)

func TestPicture(t *testing.T) {
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	days := func(name, issuer string, from, until int) session.Certificate {
		return session.Certificate{Subject: name, Issuer: issuer, Serial: name, NotBefore: at.AddDate(0, 0, from), NotAfter: at.AddDate(0, 0, until), Names: []string{name}}
	}
	leaf, old, ca, root := days("leaf", "ca", -50, 50), days("old", "ca", -100, -10), days("ca", "root", -100, 300), days("root", "root", -100, 300)
	for name, test := range map[string]struct {
		tls  session.TLS
		want string
	}{
		"fine":       {session.TLS{Chain: []session.Certificate{leaf, ca}, Verified: true, Path: []session.Certificate{leaf, ca, root}}, "leaf() ca() root(signs itself, from the trust store) "},
		"root sent":  {session.TLS{Chain: []session.Certificate{leaf, root}, Path: []session.Certificate{leaf, root}}, "leaf() root(signs itself) "},
		"expired":    {session.TLS{Chain: []session.Certificate{old, ca}, Verify: session.VerifyExpired}, "old✕(expired 10 days before) ca() "},
		"name":       {session.TLS{Chain: []session.Certificate{leaf, ca}, Verify: session.VerifyName}, "leaf✕(is for leaf) ca() "},
		"untrusted":  {session.TLS{Chain: []session.Certificate{leaf, root}, Verify: session.VerifyUntrusted}, "leaf() root✕(signs itself, not trusted) "},
		"self":       {session.TLS{Chain: []session.Certificate{root}, Verify: session.VerifySelfSigned}, "root✕(signs itself, not trusted) "},
		"weak":       {session.TLS{Chain: []session.Certificate{leaf, ca}, Verify: session.VerifyWeak}, "leaf✕(weak) ca() "},
		"incomplete": {session.TLS{Chain: []session.Certificate{leaf}, Verify: session.VerifyIncomplete, RootHint: "ca"}, "leaf() ca✕(not sent by the upstream) "},
		"repaired":   {session.TLS{Chain: []session.Certificate{leaf}, Verify: session.VerifyIncomplete, Repaired: []session.Certificate{ca}}, "leaf() ca✕(not sent by the upstream) "},
		"none":       {session.TLS{Verify: session.VerifyIncomplete}, ""},
	} {
		got := ""
		for _, l := range pictureOf(&test.tls, at, time.UTC) {
			mark := ""
			if l.Glyph == "✕" {
				mark = l.Glyph
			}
			got += fmt.Sprintf("%s%s(%s) ", l.Subject, mark, l.State)
		}
		if got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

func TestValidityBar(t *testing.T) {
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		from, until int
		want        validityBar
	}{{-50, 50, validityBar{60, 50, 0}}, {-100, -4, validityBar{114, 100, 4}}, {-100, -50, validityBar{118, 100, 8}}, {50, 150, validityBar{2, 0, 0}}, {0, 100, validityBar{10, 0, 0}}} {
		got := barOf(at.AddDate(0, 0, test.from), at.AddDate(0, 0, test.until), at)
		if got == nil || *got != test.want {
			t.Errorf("%d to %d days: got %+v, want %+v", test.from, test.until, got, test.want)
		}
	}
	if got := barOf(at, at, at); got != nil {
		t.Errorf("a certificate valid for no time: got %+v, want none", got)
	}
}
