package probe

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

// visited is a smarthost of loopback that keeps what it is told.
type visited struct {
	addr netip.AddrPort

	mu    sync.Mutex
	heard []string // one element for each connection that has ended
}

// visit starts a smarthost that greets as told, or not at all when greeting is
// empty. It ends with the test.
func visit(t *testing.T, greeting string) *visited {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	v := &visited{addr: netip.MustParseAddrPort(l.Addr().String())}
	var serving sync.WaitGroup
	serving.Go(func() { // ends when the listener is closed
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { v.serve(c, greeting) })
		}
	})
	t.Cleanup(func() { l.Close(); serving.Wait() })
	return v
}

func (v *visited) serve(c net.Conn, greeting string) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if greeting != "" {
		fmt.Fprintf(c, "%s\r\n", greeting)
	}
	heard := ""
	for r := bufio.NewReader(c); ; {
		text, err := r.ReadString('\n')
		heard += text
		if text == "QUIT\r\n" {
			fmt.Fprint(c, "221 bye\r\n")
		}
		if err != nil {
			break
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.heard = append(v.heard, heard)
}

// visits waits for n connections to end and returns what they said.
func (v *visited) visits(t *testing.T, n int) []string {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); <-tick.C {
		v.mu.Lock()
		heard := slices.Clone(v.heard)
		v.mu.Unlock()
		if len(heard) >= n {
			return heard
		}
	}
	t.Fatalf("got fewer than %d connections that ended", n)
	return nil
}

func localProber(t *testing.T, o Options) *Prober {
	t.Helper()
	c, err := upstream.New(upstream.Options{HostsFile: t.TempDir() + "/none"})
	if err != nil {
		t.Fatal(err)
	}
	o.Connector = c
	return New(o)
}

// examine prepares a check that knows the addresses of its smarthost.
func examine(p *Prober, port uint16, addrs ...string) *examination {
	x := &examination{prober: p, step: map[string]*rungs{}}
	x.target = upstream.Target{Name: fmt.Sprintf("smtp.example.com:%d", port), Host: "smtp.example.com", Port: int(port)}
	for _, s := range (steps{}).all() {
		x.step[s.name] = &rungs{news: make(chan struct{}, 1), done: make(chan struct{})}
	}
	for _, addr := range addrs {
		x.known.addrs = append(x.known.addrs, netip.MustParseAddr(addr))
	}
	return x
}

// TestEveryAddress has a smarthost listen on one of two addresses.
func TestEveryAddress(t *testing.T) {
	v := visit(t, "220 smtp.example.com ESMTP")
	p := localProber(t, Options{})
	x := examine(p, v.addr.Port(), "127.0.0.2", "127.0.0.1")
	tcp(t.Context(), x)
	lines := x.step[nameTCP].lines
	if len(lines) != 2 || lines[0].Status != StatusWarn || lines[1].Status != StatusOK || !strings.Contains(lines[0].Text, "127.0.0.2") {
		t.Fatalf("got %+v, want a warning for 127.0.0.2 and ok for 127.0.0.1", lines)
	}
	if len(x.known.contacts) != 1 || x.known.contacts[0].addr != v.addr.Addr() {
		t.Errorf("got contacts %+v, want that of %s", x.known.contacts, v.addr)
	}
	e := x.answers[0]
	if e.Probe.Name != "tcp" || e.Probe.Result != "ok" || e.Phase != session.PhaseConnect || len(e.Probe.Found) != 2 || e.Probe.Found[0].Result != "refused" {
		t.Errorf("got %q with %+v, want ok with 127.0.0.2 refused", e.Text, *e.Probe)
	}
	if got := v.visits(t, 1); got[0] != "QUIT\r\n" {
		t.Errorf("the smarthost heard %q, want QUIT", got)
	}
	if got := p.Counts().Connections; got != 2 {
		t.Errorf("%d connections were counted, want 2", got)
	}
}

// TestLateGreeting checks that a smarthost which has not greeted is not spoken
// to.
func TestLateGreeting(t *testing.T) {
	v := visit(t, "")
	x := examine(localProber(t, Options{}), v.addr.Port(), "127.0.0.1")
	tcp(t.Context(), x)
	if lines := x.step[nameTCP].lines; len(lines) != 1 || lines[0].Status != StatusOK {
		t.Errorf("got %+v, want ok", lines)
	}
	if got := v.visits(t, 1); got[0] != "" {
		t.Errorf("the smarthost heard %q ahead of its greeting, want nothing", got)
	}
}

func TestNoAddress(t *testing.T) {
	x := examine(localProber(t, Options{}), 587)
	tcp(t.Context(), x)
	if lines := x.step[nameTCP].lines; len(lines) != 1 || lines[0].Status != StatusSkip || len(x.answers) != 0 {
		t.Errorf("got %+v and %d answers, want skip and none", lines, len(x.answers))
	}
}

// TestManyAddresses gives more addresses than are tried, and fewer connections
// than addresses.
func TestManyAddresses(t *testing.T) {
	v := visit(t, "220 smtp.example.com ESMTP")
	addrs := []string{"127.0.0.1"}
	for i := range 11 {
		addrs = append(addrs, fmt.Sprintf("127.0.1.%d", i+1))
	}
	p := localProber(t, Options{PerMinute: 5})
	x := examine(p, v.addr.Port(), addrs...)
	tcp(t.Context(), x)
	skipped := 0
	for _, l := range x.step[nameTCP].lines {
		if l.Status == StatusSkip {
			skipped++
		}
	}
	if got := len(x.step[nameTCP].lines); got != maxContacts+1 || skipped != 4 {
		t.Errorf("got %d lines, %d of them skipped; want %d and 4: %+v", got, skipped, maxContacts+1, x.step[nameTCP].lines)
	}
	if got := p.Counts().Connections; got != 5 {
		t.Errorf("%d connections, want 5", got)
	}
}

