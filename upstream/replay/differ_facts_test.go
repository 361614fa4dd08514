package replay_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream/replay"
)

// handshake is the entry of one with the upstream.
func handshake(change func(*session.TLS)) session.Entry {
	issued := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	facts := &session.TLS{
		Version: "TLS 1.3", Cipher: "TLS_AES_128_GCM_SHA256", ServerName: "mx.example.com", Verified: true, Duration: 20 * time.Millisecond,
		Chain: []session.Certificate{
			{Subject: "CN=mx.example.com", Issuer: "CN=R3", Names: []string{"mx.example.com", "example.com"}, NotBefore: issued, NotAfter: issued.AddDate(0, 3, 0), Key: "ECDSA P-256", Signature: "ECDSA-SHA256", Serial: "01"},
			{Subject: "CN=R3", Issuer: "CN=Root", Serial: "02", CA: true},
		},
	}
	change(facts)
	return session.Entry{Kind: session.KindTLS, Leg: session.Upstream, From: session.FromUpstream, Phase: session.PhaseTLS, TLS: facts}
}

func TestDiffTLS(t *testing.T) {
	none := func(*session.TLS) {}
	for _, test := range []struct {
		name   string
		a, b   func(*session.TLS)
		places []string
	}{
		{"the same", none, none, nil},
		{"resumed", none, func(h *session.TLS) { h.Resumed = true }, nil},
		{"resumed without a chain", none, func(h *session.TLS) { h.Resumed, h.Chain = true, nil }, nil},
		{"order of names", none, func(h *session.TLS) { h.Chain[0].Names = []string{"example.com", "mx.example.com"} }, nil},
		{"version", none, func(h *session.TLS) { h.Version = "TLS 1.2" }, []string{"TLS with the upstream"}},
		{"suite", none, func(h *session.TLS) { h.Cipher = "TLS_AES_256_GCM_SHA384" }, []string{"TLS with the upstream"}},
		{"server name", none, func(h *session.TLS) { h.ServerName = "other.example" }, []string{"TLS with the upstream, server name"}},
		{"trust", none, func(h *session.TLS) { h.Verified, h.Verify = false, session.VerifyExpired }, []string{"certificate, trust"}},
		{"issuer", none, func(h *session.TLS) { h.Chain[0].Issuer = "CN=Proxy" }, []string{"certificate, issuer"}},
		{"names", none, func(h *session.TLS) { h.Chain[0].Names = nil }, []string{"certificate, names"}},
		{"renewed", none, func(h *session.TLS) {
			h.Chain[0].NotBefore, h.Chain[0].NotAfter, h.Chain[0].Serial = h.Chain[0].NotAfter, h.Chain[0].NotAfter.AddDate(0, 3, 0), "03"
		}, []string{"certificate, from", "certificate, until"}},
		{"issued anew", none, func(h *session.TLS) { h.Chain[0].Serial = "03" }, []string{"certificate, serial number"}},
		{"key", none, func(h *session.TLS) { h.Chain[0].Key = "RSA 2048" }, []string{"certificate, key"}},
		{"chain", none, func(h *session.TLS) { h.Chain = h.Chain[:1] }, []string{"certificates sent"}},
		{"slow", none, func(h *session.TLS) { h.Duration = 3 * time.Second }, []string{"time: TLS handshake"}},
		{"fast enough", none, func(h *session.TLS) { h.Duration = 300 * time.Millisecond }, nil},
	} {
		wantPlaces(t, test.name, []session.Entry{handshake(test.a)}, []session.Entry{handshake(test.b)}, test.places)
	}
	failed := handshake(none)
	failed.Fault = &session.Fault{Op: "handshake", Class: session.FaultAlert, Alert: 40}
	wantPlaces(t, "failed", []session.Entry{handshake(none)}, []session.Entry{failed}, []string{"TLS with the upstream", "TLS with the upstream, alert"})
	wantPlaces(t, "none", []session.Entry{handshake(none)}, nil, []string{"TLS with the upstream"})
}

