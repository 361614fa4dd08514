package session

import (
	"bytes"
	"testing"
	"time"
)

// turn is one burst of one side.
type turn struct {
	from Side
	data []byte
}

func shortSession() []turn {
	body := bytes.Repeat([]byte("A line of text as it stands in most mails, about seventy octets.\r\n"), 15)
	text := func(from Side, s string) turn { return turn{from, []byte(s)} }
	return []turn{
		text(Upstream, "220 mx.example.com ESMTP\r\n"),
		text(App, "EHLO app.example.com\r\n"),
		text(Upstream, "250-mx.example.com\r\n250-PIPELINING\r\n250 SIZE 1000000\r\n"),
		text(App, "MAIL FROM:<a@example.com>\r\n"), text(Upstream, "250 2.1.0 Ok\r\n"),
		text(App, "RCPT TO:<b@example.net>\r\n"), text(Upstream, "250 2.1.5 Ok\r\n"),
		text(App, "DATA\r\n"), text(Upstream, "354 End data with <CR><LF>.<CR><LF>\r\n"),
		{App, append(body, ".\r\n"...)}, text(Upstream, "250 2.0.0 Ok: queued as 4XyZ\r\n"),
		text(App, "QUIT\r\n"), text(Upstream, "221 2.0.0 Bye\r\n"),
	}
}

// message is one more message of a session, with its commands in one burst.
func message() []turn {
	body := bytes.Repeat([]byte("A line of text as it stands in most mails, about seventy octets.\r\n"), 15)
	return []turn{
		{App, []byte("MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n")},
		{Upstream, []byte("250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 End data with <CR><LF>.<CR><LF>\r\n")},
		{App, append(body, ".\r\n"...)}, {Upstream, []byte("250 2.0.0 Ok: queued as 4XyZ\r\n")},
	}
}

// run plays turns through a machine whose upstream is in clear.
func run(m *Machine, now time.Time, turns []turn) {
	for _, t := range turns {
		m.Received(now, t.from, t.data)
	}
}

func begin(now time.Time) *Machine {
	m := New(Config{Upstream: "mx.example.com:25", UpstreamTLS: UpstreamNone}, now)
	m.Connected(now, false)
	return m
}

// TestSessionAllocates holds the machine to what a session in clear may
// allocate: the machine, its entries by the slab, and each text once.
func TestSessionAllocates(t *testing.T) {
	now, turns, more := time.Unix(1_700_000_000, 0), shortSession(), message()
	if got := testing.AllocsPerRun(100, func() {
		m := begin(now)
		run(m, now, turns)
		m.Closed(now, Upstream, nil)
	}); got > 15 {
		t.Errorf("a session of one message: %.0f allocations, want at most 15", got)
	}
	m := begin(now)
	run(m, now, turns[:3])
	if got := testing.AllocsPerRun(100, func() { run(m, now, more) }); got > 7 {
		t.Errorf("one message more, pipelined: %.0f allocations, want at most 7", got)
	}
}

// BenchmarkSession measures what understanding a session of one message costs,
// against the least that a relay could do with the same bytes: copy them.
func BenchmarkSession(b *testing.B) {
	turns := shortSession()
	b.Run("machine", func(b *testing.B) {
		b.ReportAllocs()
		now := time.Unix(1_700_000_000, 0)
		for b.Loop() {
			m := begin(now)
			run(m, now, turns)
			m.Closed(now, Upstream, nil)
		}
	})
	b.Run("pipelined", func(b *testing.B) { // a message of a session of many
		b.ReportAllocs()
		now, more := time.Unix(1_700_000_000, 0), message()
		m := begin(now)
		run(m, now, turns[:3])
		for b.Loop() {
			run(m, now, more)
		}
	})
	b.Run("copy", func(b *testing.B) {
		var to [4096]byte
		for b.Loop() {
			for _, t := range turns {
				copy(to[:], t.data)
			}
		}
	})
}
