package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

var update = flag.Bool("update", false, "write the golden transcripts anew; read the diff")

func TestTranscripts(t *testing.T) {
	plain := func(width int) transcript {
		return transcript{screen: screen{zone: time.UTC, width: width}, now: atNoon}
	}
	colored, full := plain(100), plain(0)
	colored.color, full.full = true, true
	yesterday := plain(0)
	yesterday.now = func() time.Time { return noon.AddDate(0, 0, 3) }
	for name, test := range map[string]struct {
		view    transcript
		session *inspect.Session
	}{
		"delivered":           {plain(0), delivered()},
		"delivered-full":      {full, delivered()},
		"delivered-colored":   {colored, delivered()},
		"refused-recipient":   {plain(80), refusedRecipient()},
		"refused-connection":  {plain(0), refusedConnection()},
		"expired-certificate": {plain(100), expiredCertificate()},
		"hostile":             {full, hostile()},
		"tunnel":              {plain(0), tunnelled()},
		"tunnel-full":         {full, tunnelled()},
		"tunnel-refused":      {plain(100), refusedTunnel()},
		"incomplete-full":     {full, incompleteChain()},
		"long":                {plain(0), long()},
		"earlier-day":         {yesterday, &inspect.Session{ID: "01JD", Started: noon, Route: "ses", Linked: "01JC", Outcome: inspect.Open, Dropped: 3}},
	} {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			test.view.out = &got
			if err := test.view.session(test.session); err != nil {
				t.Fatal(err)
			}
			golden(t, name, got.Bytes())
		})
	}
}

func atNoon() time.Time { return noon }

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "transcripts", name+".txt")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", path, got, want)
	}
}

func TestUpdateShowsTheFindingsAlone(t *testing.T) {
	var got bytes.Buffer
	v := transcript{screen: screen{out: &got, zone: time.UTC}, now: atNoon}
	if err := v.update(refusedConnection()); err != nil {
		t.Fatal(err)
	}
	golden(t, "update", got.Bytes())
}

// TestNoLineLeavesTheScreen holds as long as the peers' words have blanks.
func TestNoLineLeavesTheScreen(t *testing.T) {
	for _, width := range []int{70, 80, 120} {
		var got bytes.Buffer
		v := transcript{screen: screen{out: &got, zone: time.UTC, width: width}, now: atNoon}
		v.session(refusedRecipient())
		_, dialogue, _ := strings.Cut(got.String(), "\n")
		for _, line := range strings.Split(dialogue, "\n") {
			if n := columns(line); n > width {
				t.Errorf("width %d: a line of %d columns: %q", width, n, line)
			}
		}
	}
}

// FuzzTranscript checks that nothing a peer or a rule says reaches the
// terminal as a control, and that the words of a plain reply are all there.
func FuzzTranscript(f *testing.F) {
	f.Add("220 \x1b[2J hello\r\n", "250-a\n250 b", 80)
	f.Add("550 5.1.1 \xff\u202e", "", 0)
	f.Fuzz(func(t *testing.T, greeting, reply string, width int) {
		var got bytes.Buffer
		v := transcript{screen: screen{out: &got, zone: time.UTC, width: width % 200}, now: atNoon, full: true}
		s := newScript(inspect.NoMail)
		s.s.ID, s.s.Route, s.s.App.Addr, s.s.Upstream.Name, s.s.Upstream.Provider = reply, greeting, reply, greeting, reply
		s.say(greeting).hear(time.Millisecond, 250, reply).note(false, greeting)
		s.tls(session.Upstream, &session.TLS{ServerName: reply, Error: greeting, Chain: []session.Certificate{{Subject: reply, Names: []string{greeting}}}}, nil)
		s.tls(session.App, &session.TLS{Passthrough: true, ServerName: reply, Version: greeting, Hello: &session.Hello{Versions: []string{reply}, SNI: greeting, JA4: reply}}, &session.Fault{Text: reply})
		s.tls(session.Upstream, &session.TLS{Interceptor: reply, Stapled: greeting, Repaired: []session.Certificate{{Subject: reply, Key: greeting}}, Chain: []session.Certificate{{AIA: []string{reply}}}}, nil)
		s.add(session.Entry{Kind: session.KindProbe, Text: reply, Probe: &session.Probe{Name: greeting, Target: reply}})
		s.s.Direct = &inspect.Direct{Tested: true, Text: greeting}
		s.find(inspect.Finding{Cause: reply, Title: greeting, Explanation: reply, Evidence: []inspect.Evidence{{Text: reply}}, RuledOut: []string{greeting}, Fix: []string{reply, greeting}, Retry: inspect.Retry{Advice: reply, Text: greeting}, Refs: []string{reply}})
		if err := v.session(s.end(time.Second)); err != nil {
			t.Fatal(err)
		}
		text := got.String()
		for i, r := range text {
			if r != '\n' && (r == '\uFFFD' && !strings.Contains(greeting+reply, "\uFFFD") || hides(r)) {
				t.Fatalf("greeting %q, reply %q: %q at %d in %q", greeting, reply, r, i, text)
			}
		}
	})
}

// The label "without the proxy" and the verdict are not said twice.
func TestPrediction(t *testing.T) {
	for _, test := range []struct {
		direct inspect.Direct
		want   string
	}{
		{inspect.Direct{Tested: true, Text: "without the proxy the app would fail: it offers TLS 1.0 only"}, "the app would fail: it offers TLS 1.0 only"},
		{inspect.Direct{Tested: true, Text: "it offers TLS 1.0 only"}, "would fail: it offers TLS 1.0 only"},
		{inspect.Direct{Tested: true, WouldConnect: true}, "would connect"},
		{inspect.Direct{Text: "not tested: the app's leg is in clear"}, "not tested: the app's leg is in clear"},
	} {
		var got bytes.Buffer
		transcript{full: true}.direct(&got, &test.direct)
		if want := "  without the proxy: " + test.want + "\n"; got.String() != want {
			t.Errorf("direct(%+v): got %q, want %q", test.direct, got.String(), want)
		}
	}
}

// A segment sent a moment ago is no news; one sent again and again is.
func TestTCPFacts(t *testing.T) {
	for _, test := range []struct {
		tcp  session.TCP
		want string
	}{
		{session.TCP{Unacked: 1}, ""},
		{session.TCP{Retransmits: 5, Lost: 1, Unacked: 1}, "5 segments sent again, 1 segment lost, 1 segment not acknowledged"},
		{session.TCP{Retransmits: 1}, "1 segment sent again, all acknowledged"},
	} {
		if got := strings.Join(tcpFacts(&test.tcp), ", "); got != test.want {
			t.Errorf("tcpFacts(%+v): got %q, want %q", test.tcp, got, test.want)
		}
	}
}
