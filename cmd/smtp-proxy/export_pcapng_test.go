package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"smtp-proxy/proxy/session"
)

// TestExportPcapng reads back what was written of a session with TLS on one
// leg, an edit, a message and a reset.
func TestExportPcapng(t *testing.T) {
	long := "Subject: long\r\n\r\n" + strings.Repeat("0123456789abcdef\r\n", 3000)
	r := newRecord(t)
	r.begin()
	r.upstream("", "220 mx")
	r.app("EHLO", "EHLO app")
	r.entry(session.Entry{Leg: session.Upstream, From: session.FromUpstream, Kind: session.KindReply, Verb: "EHLO", Code: 250, Own: true, Text: "250-mx\n250 STARTTLS"})
	r.entry(session.Entry{Leg: session.Upstream, From: session.FromProxy, Kind: session.KindCommand, Verb: "STARTTLS", Own: true, Text: "STARTTLS"})
	r.entry(session.Entry{Leg: session.Upstream, From: session.FromUpstream, Kind: session.KindReply, Verb: "STARTTLS", Code: 220, Own: true, Text: "220 go"})
	r.entry(session.Entry{Leg: session.Upstream, From: session.FromUpstream, Kind: session.KindTLS, Secure: true, Text: "TLS 1.3"})
	r.entry(session.Entry{Leg: session.Upstream, From: session.FromProxy, Kind: session.KindCommand, Verb: "EHLO", Own: true, Text: "EHLO app"})
	r.upstream("EHLO", "250 mx")
	r.entry(session.Entry{Leg: session.App, From: session.FromApp, Kind: session.KindAuth, Verb: "AUTH", Text: "AUTH PLAIN ***"})
	r.upstream("AUTH", "235 ok")
	r.app("MAIL", "MAIL FROM:<a@x>")
	r.app("DATA", "DATA")
	r.upstream("DATA", "354 go")
	r.content(".", long, "")
	r.upstream(".", "550 5.7.1 no\x1b[31m")
	r.entry(session.Entry{Leg: session.Upstream, From: session.FromUpstream, Kind: session.KindClose, Text: "the upstream left: reset", Fault: &session.Fault{Class: session.FaultReset}})
	r.keep("full")
	out, errs, code := r.export("--format", "pcapng")
	if code != 0 {
		t.Fatalf("export: got code %d and %s", code, errs)
	}
	c := readCapture(t, out)

	const clear, app, upstream = "EHLO app\r\n", "[2001:db8::1]:40000", "192.0.2.1:50000"
	dialogue := clear + "AUTH PLAIN ***\r\nMAIL FROM:<a@x>\r\nDATA\r\n" + long + ".\r\n"
	for name, want := range map[string]string{
		app + " 1 out":      dialogue,
		app + " 1 in":       "220 mx\r\n250 mx\r\n235 ok\r\n354 go\r\n550 5.7.1 no\x1b[31m\r\n",
		upstream + " 1 out": clear + "STARTTLS\r\n",
		upstream + " 1 in":  "220 mx\r\n250-mx\r\n250 STARTTLS\r\n220 go\r\n",
		upstream + " 2 out": dialogue,
		upstream + " 2 in":  "250 mx\r\n235 ok\r\n354 go\r\n550 5.7.1 no\x1b[31m\r\n",
	} {
		if got := c.streams[name]; got != want {
			t.Errorf("stream %s: got\n%.300q, want\n%.300q", name, got, want)
		}
		delete(c.streams, name)
	}
	if len(c.streams) > 0 {
		t.Errorf("got these streams, too: %q", c.streams)
	}
	if flags := c.packets[len(c.packets)-2].flags; flags != "RA" {
		t.Errorf("the last packet but one has the flags %s, want RA: the upstream's reset", flags)
	}
	if c.names != "app upstream" {
		t.Errorf("got the interfaces %q, want one for each leg", c.names)
	}
	for _, want := range []string{
		"the port here was 465; it is written as 25", "from here under TLS 1.3", "the port here was the proxy's own",
	} {
		c.wantComment(t, want)
	}
	if !strings.Contains(c.about, r.info.ID) || !strings.Contains(c.about, "smtp-proxy") || strings.Contains(c.about, "\x1b") {
		t.Errorf("the comment on the file is %q, want the session's id and the product", c.about)
	}
}

