package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/store"
	"smtp-proxy/policy"
	"smtp-proxy/proxy/session"
)

// slowDNS is a name server that answers when it is told to, with the records
// that it was given, and that a name does not exist otherwise.
func slowDNS(t *testing.T, records map[string]string) (addr string, answer func()) {
	t.Helper()
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	released := make(chan struct{})
	up := make(chan struct{})
	d := &dns.Server{PacketConn: packets, NotifyStartedFunc: func() { close(up) }, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		<-released
		reply := new(dns.Msg).SetReply(q)
		if rr, err := dns.NewRR(q.Question[0].Name + " 60 IN A " + records[q.Question[0].Name]); err == nil && q.Question[0].Qtype == dns.TypeA {
			reply.Answer = append(reply.Answer, rr)
		} else {
			reply.Rcode = dns.RcodeNameError
		}
		_ = w.WriteMsg(reply) // who asked may have gone
	})}
	var serving sync.WaitGroup
	serving.Go(func() { _ = d.ActivateAndServe() })
	<-up
	answer = sync.OnceFunc(func() { close(released) })
	t.Cleanup(func() { answer(); _ = d.Shutdown(); serving.Wait() })
	return packets.LocalAddr().String(), answer
}

// refuser is a smarthost that refuses every connection in words of its own.
func refuser(t *testing.T, words func(n int) string) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for n := 0; ; n++ {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			fmt.Fprint(conn, words(n)+"\r\n")
			conn.Close()
		}
	})
	t.Cleanup(func() { l.Close(); serving.Wait() })
	return l.Addr().String()
}

// refusedBy connects as an app does and returns what it is told.
func refusedBy(t *testing.T, addr string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	line, _ := bufio.NewReader(conn).ReadString('\n')
	return line
}

// watch follows the record of a plant from its beginning, until enough says
// that it has seen what it waits for.
func (r *running) watch(t *testing.T, enough func(*inspect.Session) bool) {
	t.Helper()
	s, err := store.Open(r.dir, store.Options{ReadOnly: true, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	seen := false
	err = s.Follow(ctx, time.Now().Add(-time.Hour), inspect.Filter{}, func(v *inspect.Session) error {
		if !seen && !v.Ended.IsZero() && enough(v) {
			seen = true
			cancel()
		}
		return nil
	})
	if err != nil || !seen {
		t.Fatalf("following the record: %v, seen: %v", err, seen)
	}
}

// TestInquiriesDelayNobody has more sessions fail than can be asked about, while
// no question gets its answer: every app is told at once, and every session is
// in the record with the diagnosis that needs no probe.
func TestInquiriesDelayNobody(t *testing.T) {
	resolver, _ := slowDNS(t, nil)
	c := policy.Defaults()
	c.Resolver = resolver
	c.Upstream = refuser(t, func(n int) string {
		return fmt.Sprintf("554 5.7.1 Client host [203.0.113.%d] blocked using zen.spamhaus.org", n%250+1)
	})
	r := startPlant(t, c, nil)
	const sessions = inquiryQueue + inquiryWorkers + 82
	for range sessions {
		if got := refusedBy(t, r.addr()); !strings.HasPrefix(got, "554 5.7.1 Client host") {
			t.Fatalf("the app was told %q, want the smarthost's refusal", got)
		}
	}
	diagnosed := map[string]bool{}
	r.watch(t, func(s *inspect.Session) bool {
		if len(s.Findings) > 0 && s.Findings[0].Cause == "reputation.ip-blocklisted" {
			diagnosed[s.ID] = true
		}
		return len(diagnosed) == sessions
	})
	if r.inquiry.dropped.Load() == 0 {
		t.Errorf("of %d sessions none was dropped, want the queue to be full", sessions)
	}
}

// TestAnswersArriveOnce has the answer of a probe come when the session is long
// in the record: it stands there once, and whoever follows sees the session
// twice.
func TestAnswersArriveOnce(t *testing.T) {
	resolver, answer := slowDNS(t, map[string]string{
		"5.113.0.203.zen.spamhaus.org.": "127.0.0.4", "2.0.0.127.zen.spamhaus.org.": "127.0.0.2",
	})
	c := policy.Defaults()
	c.Resolver = resolver
	c.Upstream = refuser(t, func(int) string { return "554 5.7.1 poor reputation of [203.0.113.5]" })
	r := startPlant(t, c, nil)
	refusedBy(t, r.addr())
	var seen []string
	r.watch(t, func(s *inspect.Session) bool {
		seen = append(seen, firstCause(s))
		answer()
		return firstCause(s) == "reputation.ip-blocklisted"
	})
	if want := []string{"reputation.poor", "reputation.ip-blocklisted"}; !slices.Equal(seen, want) {
		t.Errorf("followers saw %q, want %q", seen, want)
	}
	r.end()
	s, asked := r.latest(t), 0
	for _, e := range s.Events {
		if e.Kind == session.KindProbe && e.Probe.Name == "dnsbl" {
			asked++
		}
	}
	if asked != 1 || !strings.Contains(s.Findings[0].Explanation, "203.0.113.5 is listed by zen.spamhaus.org") {
		t.Errorf("the record has %d answers and says %q, want one, and the listing", asked, s.Findings[0].Explanation)
	}
	if told := strings.Count(r.said.String(), s.ID); told != 2 {
		t.Errorf("the log tells of the session %d times, want 2:\n%s", told, r.said)
	}
}
