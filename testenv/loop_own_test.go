package testenv_test

import (
	"io"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy"
	"smtp-proxy/testenv"
)

// ownFaults are the causes that lie in the relay itself: how to bring each
// about, and the session that shows it.
func ownFaults() map[string]func(t *testing.T, f *testenv.Fault) *inspect.Session {
	return map[string]func(t *testing.T, f *testenv.Fault) *inspect.Session{
		"proxy.shutting-down":  stoppedInATransaction,
		"proxy.limit-reached":  oneSessionTooMany,
		"proxy.loop":           upstreamIsItself,
		"proxy.policy-blocked": strangerAtTheDoor,
	}
}

func stoppedInATransaction(t *testing.T, f *testenv.Fault) *inspect.Session {
	l := startLoop(t, f)
	c := dial(t, l.addr)
	io.WriteString(c, "HELO me\r\n")
	awaitReply(t, c, "\r\n250 ")
	io.WriteString(c, "MAIL FROM:<app@example.com>\r\n")
	awaitReply(t, c, "\r\n250 ")
	l.stop()
	return l.sessions[0]
}

func oneSessionTooMany(t *testing.T, f *testenv.Fault) *inspect.Session {
	l := startLoop(t, f, func(o *proxy.Options) { o.MaxSessions = 1 })
	awaitReply(t, dial(t, l.addr), "220 ")
	awaitReply(t, dial(t, l.addr), "421 ")
	l.await(5 * time.Second)
	l.stop()
	return l.sessions[1]
}

func upstreamIsItself(t *testing.T, f *testenv.Fault) *inspect.Session {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	own := ln.Addr().(*net.TCPAddr)
	ln.Close()
	l := startLoop(t, f, func(o *proxy.Options) {
		r := &o.Routes[0]
		r.Listen, r.Target.Port = []string{own.String()}, own.Port
		r.Target.Host, r.Target.Name = own.IP.String(), own.String()
	})
	return l.run(t, f)[0]
}

func strangerAtTheDoor(t *testing.T, f *testenv.Fault) *inspect.Session {
	l := startLoop(t, f, func(o *proxy.Options) {
		o.Routes[0].AllowFrom = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	})
	return l.run(t, f)[0]
}

func TestTheRelaysOwnFaultsAreFound(t *testing.T) {
	t.Parallel()
	set, engine, all := loadRules(t), newEngine(t), ownFaults()
	eachAtOnce(t, slices.Collect(maps.Keys(all)), func(t *testing.T, cause string) {
		s := newSmarthost(t, testenv.SmarthostOptions{})
		f := &testenv.Fault{Upstream: s.Addr(), Roots: s.Roots(), Sends: 1}
		f.Relay.UpstreamTLS = "none"
		got := all[cause](t, f)
		wantCause(t, set, engine.Annotate(got), cause, got)
	})
}

// Every cause of the catalogue is provoked here, by a fault or in the relay
// itself, except a few that are named with the reason.
func TestWhatCannotBeProvokedIsNamed(t *testing.T) {
	why := testenv.Unprovoked()
	provoked := map[string]bool{}
	for _, name := range allFaults(t) {
		cause, _, _ := strings.Cut(name, "/")
		provoked[cause] = true
	}
	for cause := range ownFaults() {
		provoked[cause] = true
		delete(why, cause) // no fault shows it, and the relay does
	}
	var never []string
	for _, c := range loadRules(t).Causes() {
		if reason := why[c.ID]; provoked[c.ID] == (reason != "") {
			t.Errorf("%s: provoked %v, reason why not %q: want one of the two", c.ID, provoked[c.ID], reason)
		}
		if !provoked[c.ID] {
			never = append(never, c.ID)
		}
		delete(why, c.ID)
	}
	for cause := range why {
		t.Errorf("%s cannot be provoked, and is no cause", cause)
	}
	if want := []string{"connect.port-blocked", "proxy.fault-injected"}; !slices.Equal(never, want) {
		t.Errorf("cannot provoke %q, want %q only", never, want)
	}
}
