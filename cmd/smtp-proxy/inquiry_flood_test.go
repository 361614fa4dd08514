package main

import (
	"bufio"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/rs/zerolog"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/inspect/rules"
	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

// sundial is a time that the test moves on.
type sundial struct {
	mu  sync.Mutex
	now time.Time
}

func (s *sundial) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *sundial) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

// counter is a smarthost that counts what reaches it. It offers no TLS; a mute
// one leaves without a word.
type counter struct {
	listener net.Listener
	now      func() time.Time
	mute     bool
	serving  sync.WaitGroup

	mu    sync.Mutex
	met   []time.Time // when each connection came
	verbs map[string]int
}

func newCounter(t *testing.T, now func() time.Time, mute bool) *counter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &counter{listener: l, now: now, mute: mute, verbs: map[string]int{}}
	c.serving.Go(c.accept)
	t.Cleanup(c.end)
	return c
}

// end makes the counts final.
func (c *counter) end() { c.listener.Close(); c.serving.Wait() }

func (c *counter) port() int { return c.listener.Addr().(*net.TCPAddr).Port }

func (c *counter) accept() {
	for {
		conn, err := c.listener.Accept()
		if err != nil {
			return
		}
		c.mu.Lock()
		c.met = append(c.met, c.now())
		c.mu.Unlock()
		c.serving.Go(func() { c.talk(conn) })
	}
}

func (c *counter) talk(conn net.Conn) {
	defer conn.Close()
	if c.mute {
		return
	}
	fmt.Fprint(conn, "220 mx.example.com ESMTP\r\n")
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		verb, _, _ := strings.Cut(strings.ToUpper(lines.Text()), " ")
		c.mu.Lock()
		c.verbs[verb]++
		c.mu.Unlock()
		if verb == "QUIT" {
			fmt.Fprint(conn, "221 bye\r\n")
			return
		}
		fmt.Fprint(conn, "250 mx.example.com\r\n")
	}
}

// busiest is the most connections within any minute.
func (c *counter) busiest() (most int) {
	for i, from := range c.met {
		n := 0
		for _, at := range c.met[i:] {
			if at.Sub(from) < time.Minute {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

// flood is a thousand failing sessions and those who are asked about them.
type flood struct {
	*inquiry
	engine *diagnose.Engine
	clock  *sundial
	dns    *testenv.DNS

	lacking, mute, other *counter // without STARTTLS; without a word; on another port
	closed               int      // a port on which nothing listens

	mu      sync.Mutex
	answers map[string][]session.Entry // by session
	revised chan struct{}
	addrs   []string // that refusals name
}

func newFlood(t *testing.T) *flood {
	t.Helper()
	set, err := rules.Load()
	if err != nil {
		t.Fatal(err)
	}
	f := &flood{
		clock: &sundial{now: time.Now()}, answers: map[string][]session.Entry{}, revised: make(chan struct{}, 1000),
		engine: diagnose.New(set, diagnose.Options{Failed: func(err error) { t.Error(err) }}),
		addrs:  []string{"203.0.113.5", "203.0.113.6", "198.51.100.7"},
	}
	f.lacking, f.mute, f.other = newCounter(t, f.clock.Now, false), newCounter(t, f.clock.Now, true), newCounter(t, f.clock.Now, false)
	f.closed = closedPort(t)
	if f.dns, err = testenv.NewDNS(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.dns.Close() })
	f.dns.A("mx.example.com", "127.0.0.1")
	f.dns.A("2.0.0.127.zen.spamhaus.org", "127.0.0.2")
	f.inquiry = f.newInquiry(t)
	return f
}

// closedPort is one that nobody listens on: the local end of a connection.
func closedPort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); l.Close() })
	return c.LocalAddr().(*net.TCPAddr).Port
}

