package upstream_test

import (
	"strings"
	"testing"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

const aDay = 24 * time.Hour

// lasting is a certificate that began so long before now and ends so long
// behind it.
func lasting(subject string, now time.Time, since, left time.Duration) session.Certificate {
	return session.Certificate{Subject: subject, NotBefore: now.Add(-since), NotAfter: now.Add(left), Key: "ECDSA P-256"}
}

func TestExpiryNote(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	root := lasting("CN=Root", now, 9000*aDay, 10*aDay)
	issuer := lasting("CN=R10", now, 300*aDay, 700*aDay)
	trusted := func(path ...session.Certificate) *session.TLS {
		return &session.TLS{Verified: true, Chain: path[:1], Path: append(path, root)}
	}
	tests := []struct {
		name  string
		facts *session.TLS
		words string // of the note; empty when none is due
	}{
		{"long to go", trusted(lasting("CN=a", now, 30*aDay, 60*aDay), issuer), ""},
		{"31 days", trusted(lasting("CN=a", now, 60*aDay, 31*aDay), issuer), ""},
		{"30 days", trusted(lasting("CN=a", now, 60*aDay, 30*aDay), issuer), "the smarthost's certificate ends on 2026-12-21, in 30 days"},
		{"one day", trusted(lasting("CN=a", now, 89*aDay, aDay), issuer), "in 1 day:"},
		{"an hour", trusted(lasting("CN=a", now, 90*aDay, time.Hour), issuer), "in 1h0m0s"},
		{"the issuer's first", trusted(lasting("CN=a", now, 60*aDay, 20*aDay), lasting("CN=R10", now, 900*aDay, 5*aDay)), "its issuer, CN=R10, ends on 2026-11-26"},
		{"the leaf first", trusted(lasting("CN=a", now, 60*aDay, 4*aDay), lasting("CN=R10", now, 900*aDay, 5*aDay)), "the smarthost's certificate ends on 2026-11-25"},
		{"a short-lived one, fresh", trusted(lasting("CN=a", now, aDay, 5*aDay), issuer), ""},
		{"a short-lived one in its last third", trusted(lasting("CN=a", now, 4*aDay, 2*aDay), issuer), "in 2 days"},
		{"without a path", &session.TLS{Verified: true, Chain: []session.Certificate{lasting("CN=a", now, 60*aDay, 3*aDay)}}, "in 3 days"},
		{"trusted by itself", &session.TLS{Verified: true, Chain: []session.Certificate{root}, Path: []session.Certificate{root}}, "in 10 days"},
		{"not trusted", &session.TLS{Verify: session.VerifyUntrusted, Chain: []session.Certificate{lasting("CN=a", now, 60*aDay, aDay)}}, ""},
		{"no certificate", &session.TLS{Verified: true}, ""},
		{"no facts", nil, ""},
	}
	for _, tt := range tests {
		text, due := upstream.ExpiryNote(tt.facts, now)
		if due != (tt.words != "") || !strings.Contains(text, tt.words) || due != (text != "") {
			t.Errorf("%s: %q, due %v; want %q", tt.name, text, due, tt.words)
		}
	}
}

func TestStrengthNote(t *testing.T) {
	tests := map[string]string{"RSA 2048": "", "RSA 4096": "", "RSA 1024": "RSA key of 1024 bits", "RSA 2047": "2047 bits", "ECDSA P-256": "", "Ed25519": "", "RSA": "", "": ""}
	for key, words := range tests {
		facts := &session.TLS{Verified: true, Chain: []session.Certificate{{Key: "ECDSA P-256"}, {Subject: "CN=R10", Key: key}}}
		text, due := upstream.StrengthNote(facts)
		if due != (words != "") || !strings.Contains(text, words) {
			t.Errorf("key %q: %q, due %v; want %q", key, text, due, words)
		}
		if facts.Verified = false; due {
			if text, due := upstream.StrengthNote(facts); due {
				t.Errorf("key %q of a chain not trusted: %q, want none", key, text)
			}
		}
	}
}

func TestNotes(t *testing.T) {
	now := time.Now()
	soon := lasting("CN=a", now, 60*aDay, 3*aDay)
	soon.Key = "RSA 1024"
	notes := upstream.Notes(&session.TLS{Verified: true, Chain: []session.Certificate{soon}}, now)
	if len(notes) != 2 || notes[0].Odd != session.OddExpiring || notes[1].Odd != session.OddShortKey {
		t.Fatalf("notes %+v, want one on the end and one on the key", notes)
	}
	for _, e := range notes {
		if e.Kind != session.KindNote || e.Leg != session.Upstream || e.From != session.FromProxy || e.Fault != nil || e.Edit || !e.At.Equal(now) {
			t.Errorf("note %+v, want a plain one of the upstream leg", e)
		}
	}
	if notes := upstream.Notes(&session.TLS{Verified: true, Chain: []session.Certificate{lasting("CN=a", now, aDay, 80*aDay)}}, now); len(notes) > 0 {
		t.Errorf("notes on a certificate in order: %+v, want none", notes)
	}
}
