package probe

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
)

// hole is a smarthost of loopback whose handshakes are stalled for some
// connections, as those behind a path that drops large packets are.
type hole struct {
	stalls func(segment int, nth int64) bool // whether the nth connection is, which agreed on such segments
	breaks int64                             // the connection that is closed where its handshake begins; 0 for none
	leaf   tls.Certificate
	nth    atomic.Int64
}

func (h *hole) open(t *testing.T) upstream.Target {
	t.Helper()
	ca, err := testenv.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	if h.leaf, err = ca.Leaf("127.0.0.1"); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() { // ends when the listener is closed
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { h.serve(c.(*net.TCPConn)) })
		}
	})
	t.Cleanup(func() { l.Close(); serving.Wait() })
	at := netip.MustParseAddrPort(l.Addr().String())
	return upstream.Target{Name: at.String(), Host: at.Addr().String(), Port: int(at.Port()), Mode: upstream.ModeSTARTTLS}
}

func (h *hole) serve(c *net.TCPConn) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	nth, segment := h.nth.Add(1), segmentOf(c)
	fmt.Fprint(c, "220 hole.example.com ESMTP\r\n")
	r := bufio.NewReader(c)
	for _, reply := range []string{"250-hole.example.com\r\n250 STARTTLS\r\n", "220 go ahead\r\n"} {
		if _, err := r.ReadString('\n'); err != nil {
			return
		}
		fmt.Fprint(c, reply)
	}
	if nth == h.breaks {
		return
	}
	if h.stalls(segment, nth) {
		_, _ = r.WriteTo(devNull{})
		return
	}
	secure := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{h.leaf}})
	if _, err := bufio.NewReader(secure).ReadString('\n'); err == nil {
		fmt.Fprint(secure, "221 bye\r\n")
	}
}

type devNull struct{}

func (devNull) Write(b []byte) (int, error) { return len(b), nil }

// segmentOf is the largest segment that a connection may send.
func segmentOf(c syscall.Conn) (octets int) {
	if raw, err := c.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) {
			octets, _ = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_MAXSEG)
		})
	}
	return octets
}

func TestPathMTU(t *testing.T) {
	tests := []struct {
		name   string
		stalls func(segment int, nth int64) bool
		result string
		cause  string
		text   string
		visits int64
	}{
		{"all is well", func(int, int64) bool { return false }, resultOK, "", "came through", 1},
		{"a black hole", func(segment int, _ int64) bool { return segment > small4 }, resultFail, "tls.handshake-timeout", "large packets from 127.0.0.1 get lost: the TLS handshake is stalled, and in segments of 536 octets it is done", 3},
		{"stuck", func(int, int64) bool { return true }, resultOK, "", "in segments of 536 octets, too", 2},
		{"stalled once", func(_ int, nth int64) bool { return nth == 1 }, resultOK, "", "stalled once", 3},
	}
	for _, test := range tests {
		h := &hole{stalls: test.stalls}
		target := h.open(t)
		p := localProber(t, Options{})
		e, err := p.compareSizes(t.Context(), target, 200*time.Millisecond)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if e.Probe.Result != test.result || e.Probe.Cause != test.cause || !strings.Contains(e.Text, test.text) {
			t.Errorf("%s: got %s %q %q, want %s %q %q", test.name, e.Probe.Result, e.Probe.Cause, e.Text, test.result, test.cause, test.text)
		}
		if got := h.nth.Load(); got != test.visits || p.Counts().Connections != uint64(got) {
			t.Errorf("%s: %d connections, of which %d were counted; want %d", test.name, got, p.Counts().Connections, test.visits)
		}
	}
}

// TestPathMTUBroken has the handshake in small segments broken off, which is
// neither a stall nor a passage.
func TestPathMTUBroken(t *testing.T) {
	h := &hole{stalls: func(int, int64) bool { return true }, breaks: 2}
	e, err := localProber(t, Options{}).compareSizes(t.Context(), h.open(t), 200*time.Millisecond)
	if err != nil || e.Probe.Result != resultSkip || !strings.Contains(e.Text, "ends otherwise") {
		t.Errorf("got %+v %q, %v; want skip, as nothing is decided", e.Probe, e.Text, err)
	}
}