// wantPlaces demands differences of two histories at places, both ways round.
func wantPlaces(t *testing.T, name string, a, b []session.Entry, want []string) {
	t.Helper()
	x, y := replay.Recording{Entries: a}, replay.Recording{Entries: b}
	for _, all := range [][]replay.Difference{replay.Diff(x, y), replay.Diff(y, x)} {
		var got []string
		for _, d := range all {
			got = append(got, d.Where)
			if d.Why == "" || d.A == d.B {
				t.Errorf("%s: %+v says nothing", name, d)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func dialled(addr string, took time.Duration) session.Entry {
	return session.Entry{Kind: session.KindOpen, Leg: session.Upstream, Dial: &session.Dial{Host: "mx.example.com", Addr: addr, Duration: took, Local: "192.0.2.9:40000"}}
}

func lookedUp(answers ...string) session.Entry {
	return session.Entry{Kind: session.KindNote, Leg: session.Upstream, Lookup: &session.Lookup{Name: "mx.example.com", Type: "A", Rcode: "NOERROR", Answers: answers}}
}

func refusedDial(addr string, class session.FaultClass) session.Entry {
	e := dialled(addr, 0)
	e.Kind, e.Fault = session.KindError, &session.Fault{Op: "dial", Class: class}
	return e
}

func TestDiffReach(t *testing.T) {
	const ms = time.Millisecond
	one, two := "192.0.2.1:587", "192.0.2.2:587"
	for _, test := range []struct {
		name string
		a, b []session.Entry
		want []string
	}{
		{"the same", []session.Entry{dialled(one, ms)}, []session.Entry{dialled(one, 2*ms)}, nil},
		{"another address", []session.Entry{dialled(one, ms)}, []session.Entry{dialled(two, ms)}, []string{"address"}},
		{"one of a pool", []session.Entry{lookedUp("192.0.2.1", "192.0.2.2"), dialled(one, ms)}, []session.Entry{lookedUp("192.0.2.2", "192.0.2.1"), dialled(two, ms)}, nil},
		{"another port of a pool", []session.Entry{lookedUp("192.0.2.1"), dialled(one, ms)}, []session.Entry{lookedUp("192.0.2.1"), dialled("192.0.2.1:465", ms)}, []string{"address"}},
		{"another answer", []session.Entry{lookedUp("192.0.2.1"), dialled(one, ms)}, []session.Entry{lookedUp("192.0.2.2"), dialled(two, ms)}, []string{"look-up of mx.example.com A", "address"}},
		{"a slow connection", []session.Entry{dialled(one, ms)}, []session.Entry{dialled(one, time.Second)}, []string{"time: connecting"}},
		{"a first address that failed", []session.Entry{dialled(one, ms)}, []session.Entry{refusedDial(two, session.FaultTimeout), dialled(one, ms)}, []string{"address that failed"}},
		{"no connection", []session.Entry{dialled(one, ms)}, []session.Entry{refusedDial(one, session.FaultRefused)}, []string{"address that failed", "connection to the upstream"}},
		{"another failure", []session.Entry{refusedDial(one, session.FaultTimeout)}, []session.Entry{refusedDial(one, session.FaultRefused)}, []string{"address that failed", "address that failed"}},
	} {
		wantPlaces(t, test.name, test.a, test.b, test.want)
	}
}

func TestDiffFaultsAndNotes(t *testing.T) {
	fault := func(class session.FaultClass, phase session.Phase) session.Entry {
		return session.Entry{Kind: session.KindClose, Leg: session.Upstream, Phase: phase, Fault: &session.Fault{Op: "read", Class: class}}
	}
	odd := func(o session.Oddity) session.Entry {
		return session.Entry{Kind: session.KindNote, Leg: session.App, Odd: o}
	}
	own := func(text string) session.Entry {
		return session.Entry{Kind: session.KindReply, Leg: session.Upstream, From: session.FromUpstream, Own: true, Verb: "STARTTLS", Code: 454, Text: text}
	}
	for _, test := range []struct {
		name string
		a, b session.Entry
		want []string
	}{
		{"a reset", fault(session.FaultReset, session.PhaseDot), session.Entry{}, []string{"connection"}},
		{"a reset behind QUIT", fault(session.FaultReset, session.PhaseQuit), session.Entry{}, nil},
		{"another phase", fault(session.FaultReset, session.PhaseDot), fault(session.FaultReset, session.PhaseMail), []string{"connection", "connection"}},
		{"an oddity", odd(session.OddBareLF), session.Entry{}, []string{"oddity"}},
		{"the same oddity", odd(session.OddBareLF), odd(session.OddBareLF), nil},
		{"a refusal to the proxy", own("454 4.7.0 TLS not available"), session.Entry{}, []string{"the proxy's own dialogue"}},
		{"with another id", own("454 4.7.0 TLS not available, id 4C2D81234A"), own("454 4.7.0 TLS not available, id 9F2D8123BB"), nil},
	} {
		wantPlaces(t, test.name, []session.Entry{test.a}, []session.Entry{test.b}, test.want)
	}
}

func TestDiffSignIn(t *testing.T) {
	signIn := func(user string, length int) []session.Entry {
		return []session.Entry{
			{Kind: session.KindAuth, Verb: "AUTH", Phase: session.PhaseAuth, Text: "AUTH LOGIN", Auth: &session.Auth{Mechanism: "LOGIN"}},
			{Kind: session.KindReply, Leg: session.Upstream, From: session.FromUpstream, Verb: "AUTH", Code: 334, Text: "334 VXNlcm5hbWU6"},
			{Kind: session.KindAuth, Verb: "AUTH", Phase: session.PhaseAuth, Text: "***", Auth: &session.Auth{Mechanism: "LOGIN", Username: user}},
			{Kind: session.KindReply, Leg: session.Upstream, From: session.FromUpstream, Verb: "AUTH", Code: 334, Text: "334 UGFzc3dvcmQ6"},
			{Kind: session.KindAuth, Verb: "AUTH", Phase: session.PhaseAuth, Text: "***", Auth: &session.Auth{Mechanism: "LOGIN", Username: user, Secret: &session.Secret{Length: length, Alphabet: "alnum"}}},
			{Kind: session.KindReply, Leg: session.Upstream, From: session.FromUpstream, Verb: "AUTH", Code: 235, Enhanced: "2.7.0", Text: "235 2.7.0 Ok"},
		}
	}
	wantPlaces(t, "the same", signIn("me", 14), signIn("me", 14), nil)
	wantPlaces(t, "another user", signIn("me", 14), signIn("you", 14), []string{"AUTH user"})
	wantPlaces(t, "another secret", signIn("me", 14), signIn("me", 16), []string{"AUTH secret"})
	refused := signIn("me", 14)
	refused[5].Code, refused[5].Enhanced, refused[5].Text = 535, "5.7.8", "535 5.7.8 no"
	wantPlaces(t, "refused", signIn("me", 14), refused, []string{"AUTH LOGIN"})
	all := replay.Diff(replay.Recording{Entries: signIn("me", 14)}, replay.Recording{Entries: refused})
	if len(all) != 1 || !strings.Contains(all[0].Why, "235 2.7.0 in the first, 535 5.7.8 in the second") {
		t.Errorf("got %+v, want the final replies compared", all)
	}
}
