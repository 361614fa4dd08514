package upstream

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"smtp-proxy/proxy/session"
)

func TestMemory(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	good := func(ttl time.Duration) answer {
		return answer{addrs: []netip.Addr{netip.MustParseAddr("192.0.2.1")}, ttl: ttl}
	}
	missing := answer{fault: &session.Fault{Class: session.FaultNoSuchHost}}
	failed := answer{fault: &session.Fault{Class: session.FaultDNS}}
	tests := []struct {
		name    string
		answers []answer
		after   time.Duration
		want    bool
	}{
		{"in time", []answer{good(30 * time.Second), missing}, 29 * time.Second, true},
		{"out of time", []answer{good(30 * time.Second), missing}, 30 * time.Second, false},
		{"a long time to live counts for a minute", []answer{good(time.Hour)}, 59 * time.Second, true},
		{"and no more", []answer{good(time.Hour)}, time.Minute, false},
		{"half an answer", []answer{good(time.Minute), failed}, 0, false},
		{"no address", []answer{missing, missing}, 0, false},
	}
	for _, tt := range tests {
		m := newMemory()
		m.keep("mail.example", tt.answers, now)
		if got := m.recall("mail.example", now.Add(tt.after)); (got != nil) != tt.want {
			t.Errorf("%s: after %v recalled %v, want one: %v", tt.name, tt.after, got, tt.want)
		}
	}
}

func TestMemoryIsBounded(t *testing.T) {
	m, now := newMemory(), time.Now()
	for i := range 10 * maxRemembered {
		m.keep(strings.Repeat("x", i), []answer{{addrs: []netip.Addr{netip.IPv6Loopback()}, ttl: time.Minute}}, now)
	}
	if len(m.names) > maxRemembered {
		t.Errorf("%d names are remembered, want at most %d", len(m.names), maxRemembered)
	}
}

func TestWatchedFileIsReadAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hosts")
	w := watched[hosts]{path: path, parse: parseHosts}
	if got, err := w.read(); err == nil || got != nil {
		t.Errorf("a file that is not there: %v, %v; want an error", got, err)
	}
	for _, addr := range []string{"192.0.2.1", "192.0.2.22"} {
		if err := os.WriteFile(path, []byte(addr+" mail\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := w.read()
		if err != nil || !slices.Equal(addrStrings(got["mail"]), []string{addr}) {
			t.Errorf("read %v, %v; want %s", got, err, addr)
		}
	}
}

// The system's resolver is asked about names that need no server.
func TestSystemResolver(t *testing.T) {
	var system systemResolver
	if a := system.ask(t.Context(), "127.0.0.1", dns.TypeA); a.fault != nil || !slices.Equal(addrStrings(a.addrs), []string{"127.0.0.1"}) {
		t.Errorf("an address asked for as a name: %v, fault %+v", a.addrs, a.fault)
	}
	if a := system.ask(t.Context(), "no..name", dns.TypeA); a.fault == nil || a.fault.Class != session.FaultNoSuchHost || a.lookup.Server != "system" {
		t.Errorf("what is no name: fault %+v", a.fault)
	}
}

func TestWithoutResolvConfTheSystemIsAsked(t *testing.T) {
	for _, text := range []string{"", "search example\n", "nameserver\n", "nameserver dns.example\n"} {
		path := filepath.Join(t.TempDir(), "resolv.conf")
		if text != "" {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		r, err := newResolver(Options{ResolvConf: path}.withDefaults())
		if err != nil {
			t.Fatal(err)
		}
		if via, names := r.plan("mail.example"); via != (systemResolver{}) || !slices.Equal(names, []string{"mail.example"}) {
			t.Errorf("with %q: %T is asked for %q, want the system for the name alone", text, via, names)
		}
	}
}

func TestPlainDNS(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	tests := []struct {
		ctx  context.Context
		err  error
		want string
	}{
		{t.Context(), dialError(syscall.EMFILE), "too many open files"},
		{t.Context(), dialError(syscall.ECONNREFUSED), "connection refused"},
		{t.Context(), os.ErrDeadlineExceeded, "no answer in time"},
		{cancelled, net.ErrClosed, "given up"},
	}
	for _, tt := range tests {
		if got := plainDNS(tt.ctx, tt.err); !strings.Contains(got.Error(), tt.want) {
			t.Errorf("%v: %q, want it to say %q", tt.err, got, tt.want)
		}
	}
	if !errors.Is(plainDNS(t.Context(), dialError(syscall.EMFILE)), errDescriptors) {
		t.Error("an exhausted machine is not told from a resolver that fails")
	}
}

// A line added to a hosts file is found again, whatever stands before it, and
// all names are in the form in which they are looked up.
func FuzzHosts(f *testing.F) {
	f.Add("127.0.0.1 localhost\n::1 localhost ip6 # note\n")
	f.Add("fe80::1%lo0 x\r\n\t 10.0.0.1\tA.Example. b")
	f.Add("#\n1.2.3 x\n\x00")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := parseHosts([]byte(text + "\n192.0.2.77 planted.example\n"))
		if err != nil {
			return // a line longer than any editor writes
		}
		if !slices.Contains(addrStrings(h["planted.example"]), "192.0.2.77") {
			t.Fatalf("%q: the line behind it is lost: %v", text, h)
		}
		for name := range h {
			if name != strings.ToLower(name) || strings.ContainsAny(name, " \t#\n") {
				t.Fatalf("%q: yields the name %q", text, name)
			}
		}
	})
}

// Whatever a server answers: only addresses of the family asked for come out,
// no more than are wanted, and an answer is either good or at fault.
func FuzzAnswer(f *testing.F) {
	for _, records := range [][]string{
		{"mail.example. 60 IN A 192.0.2.1"},
		{"mail.example. 60 IN CNAME a.example.", "a.example. 1 IN AAAA 2001:db8::1", "a.example. 9 IN A 0.0.0.0"},
		{"mail.example. 0 IN CNAME mail.example."},
	} {
		m := new(dns.Msg).SetQuestion("mail.example.", dns.TypeA)
		for _, record := range records {
			rr, err := dns.NewRR(record)
			if err != nil {
				f.Fatal(err)
			}
			m.Answer = append(m.Answer, rr)
		}
		packed, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(packed)
	}
	f.Fuzz(func(t *testing.T, packet []byte) {
		reply := new(dns.Msg)
		if reply.Unpack(packet) != nil || len(reply.Question) != 1 {
			return
		}
		for qtype, v4 := range map[uint16]bool{dns.TypeA: true, dns.TypeAAAA: false} {
			var a answer
			a.understand(reply, qtype)
			a.conclude(nil)
			if len(a.addrs) > maxAddrs || (len(a.addrs) == 0) != (a.fault != nil) || a.text == "" {
				t.Fatalf("%v: %d addresses, fault %+v, text %q", reply, len(a.addrs), a.fault, a.text)
			}
			for _, addr := range a.addrs {
				if addr.IsUnspecified() || v4 && !addr.Is4() {
					t.Fatalf("%v: a question for type %d brought %v", reply, qtype, addr)
				}
			}
		}
	})
}