// TestPathMTUAsked asks twice: the second answer is that to the first.
func TestPathMTUAsked(t *testing.T) {
	h := &hole{stalls: func(int, int64) bool { return false }}
	target, p := h.open(t), localProber(t, Options{})
	first, second := p.PathMTU(t.Context(), target), p.PathMTU(t.Context(), target)
	if first.Probe.Name != "path-mtu" || first.Probe.Result != resultOK || first.Probe.Target != target.Name || !second.Probe.Cached || h.nth.Load() != 1 {
		t.Errorf("got %+v and %+v with %d connections, want ok, the same again and one", *first.Probe, *second.Probe, h.nth.Load())
	}
}

// TestPathMTUWithoutTLS asks a smarthost that offers no TLS.
func TestPathMTUWithoutTLS(t *testing.T) {
	s, err := testenv.NewSmarthost(testenv.SmarthostOptions{NoTLS: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	target, err := upstream.ParseTarget(s.Addr(), upstream.ModeAuto)
	if err != nil {
		t.Fatal(err)
	}
	e := localProber(t, Options{}).PathMTU(t.Context(), target)
	if e.Probe.Result != resultSkip || !strings.Contains(e.Text, "STARTTLS") {
		t.Errorf("got %+v %q, want skip for want of STARTTLS", *e.Probe, e.Text)
	}
}

// TestPathMTUOfDialogue reads what a dialogue shows of large packets.
func TestPathMTUOfDialogue(t *testing.T) {
	tls := func(f *session.Fault) session.Entry {
		return session.Entry{Leg: session.Upstream, Kind: session.KindTLS, Fault: f}
	}
	shown := tls(&session.Fault{Class: session.FaultCertificate})
	shown.TLS = &session.TLS{Chain: []session.Certificate{{Subject: "CN=mx"}}}
	tests := []struct {
		name    string
		entries []session.Entry
		status  Status
		settled bool
	}{
		{"a handshake", []session.Entry{{Kind: session.KindOpen, Leg: session.Upstream}, tls(nil)}, StatusOK, true},
		{"a stall", []session.Entry{tls(&session.Fault{Class: session.FaultTimeout})}, "", false},
		{"an alert", []session.Entry{tls(&session.Fault{Class: session.FaultAlert})}, StatusSkip, true},
		{"a certificate that is refused", []session.Entry{shown}, StatusOK, true},
		{"no handshake", []session.Entry{{Kind: session.KindGreeting, Leg: session.Upstream}}, StatusSkip, true},
		{"nothing", nil, StatusSkip, true},
	}
	x := &examination{known: known{contacts: []contact{{path: path{mtu: 1500, segment: 1448}}}}}
	for _, test := range tests {
		l, settled := x.mtuLine(test.entries)
		if l.Status != test.status || settled != test.settled {
			t.Errorf("%s: got %s %q, %v; want %s, %v", test.name, l.Status, l.Text, settled, test.status, test.settled)
		}
		if l.Status == StatusOK && !strings.Contains(l.Text, "(path MTU 1500, segments of up to 1448 octets)") {
			t.Errorf("%s: got %q, want the MTU in it", test.name, l.Text)
		}
	}
}

// TestPathMTUBesideStalledDialogue has the step wait no longer for a dialogue
// than one takes that goes well.
func TestPathMTUBesideStalledDialogue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := examine(New(Options{}), 587)
		began := time.Now()
		_, _, ended := x.sofar(t.Context())
		if took := time.Since(began); ended || took != suspicious {
			t.Errorf("got an end: %v, after %s; want none after %s", ended, took, suspicious)
		}
		x.known.dialogue = []session.Entry{{Kind: session.KindTLS}}
		close(x.step["dialogue"].done)
		if _, entries, ended := x.sofar(t.Context()); !ended || len(entries) != 1 {
			t.Errorf("got %d entries and an end: %v, want those of the dialogue that has ended", len(entries), ended)
		}
	})
}

// TestPathMTUWithoutAddress checks that nothing is tried where nothing answers.
func TestPathMTUWithoutAddress(t *testing.T) {
	x := examine(localProber(t, Options{}), 587)
	examinePathMTU(t.Context(), x)
	if lines := x.step[namePathMTU].lines; len(lines) != 1 || lines[0].Status != StatusSkip || x.prober.Counts().Connections != 0 {
		t.Errorf("got %+v and %d connections, want skip and none", lines, x.prober.Counts().Connections)
	}
}
