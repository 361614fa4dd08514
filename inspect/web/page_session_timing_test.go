package web

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// paced is a session of which each step takes its own time.
func paced() *inspect.Session {
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	v := &inspect.Session{ID: "x", Started: at}
	add := func(after time.Duration, e session.Entry) {
		at = at.Add(after)
		e.Seq, e.At = len(v.Events)+1, at
		v.Events = append(v.Events, e)
	}
	add(0, session.Entry{Kind: session.KindOpen, From: session.FromApp})
	add(10*time.Millisecond, session.Entry{Kind: session.KindNote, Leg: session.Upstream, From: session.FromProxy, Lookup: &session.Lookup{Type: "A", Name: "a.example", Duration: 10 * time.Millisecond}})
	add(20*time.Millisecond, session.Entry{Kind: session.KindOpen, Leg: session.Upstream, From: session.FromProxy, Dial: &session.Dial{Addr: "192.0.2.1:25", Duration: 20 * time.Millisecond}})
	add(30*time.Millisecond, session.Entry{Kind: session.KindGreeting, Leg: session.Upstream, From: session.FromUpstream, Code: 220, Wait: 30 * time.Millisecond})
	add(40*time.Millisecond, session.Entry{Kind: session.KindCommand, From: session.FromApp, Verb: "EHLO", Text: "EHLO a"})
	add(50*time.Millisecond, session.Entry{Kind: session.KindReply, Leg: session.Upstream, From: session.FromUpstream, Verb: "EHLO", Code: 250, Wait: 45 * time.Millisecond})
	add(60*time.Millisecond, session.Entry{Kind: session.KindData, From: session.FromApp, Verb: ".", Bytes: 100})
	add(70*time.Millisecond, session.Entry{Kind: session.KindReply, Leg: session.Upstream, From: session.FromUpstream, Verb: ".", Code: 250, Wait: 70 * time.Millisecond})
	add(time.Hour, session.Entry{Kind: session.KindProbe, From: session.FromProxy, Probe: &session.Probe{Duration: time.Hour}})
	v.Ended = v.Started.Add(280 * time.Millisecond)
	return v
}

func TestTiming(t *testing.T) {
	got := timingOf(paced())
	var shares, steps []string
	for _, s := range got.Shares {
		shares = append(shares, s.Kind+" "+s.Took)
	}
	for _, s := range got.Steps {
		steps = append(steps, fmt.Sprintf("%s %s %g+%g", s.Kind, s.Took, s.X, s.Width))
	}
	if got, want := strings.Join(shares, ", "), "dns 10 ms, connect 20 ms, upstream 145 ms, app 40 ms, message 60 ms, proxy 5.0 ms"; got != want {
		t.Errorf("got shares  %s\nwant        %s", got, want)
	}
	if got, want := strings.Join(steps, ", "), "dns 10 ms 0+35.7, connect 20 ms 35.7+71.4, upstream 30 ms 107.1+107.1, app 40 ms 214.3+142.9, upstream 45 ms 375+160.7, message 60 ms 535.7+214.3, upstream 70 ms 750+250"; got != want {
		t.Errorf("got steps  %s\nwant       %s", got, want)
	}
	if got.Total != "280 ms" || got.Slowest[0].Name != "reply to the message" {
		t.Errorf("got total %s and slowest %q", got.Total, got.Slowest[0].Name)
	}
}

// TestTimingBounds keeps bars within the chart whatever the clock did.
func TestTimingBounds(t *testing.T) {
	for _, shift := range []time.Duration{-time.Hour, -time.Millisecond, 0, time.Hour} {
		v := paced()
		v.Ended = v.Started.Add(shift)
		for i := range v.Events {
			v.Events[i].At = v.Events[i].At.Add(-shift / 2)
		}
		for _, s := range timingOf(v).Steps {
			if s.X < 0 || s.Width < 0 || s.X+s.Width > scale+0.1 {
				t.Errorf("shifted by %v: %s stands at %g, %g wide", shift, s.Name, s.X, s.Width)
			}
		}
	}
}

// TestEdits knows each edit that the core makes.
func TestEdits(t *testing.T) {
	for _, text := range []string{
		"added STARTTLS to the EHLO reply: the proxy offers TLS on the app's leg", "removed STARTTLS from the EHLO reply: the upstream leg is already under TLS",
		"removed AUTH SCRAM-SHA-256-PLUS from the EHLO reply: it binds to a TLS channel, and the proxy stands between", "the reply 421 4.4.1 is the proxy's own",
		"the proxy said STARTTLS before the app's EHLO was answered", "the proxy answered the app's STARTTLS: it concerns the app's leg alone",
		"the EHLO after STARTTLS on the app's leg was answered with the upstream's last EHLO reply", "the upstream refused a second EHLO; the app got the upstream's last good EHLO reply instead",
		"added a line to the reply: x", "discarded 5 octets of plaintext that the app sent behind STARTTLS",
	} {
		if got := sidesOf(&session.Entry{Text: text}); len(got) != 2 || got[0].Text == "" || got[1].Text == "" {
			t.Errorf("%q: got %v, want what each side got", text, got)
		}
	}
	if got := sidesOf(&session.Entry{Text: "something new"}); got != nil {
		t.Errorf("of an edit that is not known: got %v, want nothing", got)
	}
}