func (f *flood) newInquiry(t *testing.T) *inquiry {
	t.Helper()
	c, err := upstream.New(upstream.Options{Resolver: f.dns.Addr(), HostsFile: "/dev/null", ConnectTimeout: time.Second, LookupTimeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	p := probe.New(probe.Options{Connector: c, Now: f.clock.Now, Timeout: 2 * time.Second, OtherPorts: []int{f.other.port()}})
	return &inquiry{
		questions: f.engine.Questions,
		prober: func(s *inspect.Session) (prober, upstream.Target, bool) {
			at, err := upstream.ParseTarget(s.Upstream.Name, upstream.ModeSTARTTLS)
			return p, at, err == nil
		},
		annotate: f.engine.Annotate,
		revise:   f.revise,
		changed:  func(*inspect.Session) {},
		log:      zerolog.Nop(),
		queue:    make(chan *inspect.Session, inquiryQueue),
	}
}

func (f *flood) revise(s *inspect.Session, answers []session.Entry) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers[s.ID] = append(f.answers[s.ID], answers...)
	f.revised <- struct{}{}
	return nil
}

// session is the n-th session, failing in one of seven ways.
func (f *flood) session(n int) *inspect.Session {
	up := func(kind session.Kind, e session.Entry) session.Entry {
		e.Kind, e.Leg = kind, session.Upstream
		return e
	}
	open := up(session.KindOpen, session.Entry{Dial: &session.Dial{Addr: "127.0.0.1:25"}})
	greeted := up(session.KindGreeting, session.Entry{From: session.FromUpstream, Code: 220, Text: "220 mx"})
	host, port := "mx.example.com", f.lacking.port()
	var entries []session.Entry
	switch n % 7 {
	case 0:
		port = f.closed
		entries = append(entries, up(session.KindError, session.Entry{Dial: &session.Dial{}, Fault: &session.Fault{Op: "dial", Class: session.FaultRefused}}))
	case 1:
		host = "missing.example.com"
		entries = append(entries, up(session.KindError, session.Entry{Lookup: &session.Lookup{}, Fault: &session.Fault{Op: "lookup", Class: session.FaultNoSuchHost}}))
	case 2:
		port = f.mute.port()
		entries = append(entries, open, up(session.KindNote, session.Entry{Odd: session.OddTimeout, Text: "silent"}))
	case 3:
		entries = append(entries, open, greeted, up(session.KindTLS, session.Entry{TLS: &session.TLS{Verify: session.VerifyIncomplete, RootHint: "CN=x"},
			Fault: &session.Fault{Op: "handshake", Class: session.FaultCertificate}}))
	case 4:
		entries = append(entries, open, up(session.KindGreeting, session.Entry{From: session.FromUpstream, Code: 554,
			Text: "554 5.7.1 Client host [" + f.addrs[n/7%len(f.addrs)] + "] blocked using zen.spamhaus.org"}))
	case 5:
		entries = append(entries, open, greeted, session.Entry{Kind: session.KindAuth, Verb: "AUTH", Auth: &session.Auth{Mechanism: "PLAIN", Username: "me"}},
			up(session.KindReply, session.Entry{From: session.FromUpstream, Verb: "AUTH", Code: 535, Text: "535 5.7.8 no"}))
	case 6:
		entries = append(entries, open, greeted, session.Entry{Kind: session.KindCommand, Verb: "MAIL", Text: "MAIL FROM:<me@example.org>"},
			up(session.KindReply, session.Entry{From: session.FromUpstream, Verb: "MAIL", Code: 550, Text: "550 5.7.23 SPF validation failed [" + f.addrs[0] + "]"}))
	}
	a := inspect.NewAssembler(&session.Info{ID: fmt.Sprint("S", n), Started: f.clock.Now(), Upstream: fmt.Sprintf("%s:%d", host, port)})
	for i := range entries {
		entries[i].Seq, entries[i].At = i+1, f.clock.Now()
		a.Add(&entries[i])
	}
	a.Close(f.clock.Now())
	s := a.Session()
	s.Findings = f.engine.Annotate(s)
	return s
}

// TestProbesOfAThousandFailures has a thousand sessions fail within two and a
// half minutes and counts what reaches the smarthosts and the DNS.
func TestProbesOfAThousandFailures(t *testing.T) {
	f := newFlood(t)
	f.start(t.Context())
	for n := 0; n < 1000; {
		waiting := 0
		for range 20 {
			s := f.session(n)
			if n++; len(f.engine.Questions(s)) > 0 {
				waiting++
			}
			f.offer(s)
		}
		for range waiting {
			<-f.revised
		}
		f.clock.pass(3 * time.Second)
	}
	f.finish()
	f.wantCounts(t)
	f.wantAnswers(t)
}

func (f *flood) wantCounts(t *testing.T) {
	t.Helper()
	for name, c := range map[string]*counter{"that lacks STARTTLS": f.lacking, "that says nothing": f.mute, "on the other port": f.other} {
		c.end()
		for _, verb := range []string{"AUTH", "MAIL", "RCPT", "DATA", "BDAT", "VRFY"} {
			if n := c.verbs[verb]; n > 0 {
				t.Errorf("the smarthost %s got %s %d times, want never", name, verb, n)
			}
		}
	}
	if got := f.lacking.busiest(); got != 30 {
		t.Errorf("the smarthost whose answer cannot be remembered got up to %d connections a minute, want 30", got)
	}
	if got := len(f.mute.met); got != 3 {
		t.Errorf("the smarthost that says nothing got %d connections, want one a minute: 3", got)
	}
	if got := len(f.other.met); got != 3 {
		t.Errorf("the other port got %d connections, want one a minute: 3", got)
	}
	for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA} {
		if got := f.dns.Asked("missing.example.com", qtype); got != 3 {
			t.Errorf("%s of the missing host was asked for %d times, want once a minute: 3", dns.TypeToString[qtype], got)
		}
	}
	for _, name := range []string{"example.org", "_dmarc.example.org"} {
		if got := f.dns.Asked(name, dns.TypeTXT); got != 1 {
			t.Errorf("TXT of %s was asked for %d times, want once", name, got)
		}
	}
	for _, addr := range f.addrs {
		reversed, _ := dns.ReverseAddr(netip.MustParseAddr(addr).String())
		name := strings.TrimSuffix(reversed, "in-addr.arpa.") + "zen.spamhaus.org"
		if got := f.dns.Asked(name, dns.TypeA); got != 1 {
			t.Errorf("the list was asked about %s %d times, want once", addr, got)
		}
	}
}

// wantAnswers demands that each session which left a question open has one
// answer to it, and no other has any.
func (f *flood) wantAnswers(t *testing.T) {
	t.Helper()
	names := []string{"ports", "resolvers", "speaks", "certificate", "dnsbl", "", "sender"}
	results := map[string]int{}
	for n := range 1000 {
		answers := f.answers[fmt.Sprint("S", n)]
		want := names[n%7]
		if len(answers) == 0 && want == "" {
			continue
		}
		if len(answers) != 1 || answers[0].Probe.Name != want {
			t.Errorf("session %d has %+v, want one answer of %q", n, answers, want)
			continue
		}
		results[want+" "+answers[0].Probe.Result]++
	}
	for _, decided := range []string{"ports fail", "resolvers ok", "speaks fail", "dnsbl ok", "sender fail"} {
		if got, want := results[decided], 1000/7; got < want {
			t.Errorf("%q was answered %d times, want %d or one more: %v", decided, got, want, results)
		}
	}
	if got := f.dropped.Load(); got != 0 {
		t.Errorf("dropped %d sessions, want none", got)
	}
}
