package probe_test

import (
	"bufio"
	"context"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

func TestSpeaks(t *testing.T) {
	plain := start(t, testenv.SmarthostOptions{}).Addr()
	implicit := start(t, testenv.SmarthostOptions{Implicit: true}).Addr()
	tests := []struct {
		name   string
		addr   string
		mode   upstream.Mode
		result string
		cause  string
		text   string
	}{
		{"SMTP as expected", plain, upstream.ModeSTARTTLS, "ok", "", "SMTP in clear"},
		{"TLS as expected", implicit, upstream.ModeImplicit, "ok", "", "TLS from the first octet"},
		{"TLS where SMTP is expected", implicit, upstream.ModeAuto, "fail", "tls.implicit-expected", "TLS from the first octet"},
		{"SMTP where TLS is expected", plain, upstream.ModeImplicit, "fail", "tls.plaintext-expected", "SMTP in clear"},
		{"another protocol", peer(t, []string{"SSH-2.0-OpenSSH_9.2\r\n"}, leaves), upstream.ModeAuto, "fail", "connect.not-smtp", "SSH-2.0"},
		{"silence", peer(t, nil, stays), upstream.ModeAuto, "fail", "connect.no-greeting", "neither SMTP nor TLS"},
		{"closed", peer(t, nil, leaves), upstream.ModeAuto, "fail", "connect.closed", "closes the connection"},
		{"half a line", peer(t, nil, func(c net.Conn, r *bufio.Reader) { _, _ = c.Write([]byte("hello")); stays(c, r) }),
			upstream.ModeAuto, "fail", "connect.not-smtp", `"hello"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := newProber(t, nil, probe.Options{Timeout: 500 * time.Millisecond})
			e := p.Speaks(t.Context(), target(test.addr, test.mode))
			if e.Probe.Result != test.result || e.Probe.Cause != test.cause || !strings.Contains(e.Text, test.text) {
				t.Errorf("got %s %q, %q; want %s %q, %q", e.Probe.Result, e.Probe.Cause, e.Text, test.result, test.cause, test.text)
			}
		})
	}
}

// What a port speaks is remembered; that it said nothing, for a minute only.
func TestSpeaksIsRemembered(t *testing.T) {
	implicit := start(t, testenv.SmarthostOptions{Implicit: true}).Addr()
	for addr, want := range map[string][]bool{
		implicit:             {false, true, true},
		peer(t, nil, leaves): {false, true, false},
	} {
		now := &clock{now: time.Now()}
		p := newProber(t, nil, probe.Options{Timeout: 500 * time.Millisecond, Now: now.Now})
		var cached []bool
		for _, pass := range []time.Duration{0, 50 * time.Second, 20 * time.Second} {
			now.pass(pass)
			cached = append(cached, p.Speaks(t.Context(), target(addr, upstream.ModeAuto)).Probe.Cached)
		}
		if !slices.Equal(cached, want) {
			t.Errorf("cached %v at 0, 50 and 70 seconds, want %v", cached, want)
		}
	}
}

// Nobody is kept waiting for a silent port beyond their time.
func TestSpeaksEndsInTime(t *testing.T) {
	p := newProber(t, nil, probe.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	e := p.Speaks(ctx, target(peer(t, nil, stays), upstream.ModeAuto))
	if took := time.Since(began); took > 3*time.Second || e.Probe.Result != "skip" {
		t.Errorf("got %s after %s, want skip when the time is over: %q", e.Probe.Result, took, e.Text)
	}
}
