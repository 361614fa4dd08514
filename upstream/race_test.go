package upstream

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"smtp-proxy/proxy/session"
)

// The tests of a race run in virtual time, which real sockets do not keep. So
// two ends are scripted: when the answers to A and AAAA come, and what becomes
// of an attempt at an address.

const (
	v4a = "192.0.2.1"
	v4b = "192.0.2.2"
	v6a = "2001:db8::1"
	v6b = "2001:db8::2"
)

// reply is a scripted answer: addresses after a delay.
type reply struct {
	after time.Duration
	addrs []string
}

type scriptedDNS map[uint16]reply

func (s scriptedDNS) ask(ctx context.Context, name string, qtype uint16) answer {
	a := answer{lookup: session.Lookup{Name: name, Type: dns.TypeToString[qtype], Rcode: "NOERROR"}}
	select {
	case <-time.After(s[qtype].after):
	case <-ctx.Done():
	}
	for _, addr := range s[qtype].addrs {
		a.addrs = append(a.addrs, netip.MustParseAddr(addr))
	}
	if len(a.addrs) == 0 || ctx.Err() != nil {
		a.addrs, a.fault = nil, &session.Fault{Op: opLookup, Class: session.FaultNoSuchHost}
	}
	a.at = time.Now()
	return a
}

// fate is what becomes of an attempt: an error or a connection after a while;
// the zero value never answers.
type fate struct {
	after time.Duration
	err   error
}

// scene is a race in virtual time.
type scene struct {
	answers scriptedDNS
	fates   map[string]fate
	mu      sync.Mutex
	dialled []string // in order
	entries []session.Entry
}

func (s *scene) dial(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
	s.mu.Lock()
	s.dialled = append(s.dialled, addr.Addr().String())
	s.mu.Unlock()
	fate, answers := s.fates[addr.Addr().String()]
	if !answers {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(fate.after):
	}
	if fate.err != nil {
		return nil, fate.err
	}
	near, far := net.Pipe()
	far.Close()
	return near, nil
}

// run plays the scene and returns how long it took.
func (s *scene) run(t *testing.T, ctx context.Context) (time.Duration, error) {
	t.Helper()
	c, err := New(Options{HostsFile: "none"})
	if err != nil {
		t.Fatal(err)
	}
	c.resolver.fixed = s.answers
	c.dial = s.dial
	c.routable = func(netip.Addr) bool { return true }
	began := time.Now()
	conn, err := c.Connect(ctx, Target{Name: "mail.example:25", Host: "mail.example", Port: 25}, func(e session.Entry) { s.entries = append(s.entries, e) })
	if conn != nil {
		conn.Close()
	}
	return time.Since(began), err
}

func (s *scene) kinds() []session.Kind {
	var kinds []session.Kind
	for _, e := range s.entries {
		if e.Lookup == nil {
			kinds = append(kinds, e.Kind)
		}
	}
	return kinds
}

var refused = fate{after: time.Millisecond, err: syscall.ECONNREFUSED}

func TestRace(t *testing.T) {
	at := func(addrs ...string) reply { return reply{addrs: addrs} }
	tests := []struct {
		name    string
		scene   *scene
		dialled []string
		took    time.Duration
		kinds   []session.Kind
	}{
		{
			"IPv6 first",
			&scene{answers: scriptedDNS{dns.TypeA: at(v4a), dns.TypeAAAA: at(v6a)}, fates: map[string]fate{v6a: {}}},
			[]string{v6a}, 0, []session.Kind{session.KindOpen},
		},
		{
			"IPv6 that is silent costs 250 ms and leaves no trace",
			&scene{answers: scriptedDNS{dns.TypeA: at(v4a), dns.TypeAAAA: at(v6a)}, fates: map[string]fate{v4a: {after: time.Millisecond}}},
			[]string{v6a, v4a}, 251 * time.Millisecond, []session.Kind{session.KindOpen},
		},
		{
			"a refusal goes on at once",
			&scene{answers: scriptedDNS{dns.TypeA: at(v4a), dns.TypeAAAA: at(v6a)}, fates: map[string]fate{v6a: refused, v4a: {}}},
			[]string{v6a, v4a}, time.Millisecond, []session.Kind{session.KindError, session.KindOpen},
		},
		{
			"families take turns",
			&scene{answers: scriptedDNS{dns.TypeA: at(v4a, v4b), dns.TypeAAAA: at(v6a, v6b)}, fates: map[string]fate{v4b: {}}},
			[]string{v6a, v4a, v6b, v4b}, 750 * time.Millisecond, []session.Kind{session.KindOpen},
		},
		{
			"a slow first attempt may still win",
			&scene{answers: scriptedDNS{dns.TypeA: at(v4a), dns.TypeAAAA: at(v6a)}, fates: map[string]fate{v6a: {after: 300 * time.Millisecond}, v4a: {after: time.Second}}},
			[]string{v6a, v4a}, 300 * time.Millisecond, []session.Kind{session.KindOpen},
		},
		{
			"IPv6 is waited for a little",
			&scene{answers: scriptedDNS{dns.TypeA: at(v4a), dns.TypeAAAA: {20 * time.Millisecond, []string{v6a}}}, fates: map[string]fate{v6a: {}, v4a: {}}},
			[]string{v6a}, 20 * time.Millisecond, []session.Kind{session.KindOpen},
		},
		{
			"and no longer",
			&scene{answers: scriptedDNS{dns.TypeA: at(v4a), dns.TypeAAAA: {3 * time.Second, []string{v6a}}}, fates: map[string]fate{v4a: {}}},
			[]string{v4a}, 50 * time.Millisecond, []session.Kind{session.KindOpen},
		},
		{
			"no IPv6 is no reason to wait",
			&scene{answers: scriptedDNS{dns.TypeA: at(v4a), dns.TypeAAAA: {10 * time.Millisecond, nil}}, fates: map[string]fate{v4a: {}}},
			[]string{v4a}, 10 * time.Millisecond, []session.Kind{session.KindOpen},
		},
		{
			"an answer that comes late is used",
			&scene{answers: scriptedDNS{dns.TypeA: at(v4a), dns.TypeAAAA: {time.Second, []string{v6a}}}, fates: map[string]fate{v4a: refused, v6a: {}}},
			[]string{v4a, v6a}, time.Second, []session.Kind{session.KindError, session.KindOpen},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				took, err := tt.scene.run(t, t.Context())
				if err != nil || took != tt.took || !slices.Equal(tt.scene.dialled, tt.dialled) || !slices.Equal(tt.scene.kinds(), tt.kinds) {
					t.Errorf("dialled %q in %v, recorded %q, error %v; want %q in %v, %q", tt.scene.dialled, took, tt.scene.kinds(), err, tt.dialled, tt.took, tt.kinds)
				}
			})
		})
	}
}

func TestRaceTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := scene{answers: scriptedDNS{dns.TypeA: {0, []string{v4a, v4b}}, dns.TypeAAAA: {0, []string{v6a}}}, fates: map[string]fate{v6a: {err: syscall.ENETUNREACH}}}
		took, err := s.run(t, t.Context())
		var failed *Error
		if !errors.As(err, &failed) || failed.Fault.Class != session.FaultTimeout || took != connectTimeout {
			t.Errorf("got %v after %v, want a timeout after %v", err, took, connectTimeout)
		}
		if want := "connect to mail.example:25: no answer in 20s (192.0.2.1:25; 2 other addresses failed too)"; err.Error() != want {
			t.Errorf("error %q, want %q", err, want)
		}
		if kinds := s.kinds(); !slices.Equal(kinds, []session.Kind{session.KindError, session.KindError, session.KindError}) {
			t.Errorf("recorded %q, want three failed attempts", kinds)
		}
	})
}

func TestRaceEndsWithTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		s := scene{answers: scriptedDNS{dns.TypeA: {0, []string{v4a, v4b}}}}
		ctx, leave := context.WithCancel(ctx)
		time.AfterFunc(2*time.Second, leave)
		took, err := s.run(t, ctx)
		var failed *Error
		if !errors.As(err, &failed) || failed.Fault.Class != session.FaultLocal || took != 2*time.Second {
			t.Errorf("got %v after %v, want class local after 2s", err, took)
		}
		if slices.Contains(s.kinds(), session.KindError) {
			t.Errorf("recorded %q: an attempt that was cut short is no failure", s.kinds())
		}
	})
}

func TestRaceEndsWithTheSessionInALookup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, leave := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, leave)
		s := scene{answers: scriptedDNS{dns.TypeA: {time.Minute, nil}, dns.TypeAAAA: {time.Minute, nil}}}
		took, err := s.run(t, ctx)
		var failed *Error
		if !errors.As(err, &failed) || failed.Fault.Class != session.FaultLocal || failed.Fault.Op != opLookup || took != time.Second {
			t.Errorf("got %v after %v, want class local after 1s", err, took)
		}
	})
}

func TestQueueOrder(t *testing.T) {
	tests := []struct {
		add  []string
		lost []string // without a route
		want []string
	}{
		{[]string{v4a, v4b, v6a, v6b}, nil, []string{v6a, v4a, v6b, v4b}},
		{[]string{v4a, v6a, v6b}, []string{v6a, v6b}, []string{v4a, v6a, v6b}},
		{[]string{v4a, v4a, v4b}, nil, []string{v4a, v4b}},
		{[]string{v6a, v6b}, []string{v6a, v6b}, []string{v6a, v6b}},
		{[]string{"::1", "127.0.0.1"}, nil, []string{"127.0.0.1", "::1"}},
	}
	for _, tt := range tests {
		q := newQueue(func(a netip.Addr) bool { return !slices.Contains(tt.lost, a.String()) })
		for _, a := range tt.add {
			q.add([]netip.Addr{netip.MustParseAddr(a)})
		}
		var got []string
		for !q.empty() {
			got = append(got, q.next().String())
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("added %q without routes to %q: order %q, want %q", tt.add, tt.lost, got, tt.want)
		}
	}
}