func TestExportPcapngFindings(t *testing.T) {
	r := newRecord(t)
	r.begin()
	r.upstream("", "220 mx")
	r.app("HELO", "HELO a")
	r.entry(session.Entry{Leg: session.App, From: session.FromProxy, Kind: session.KindNote, Text: "nothing follows this"})
	s := r.session()
	s.Findings, s.Ended = findingAt(4, 5), time.Time{} // still open: nothing follows the note
	c := readCapture(t, reenact(t, s))
	c.wantComment(t, "finding some.cause (certain): title")
	c.wantComment(t, "note: nothing follows this")
	if last := c.packets[len(c.packets)-1]; !strings.Contains(last.comments, "this shows it, too") {
		t.Errorf("the last packet has the comments %q, want what has no packet of its own", last.comments)
	}
}

// TestExportPcapngGap leaves the size of what was not captured open.
func TestExportPcapngGap(t *testing.T) {
	for capture, want := range map[string]string{"headers": "Subject: one\r\n\r\n", "none": ""} {
		r := newRecord(t)
		r.begin()
		r.app("MAIL", "MAIL FROM:<a@x>")
		r.app("DATA", "DATA")
		r.content(".", "Subject: one\r\n\r\n"+strings.Repeat("x", 5000)+"\r\n", "")
		r.upstream(".", "250 ok")
		r.keep(capture)
		out, _, _ := r.export("--format", "pcapng")
		c := readCapture(t, out)
		missing := 16 + 5000 - len(want)
		if got, want := c.streams["192.0.2.1:50000 1 out"], "MAIL FROM:<a@x>\r\nDATA\r\n"+want+fmt.Sprintf("<%d>", missing)+"\r\n.\r\n"; got != want {
			t.Errorf("--capture %s: got %q, want %q", capture, got, want)
		}
		c.wantComment(t, "of message 1 are missing here")
	}
}

// TestExportPcapngChunkOfNothing is a BDAT without a transaction.
func TestExportPcapngChunkOfNothing(t *testing.T) {
	r := newRecord(t)
	r.begin()
	r.app("BDAT", "BDAT 5")
	r.content("BDAT", "hello", "")
	r.upstream("BDAT", "503 no transaction")
	r.keep("full")
	out, errs, code := r.export("--format", "pcapng")
	if code != 0 {
		t.Fatalf("export: got code %d and %s", code, errs)
	}
	c := readCapture(t, out)
	for name, want := range map[string]string{"1 out": "BDAT 5\r\n<5>", "2 in": "503 no transaction\r\n"} {
		if got := c.streams["192.0.2.1:50000 "+name]; got != want {
			t.Errorf("stream %s: got %q, want %q", name, got, want)
		}
	}
	if _, errs, code := r.export("--format", "eml"); code != 64 {
		t.Errorf("as eml: got code %d and %q, want 64: there is no message", code, errs)
	}
}

// TestExportPcapngPassthrough ends where the app and the smarthost went under
// TLS with each other.
func TestExportPcapngPassthrough(t *testing.T) {
	for what, fault := range map[string]*session.Fault{"well": nil, "badly": {Class: session.FaultAlert, Alert: 48}} {
		r := newRecord(t)
		r.begin()
		r.app("STARTTLS", "STARTTLS")
		r.upstream("STARTTLS", "220 go")
		for _, leg := range []session.Side{session.App, session.Upstream} {
			r.entry(session.Entry{
				Leg: leg, From: session.Origin(leg), Kind: session.KindTLS, Text: "how it went", TLS: &session.TLS{Passthrough: true}, Fault: fault,
			})
		}
		r.entry(session.Entry{Leg: session.App, From: session.FromApp, Kind: session.KindClose, Text: "the app left", Fault: fault})
		c := readCapture(t, reenact(t, r.session()))
		for name, want := range map[string]string{"out": "STARTTLS\r\n", "in": "220 go\r\n"} {
			if got := c.streams["[2001:db8::1]:40000 1 "+name]; got != want {
				t.Errorf("a handshake that ended %s: got %q on the app's leg, want %q", what, got, want)
			}
		}
		if len(c.streams) != 4 {
			t.Errorf("a handshake that ended %s: got %d directions, want four and no stream behind it: %q", what, len(c.streams), c.streams)
		}
		c.wantComment(t, "how it went")
	}
}