// TestInterruptedTCP cancels a check that waits for a goodbye.
func TestInterruptedTCP(t *testing.T) {
	v := visit(t, "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	x := examine(localProber(t, Options{}), v.addr.Port(), "127.0.0.1")
	tcp(ctx, x)
	if lines := x.step[nameTCP].lines; len(lines) != 0 || len(x.answers) != 0 {
		t.Errorf("got %+v and %d answers of a check that was cut short, want none", lines, len(x.answers))
	}
}

func dead(addr string, class session.FaultClass, errno string) contact {
	c := contact{addr: netip.MustParseAddr(addr), took: 5 * time.Second, fault: &session.Fault{Op: "dial", Class: class, Errno: errno, Text: "in the system's words"}}
	c.at = upstream.Target{Name: netip.AddrPortFrom(c.addr, 587).String(), Host: addr, Port: 587}
	return c
}

func alive(addr string) contact {
	c := dead(addr, "", "")
	c.fault, c.took, c.path.rtt = nil, 12*time.Millisecond, 11234567*time.Nanosecond
	return c
}

func TestTCPLines(t *testing.T) {
	four, six := alive("192.0.2.1"), alive("2001:db8::1")
	spent := contact{at: four.at, addr: four.addr, spent: true}
	tests := []struct {
		name   string
		c      contact
		beside []contact
		status Status
		text   string // a part of it
	}{
		{"alive", four, nil, StatusOK, "192.0.2.1:587 answers over IPv4, round trip 11.2ms"},
		{"alive over IPv6", six, nil, StatusOK, "[2001:db8::1]:587 answers over IPv6"},
		{"refused", dead("192.0.2.2", session.FaultRefused, "ECONNREFUSED"), nil, StatusFail, "refuses the connection: nothing listens there"},
		{"refused beside a live one", dead("192.0.2.2", session.FaultRefused, "ECONNREFUSED"), []contact{four}, StatusWarn, "fails now and then"},
		{"silent", dead("192.0.2.2", session.FaultTimeout, ""), nil, StatusFail, "gives no answer in 5s: it is down, or a firewall drops"},
		{"silent beside a live one", dead("192.0.2.2", session.FaultTimeout, ""), []contact{four}, StatusWarn, "waits until its connect time-out"},
		{"no IPv6 route", dead("2001:db8::2", session.FaultUnreachable, "ENETUNREACH"), []contact{four}, StatusOK, "no IPv6 connectivity; IPv4 works"},
		{"no IPv6 route, IPv4 dead", dead("2001:db8::2", session.FaultUnreachable, "ENETUNREACH"), []contact{dead("192.0.2.2", session.FaultTimeout, "")}, StatusFail, "no route from this machine to 2001:db8::2"},
		{"no IPv4 route", dead("192.0.2.2", session.FaultUnreachable, "ENETUNREACH"), []contact{six}, StatusWarn, "no IPv4 connectivity"},
		{"no route to a name", contact{at: upstream.Target{Host: "smtp.example.com"}, fault: dead("192.0.2.2", session.FaultUnreachable, "ENETUNREACH").fault}, nil, StatusFail, "no route from this machine to any address of smtp.example.com"},
		{"unreachable beyond a router", dead("2001:db8::2", session.FaultUnreachable, "EHOSTUNREACH"), []contact{four}, StatusWarn, "cannot be reached (in the system's words)"},
		{"a local firewall", dead("192.0.2.2", session.FaultPermission, "EPERM"), nil, StatusFail, "a firewall or policy of this machine forbids it"},
		{"the budget", spent, []contact{four}, StatusSkip, "not tried: it was asked often enough"},
		{"the proxy itself", dead("192.0.2.2", session.FaultLoop, ""), nil, StatusFail, "in the system's words"},
	}
	for _, test := range tests {
		got := tcpLine(&test.c, append([]contact{test.c}, test.beside...))
		if got.Status != test.status || !strings.Contains(got.Text, test.text) || strings.Contains(got.Text, "\n") {
			t.Errorf("%s: got %s %q, want %s and %q", test.name, got.Status, got.Text, test.status, test.text)
		}
	}
}

func TestFaultOf(t *testing.T) {
	named, given := contact{}, contact{addr: netip.MustParseAddr("192.0.2.1"), took: time.Second}
	lookup := &upstream.Error{Fault: session.Fault{Op: "lookup", Class: session.FaultLocal}}
	tests := []struct {
		c    contact
		err  error
		want string
	}{
		{named, fmt.Errorf("dial: %w", &upstream.Error{Fault: session.Fault{Op: "dial", Class: session.FaultRefused}}), "dial refused"},
		{named, lookup, "lookup timeout"},
		{given, lookup, "dial timeout"},
		{given, errors.New("odd"), "dial other"},
	}
	for _, test := range tests {
		f := test.c.faultOf(test.err)
		if got := f.Op + " " + string(f.Class); got != test.want {
			t.Errorf("got %s of %v, want %s", got, test.err, test.want)
		}
	}
}
