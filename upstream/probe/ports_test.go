package probe_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

// local names a port of this machine as a smarthost, which other ports stand
// beside.
func local(t *testing.T, port int) upstream.Target {
	t.Helper()
	target, err := upstream.ParseTarget(net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), upstream.ModeAuto)
	if err != nil {
		t.Fatal(err)
	}
	return target
}

// portThat starts what testenv has of a cause, and returns its port.
func portThat(t *testing.T, cause string) int {
	t.Helper()
	f, err := testenv.StartFault(cause, testenv.FaultOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return portOf(t, f.Upstream)
}

func portOf(t *testing.T, addr string) int {
	t.Helper()
	_, digits, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(digits)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// outcomes are the words of an answer's parts, in their order.
func outcomes(e session.Entry) string {
	var list []string
	for _, f := range e.Probe.Found {
		list = append(list, f.Result)
	}
	return strings.Join(list, " ")
}

// TestPorts asks for ports of which some answer, some refuse and some are
// silent.
func TestPorts(t *testing.T) {
	open := portOf(t, start(t, testenv.SmarthostOptions{}).Addr())
	closed, silent := portThat(t, "connect.refused"), portThat(t, "connect.timeout")
	tests := []struct {
		name     string
		own      int
		others   []int
		result   string
		cause    string
		outcomes string
	}{
		{"all well", open, []int{closed, silent}, "ok", "", "ok refused timeout"},
		{"itself among the others", open, []int{open, closed}, "ok", "", "ok refused"},
		{"no others", open, []int{}, "ok", "", "ok"},
		{"blocked", silent, []int{open, closed}, "fail", "connect.port-blocked", "timeout ok refused"},
		{"silent, others refuse", silent, []int{closed}, "fail", "", "timeout refused"},
		{"refused", closed, []int{open}, "fail", "", "refused ok"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := newProber(t, nil, probe.Options{OtherPorts: test.others, Timeout: time.Second})
			e := p.Ports(t.Context(), local(t, test.own))
			got := []string{e.Probe.Name, e.Probe.Result, e.Probe.Cause, outcomes(e)}
			if want := []string{"ports", test.result, test.cause, test.outcomes}; !slices.Equal(got, want) {
				t.Errorf("got %q, want %q: %s", got, want, e.Text)
			}
			if e.Kind != session.KindProbe || e.Phase != session.PhaseConnect || e.Probe.Duration <= 0 {
				t.Errorf("got entry %+v with %+v, want a probe of phase connect with its duration", e, *e.Probe)
			}
		})
	}
}

// TestPortsOnce has many sessions ask at the same time: the smarthost hears of
// one.
func TestPortsOnce(t *testing.T) {
	open := portOf(t, start(t, testenv.SmarthostOptions{}).Addr())
	p := newProber(t, nil, probe.Options{OtherPorts: []int{portThat(t, "connect.refused")}})
	var asking sync.WaitGroup
	for range 32 {
		asking.Go(func() {
			if e := p.Ports(t.Context(), local(t, open)); e.Probe.Result != "ok" {
				t.Errorf("got %+v %q, want ok", *e.Probe, e.Text)
			}
		})
	}
	asking.Wait()
	if got, want := p.Counts(), (probe.Counts{Asked: 32, Cached: 31, Connections: 2}); got != want {
		t.Errorf("counts %+v, want %+v", got, want)
	}
}

func TestPortsBudget(t *testing.T) {
	open := portOf(t, start(t, testenv.SmarthostOptions{}).Addr())
	p := newProber(t, nil, probe.Options{OtherPorts: []int{}, PerMinute: 1})
	target := local(t, open)
	if e := p.Certificate(t.Context(), target, ""); e.Probe.Result == "skip" {
		t.Fatalf("got %+v %q of the first question, want an answer", *e.Probe, e.Text)
	}
	if e := p.Ports(t.Context(), target); e.Probe.Result != "skip" || !strings.Contains(e.Text, "often enough") {
		t.Errorf("got %+v %q beyond the budget, want skip", *e.Probe, e.Text)
	}
}

// TestPortsNotAllTried has a budget that ends amid the ports: what was not
// tried is not said to be silent.
func TestPortsNotAllTried(t *testing.T) {
	open, closed := portOf(t, start(t, testenv.SmarthostOptions{}).Addr()), portThat(t, "connect.refused")
	p := newProber(t, nil, probe.Options{OtherPorts: []int{open}, PerMinute: 1})
	if e := p.Ports(t.Context(), local(t, closed)); e.Probe.Result != "skip" || !strings.Contains(e.Text, "often enough") || len(e.Probe.Found) > 0 {
		t.Errorf("refused, and one of two ports tried: got %+v %q, want skip", *e.Probe, e.Text)
	}
	p = newProber(t, nil, probe.Options{OtherPorts: []int{closed, portThat(t, "connect.refused")}, PerMinute: 2})
	if e := p.Ports(t.Context(), local(t, open)); strings.Contains(outcomes(e), "skip") {
		t.Errorf("one of three ports not tried: got %+v, want it left out", *e.Probe)
	}
}

func TestPortsOfUnknownHost(t *testing.T) {
	d, err := testenv.NewDNS()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	c, err := upstream.New(upstream.Options{Resolver: d.Addr(), HostsFile: t.TempDir() + "/none"})
	if err != nil {
		t.Fatal(err)
	}
	target := upstream.Target{Name: "smtp.example.com:587", Host: "smtp.example.com", Port: 587}
	e := probe.New(probe.Options{Connector: c, OtherPorts: []int{}}).Ports(t.Context(), target)
	if e.Probe.Result != "skip" || !strings.Contains(e.Text, "no address") {
		t.Errorf("got %+v %q of a name that does not exist, want skip", *e.Probe, e.Text)
	}
}

// TestPortsInterrupted ends the caller's patience while a port is silent.
func TestPortsInterrupted(t *testing.T) {
	p := newProber(t, nil, probe.Options{OtherPorts: []int{}})
	target := local(t, portThat(t, "connect.timeout"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var asking sync.WaitGroup
	asking.Go(func() {
		if e := p.Ports(ctx, target); e.Probe.Result != "skip" {
			t.Errorf("got %+v %q when cut short, want skip", *e.Probe, e.Text)
		}
	})
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range 5000 {
		if <-tick.C; p.Counts().Connections > 0 {
			break
		}
	}
	cancel()
	asking.Wait()
}

// TestPortsOfTwoAddresses has one address of a host silent and the other
// refuse: a refusal tells more.
func TestPortsOfTwoAddresses(t *testing.T) {
	silent := portThat(t, "connect.timeout") // of 127.0.0.1; nothing listens on 127.0.0.2
	file := filepath.Join(t.TempDir(), "hosts")
	if err := os.WriteFile(file, []byte("127.0.0.1 "+host+"\n127.0.0.2 "+host+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := upstream.New(upstream.Options{HostsFile: file})
	if err != nil {
		t.Fatal(err)
	}
	p := probe.New(probe.Options{Connector: c, OtherPorts: []int{}, Timeout: time.Second})
	e := p.Ports(t.Context(), target(net.JoinHostPort("127.0.0.1", strconv.Itoa(silent)), upstream.ModeAuto))
	if got := outcomes(e); got != "refused" {
		t.Errorf("got %q, want refused: %s", got, e.Text)
	}
}

// TestPathSteps runs a check of what this file and its neighbours ask, against
// a smarthost that is well.
func TestPathSteps(t *testing.T) {
	addr := start(t, testenv.SmarthostOptions{}).Addr()
	p := newProber(t, nil, probe.Options{OtherPorts: []int{portThat(t, "connect.refused")}})
	var told []string
	r := p.Check(t.Context(), local(t, portOf(t, addr)), probe.Wanted{Steps: []string{"tcp", "ports", "path-mtu"}}, func(l probe.Line) {
		if slices.Contains([]string{"tcp", "ports", "path-mtu"}, l.Step) {
			told = append(told, l.Step+" "+string(l.Status))
		}
	})
	if want := []string{"tcp ok", "ports ok", "path-mtu ok"}; !slices.Equal(told, want) {
		t.Errorf("got %q, want %q: %+v", told, want, r.Lines)
	}
	var asked []string
	for _, e := range r.Answers {
		asked = append(asked, e.Probe.Name+" "+e.Probe.Result)
	}
	slices.Sort(asked)
	if want := []string{"path-mtu ok", "ports ok", "tcp ok"}; !slices.Equal(slices.DeleteFunc(asked, func(a string) bool { return !slices.Contains(want, a) }), want) {
		t.Errorf("got answers %q, want %q", asked, want)
	}
}

// TestRememberedByMode has two routes to one port, one of which has TLS from
// the first octet: an answer about the one is none about the other.
func TestRememberedByMode(t *testing.T) {
	at := start(t, testenv.SmarthostOptions{}).Addr()
	p := newProber(t, nil, probe.Options{Timeout: time.Second})
	first, second := p.PathMTU(t.Context(), target(at, upstream.ModeSTARTTLS)), p.PathMTU(t.Context(), target(at, upstream.ModeImplicit))
	if first.Probe.Result != "ok" || second.Probe.Cached || second.Probe.Result != "skip" {
		t.Errorf("got %+v %q, then %+v %q; want ok, then skip for a port that does not speak TLS", *first.Probe, first.Text, *second.Probe, second.Text)
	}
}
