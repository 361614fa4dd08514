package testenv_test

import (
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream/probe"
)

// sharpened is a fault that a session alone shows one way, and with the answer
// of a probe another.
type sharpened struct {
	name   string
	fault  func(t *testing.T) *testenv.Fault
	probe  string
	first  string // the cause without the answer
	cause  string // the cause with it
	words  []string
	others bool // another port of the host takes mail
}

func sharpenedFaults() []sharpened {
	return []sharpened{
		{name: "one port is silent", fault: started("connect.timeout"), probe: "ports", others: true,
			first: "connect.timeout", cause: "connect.port-blocked", words: []string{"which answers from here: --upstream mail.example.com:"}},
		{name: "the host is silent", fault: started("connect.timeout"), probe: "ports",
			first: "connect.timeout", cause: "connect.timeout", words: []string{"The whole host is silent from here", "up at all"}},
		{name: "the service listens elsewhere", fault: started("connect.refused"), probe: "ports", others: true,
			first: "connect.refused", cause: "connect.refused", words: []string{"The service listens elsewhere", "which answers from here"}},
		{name: "nothing listens", fault: started("connect.refused"), probe: "ports",
			first: "connect.refused", cause: "connect.refused", words: []string{"Every port that was asked refuses"}},
		{name: "no such host", fault: started("connect.dns-no-such-host"), probe: "resolvers",
			first: "connect.dns-no-such-host", cause: "connect.dns-no-such-host", words: []string{"says the same"}},
		{name: "the resolver fails", fault: started("connect.dns-failure"), probe: "resolvers",
			first: "connect.dns-failure", cause: "connect.dns-failure", words: []string{"Asked once more"}},
		{name: "the port waits for TLS", fault: waitsForTLS, probe: "speaks",
			first: "connect.no-greeting", cause: "tls.implicit-expected", words: []string{"answered a TLS handshake", "--upstream-tls implicit"}},
		{name: "the address is listed", fault: listedSomewhere, probe: "dnsbl",
			first: "reputation.poor", cause: "reputation.ip-blocklisted", words: []string{"203.0.113.5 is listed by zen.spamhaus.org (XBL", "https://check.spamhaus.org/results/?query=203.0.113.5"}},
		{name: "the sender's domain allows nobody", fault: allowsNobody, probe: "sender",
			first: "sender.spf-failed", cause: "sender.spf-failed", words: []string{"SPF of example.com for 203.0.113.5 is fail by -all", "in front of what decides now (-all)"}},
	}
}

func started(id string) func(*testing.T) *testenv.Fault {
	return func(t *testing.T) *testenv.Fault {
		f, err := testenv.StartFault(id, testenv.FaultOptions{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
}

// waitsForTLS is a port of no particular number that speaks TLS from the first
// octet, and settings that say otherwise.
func waitsForTLS(t *testing.T) *testenv.Fault {
	f := named(t, testenv.SmarthostOptions{Implicit: true})
	f.Relay.UpstreamTLS, f.App.Patience = "starttls", 11*time.Second
	return f
}

// listedSomewhere is a smarthost that names its reason and no list.
func listedSomewhere(t *testing.T) *testenv.Fault {
	f, d := refusing(t, session.PhaseGreeting, testenv.Answer{Reply: "554 5.7.1 poor reputation of [203.0.113.5]", Then: testenv.EndClose})
	d.A("2.0.0.127.zen.spamhaus.org", "127.0.0.2")
	d.A("5.113.0.203.zen.spamhaus.org", "127.0.0.4")
	return f
}

// allowsNobody is a smarthost that refuses the sender of a domain whose SPF
// says that it sends no mail.
func allowsNobody(t *testing.T) *testenv.Fault {
	f, d := refusing(t, session.PhaseMail, testenv.Answer{Reply: "550 5.7.23 SPF validation failed for [203.0.113.5]"})
	d.TXT("example.com", "v=spf1 -all")
	return f
}

// refusing is a smarthost with an answer of its own, and the name server that
// knows it.
func refusing(t *testing.T, phase session.Phase, answer testenv.Answer) (*testenv.Fault, *testenv.DNS) {
	t.Helper()
	s := newSmarthost(t, testenv.SmarthostOptions{Answers: map[session.Phase]testenv.Answer{phase: answer}})
	d, err := testenv.NewDNS()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	d.A(s.Host(), "127.0.0.1")
	_, port, _ := net.SplitHostPort(s.Addr())
	return &testenv.Fault{Upstream: net.JoinHostPort(s.Host(), port), Resolver: d.Addr(), Roots: s.Roots(), Sends: 1}, d
}

// What a failed session leaves open is asked of real peers, and the answer
// leads to the cause; it costs no mail and no sign-in.
func TestProbesSharpenTheCause(t *testing.T) {
	t.Parallel()
	engine := newEngine(t)
	var names []string
	all := map[string]sharpened{}
	for _, s := range sharpenedFaults() {
		if s.first == "connect.timeout" && !slices.Contains(allFaults(t), s.first) {
			continue // this system cannot play it
		}
		names, all[s.name] = append(names, s.name), s
	}
	eachAtOnce(t, names, func(t *testing.T, name string) {
		s := all[name]
		s.run(t, engine)
	})
}

func (s *sharpened) run(t *testing.T, engine *diagnose.Engine) {
	t.Helper()
	f := s.fault(t)
	l := startLoop(t, f)
	elsewhere := newSmarthost(t, testenv.SmarthostOptions{})
	l.prober = probe.New(probe.Options{Connector: loopConnector(t, f), Timeout: 4 * time.Second, OtherPorts: s.ports(t, elsewhere)})
	got := l.run(t, f)[0]
	got.Findings = engine.Annotate(got)
	if len(got.Findings) == 0 || got.Findings[0].Cause != s.first {
		t.Fatalf("without an answer: got %+v, want %s in\n%s", got.Findings, s.first, transcript(got))
	}
	l.inquire(t, engine, got)
	wantCause(t, loadRules(t), engine.Annotate(got), s.cause, got)
	wantWords(t, engine.Annotate(got), s.words)
	s.wantAnswer(t, got)
	if n := len(elsewhere.Messages()); n > 0 {
		t.Errorf("the probes sent %d messages, want none", n)
	}
}

// ports are the other ports to ask: one that takes mail, or one on which
// nothing listens any more.
func (s *sharpened) ports(t *testing.T, elsewhere *testenv.Smarthost) []int {
	t.Helper()
	_, text, _ := net.SplitHostPort(elsewhere.Addr())
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	if s.others {
		return []int{port}
	}
	return []int{}
}

func (s *sharpened) wantAnswer(t *testing.T, got *inspect.Session) {
	t.Helper()
	last := got.Events[len(got.Events)-1]
	if last.Probe == nil || last.Probe.Name != s.probe || strings.HasPrefix(last.Text, "not tested") {
		t.Errorf("the last entry is %+v (%+v), want the answer of %s", last, last.Probe, s.probe)
	}
}