// TestExportPcapngRedirected writes the address that the app believed in.
func TestExportPcapngRedirected(t *testing.T) {
	r := newRecord(t)
	r.entry(session.Entry{Leg: session.App, Kind: session.KindOpen, Text: "connected from [2001:db8::1]:40000, redirected on its way to [2001:db8::25]:587"})
	if c := readCapture(t, reenact(t, r.session())); c.packets[0].to != "[2001:db8::25]:587" {
		t.Errorf("got the app's first packet to %s, want [2001:db8::25]:587", c.packets[0].to)
	}
}

// TestExportPcapngClock sets the clock back in the middle of a session.
func TestExportPcapngClock(t *testing.T) {
	r := newRecord(t)
	r.begin()
	r.upstream("", "220 mx")
	s := r.session()
	s.Events[len(s.Events)-1].At = s.Started.Add(-time.Hour)
	s.Ended = s.Started.Add(-time.Minute)
	c := readCapture(t, reenact(t, s))
	if got, want := c.streams["[2001:db8::1]:40000 1 in"], "220 mx\r\n"; got != want {
		t.Errorf("got %q on the app's leg, want %q", got, want)
	}
}

// TestExportPcapngStrange takes records that this program would not write.
func TestExportPcapngStrange(t *testing.T) {
	r := newRecord(t)
	r.info.AppAddr = "@"
	r.entry(session.Entry{Leg: session.App, Kind: session.KindOpen, Text: "connected from nowhere"})
	r.entry(session.Entry{Leg: session.Upstream, From: session.FromProxy, Kind: session.KindOpen})
	r.upstream("", "220 mx")
	r.entry(session.Entry{
		Leg: session.Upstream, From: session.FromProxy, Kind: session.KindOpen,
		Dial: &session.Dial{Addr: "192.0.2.1:25", Local: "[::1]:1"},
	})
	r.upstream("", "220 again")
	if c := readCapture(t, reenact(t, r.session())); len(c.packets) < 8 {
		t.Errorf("got %d packets, want those of three connections", len(c.packets))
	}
}

// TestExportPcapngNoConnection shows attempts that came to nothing.
func TestExportPcapngNoConnection(t *testing.T) {
	r := newRecord(t)
	r.entry(session.Entry{Leg: session.App, Kind: session.KindOpen})
	for addr, class := range map[string]session.FaultClass{"192.0.2.10:587": session.FaultRefused, "[2001:db8::2]:587": session.FaultTimeout} {
		r.entry(session.Entry{
			Leg: session.Upstream, From: session.FromProxy, Kind: session.KindError, Text: "connect to " + addr,
			Dial: &session.Dial{Addr: addr, Duration: time.Second}, Fault: &session.Fault{Class: class},
		})
	}
	r.entry(session.Entry{Leg: session.App, From: session.FromProxy, Kind: session.KindReply, Code: 421, Text: "421 4.4.1 no"})
	c := readCapture(t, reenact(t, r.session()))
	flags := map[string]string{}
	for _, p := range c.packets {
		flags[p.to] += p.flags + " "
	}
	if got := flags["192.0.2.10:587"]; got != "S " {
		t.Errorf("to the address that refused: got %q, want S", got)
	}
	if got := flags["0.0.0.0:49152"]; got != "RA " {
		t.Errorf("from the address that refused: got %q, want RA", got)
	}
	if got := flags["[2001:db8::2]:587"]; got != "S " {
		t.Errorf("to the address that did not answer: got %q, want S", got)
	}
	c.wantComment(t, "the address and port that this came from are not in the record")
}

func TestExportRefuses(t *testing.T) {
	r := newRecord(t)
	r.begin()
	r.keep("full")
	for _, test := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--format", "pcap"}, 64, `--format "pcap" is not known: choose one of `},
		{[]string{"--format", "pcapng", "-o", r.dir}, 1, "-o: open "},
	} {
		if _, errs, code := r.export(test.args...); code != test.code || !strings.Contains(string(errs), test.says) {
			t.Errorf("export %q: got code %d and %q, want %d and %q", test.args, code, errs, test.code, test.says)
		}
	}
}
