package probe_test

import (
	"context"
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

// world is a prober whose DNS is the test's own.
type world struct {
	*probe.Prober
	dns   *testenv.DNS
	hosts string // the path of its hosts file
}

// settings are those of a world beyond its DNS server.
type settings struct {
	roots   *x509.CertPool
	servers []string      // DNS servers instead of the world's own
	lookup  time.Duration // for one look-up; 0 means a second
	options probe.Options
}

func newWorld(t *testing.T, s settings) *world {
	t.Helper()
	w := &world{dns: newDNS(t), hosts: filepath.Join(t.TempDir(), "hosts")}
	if s.lookup == 0 {
		s.lookup = time.Second
	}
	if s.servers == nil {
		s.servers = []string{w.dns.Addr()}
	}
	conf := filepath.Join(t.TempDir(), "resolv.conf")
	write(t, conf, "options timeout:1\nnameserver "+strings.Join(s.servers, "\nnameserver ")+"\n")
	write(t, w.hosts, "192.0.2.9 listed.example\n")
	c, err := upstream.New(upstream.Options{
		HostsFile: w.hosts, ResolvConf: conf, Roots: s.roots, ConnectTimeout: 5 * time.Second, LookupTimeout: s.lookup,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.options.Connector = c
	w.Prober = probe.New(s.options)
	return w
}

// newDNS starts a DNS server that ends with the test.
func newDNS(t *testing.T) *testenv.DNS {
	t.Helper()
	d, err := testenv.NewDNS()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// at names a smarthost.
func at(host string, port int) upstream.Target {
	return upstream.Target{Name: net.JoinHostPort(host, strconv.Itoa(port)), Host: host, Port: port, Mode: upstream.ModeAuto}
}

// ladder takes one step and those it needs, and returns its own lines, each as
// "warn text".
func (w *world) ladder(t *testing.T, target upstream.Target, wanted probe.Wanted, step string) (lines []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	wanted.Steps = []string{step}
	r := w.Check(ctx, target, wanted, func(probe.Line) {})
	for _, l := range r.Lines {
		if l.Step == step {
			lines = append(lines, string(l.Status)+" "+l.Text)
		}
	}
	return lines
}

// expect compares lines with what each has to begin with or to hold: "warn"
// and words apart by "…".
func expect(t *testing.T, what string, lines []string, want ...string) {
	t.Helper()
	if len(lines) != len(want) {
		t.Errorf("%s: got %d lines %q, want %d %q", what, len(lines), lines, len(want), want)
		return
	}
	for i, line := range lines {
		rest, ok := line, true
		for n, part := range strings.Split(want[i], "…") {
			var before string
			before, rest, ok = strings.Cut(rest, part)
			if !ok || n == 0 && before != "" {
				t.Errorf("%s: line %d is %q, want %q", what, i+1, line, want[i])
				break
			}
		}
	}
}

func TestDNSStep(t *testing.T) {
	w := newWorld(t, settings{})
	w.dns.A("one.example", "8.8.4.4")
	w.dns.CNAME("smtp.example", "lb.provider.example")
	w.dns.CNAME("lb.provider.example", "one.example")
	w.dns.A("mixed.example", "8.8.4.4", "10.0.0.1")
	w.dns.A("inside.example", "10.0.0.1")
	for i := range 40 {
		w.dns.A("many.example", "10.0.0."+strconv.Itoa(i+1))
	}
	w.dns.A("nat64.example", "8.8.4.4")
	w.dns.AAAA("nat64.example", "64:ff9b::808:404")
	w.dns.A("vpn.example", "100.100.7.1")
	w.dns.A("copied.example", "192.0.2.1")
	w.dns.AAAA("six.example", "fd00::1")
	w.dns.A("half.example", "8.8.4.4")
	w.dns.Trouble("half.example", testenv.Servfail, 28)
	w.dns.TXT("bare.example", "no address here")
	w.dns.Trouble("broken.example", testenv.Refused)
	w.dns.A("blocked.example", "0.0.0.0")
	for host, want := range map[string][]string{
		"one.example":     {"ok one.example is 8.8.4.4 (A in …, good for 60s; says " + w.dns.Addr() + ")"},
		"smtp.example":    {"ok smtp.example is an alias of lb.provider.example, an alias of one.example, which is 8.8.4.4 ("},
		"mixed.example":   {"ok mixed.example is 8.8.4.4, 10.0.0.1", "warn 10.0.0.1 is a private address"},
		"inside.example":  {"ok inside.example is 10.0.0.1", "ok 10.0.0.1 is a private address"},
		"many.example":    {"ok many.example is 10.0.0.1, …34 more (A", "ok 10.0.0.1, …, 34 more are each a private address"},
		"nat64.example":   {"ok nat64.example is 8.8.4.4, 64:ff9b::808:404", "ok 64:ff9b::808:404 is an IPv4 address behind NAT64"},
		"vpn.example":     {"ok vpn.example is 100.100.7.1", "ok 100.100.7.1 is an address of a provider's own network"},
		"copied.example":  {"ok ", "warn 192.0.2.1 is an address for examples"},
		"six.example":     {"ok six.example is fd00::1 (AAAA", "ok fd00::1 is a private address"},
		"half.example":    {"ok half.example is 8.8.4.4", "warn the AAAA question has no answer: …SERVFAIL"},
		"bare.example":    {"fail bare.example has no address: no A record, says …; no AAAA record…check the spelling"},
		"nowhere.example": {"fail nowhere.example has no address: no such host (NXDOMAIN), says " + w.dns.Addr() + "; check the spelling"},
		"broken.example":  {"fail broken.example has no address: …REFUSED…the DNS fails, not the smarthost"},
		"blocked.example": {"fail blocked.example has no address: …answers 0.0.0.0, which is no address: it blocks this name"},
		"listed.example":  {"ok listed.example is 192.0.2.9 (" + w.hosts + ")", "warn 192.0.2.9 is an address for examples"},
		"127.0.0.1":       {"ok 127.0.0.1 is an address", "ok 127.0.0.1 is this machine itself"},
		"localhost":       {"ok localhost is ", "ok 127.0.0.1, ::1 are each this machine itself"},
	} {
		expect(t, host, w.ladder(t, at(host, 25), probe.Wanted{}, "dns"), want...)
	}
}

// TestDNSAnswer has the answer for the diagnosis name the cause.
func TestDNSAnswer(t *testing.T) {
	w := newWorld(t, settings{})
	w.dns.A("one.example", "8.8.4.4")
	w.dns.Trouble("broken.example", testenv.Servfail)
	for host, want := range map[string]string{
		"one.example":     "ok ",
		"nowhere.example": "fail connect.dns-no-such-host",
		"broken.example":  "fail connect.dns-failure",
	} {
		r := w.Check(t.Context(), at(host, 25), probe.Wanted{Steps: []string{"dns"}}, func(probe.Line) {})
		if len(r.Answers) != 1 || r.Answers[0].Probe == nil {
			t.Errorf("%s: answers %+v, want one", host, r.Answers)
			continue
		}
		if p := r.Answers[0].Probe; p.Name != "dns" || p.Result+" "+p.Cause != want {
			t.Errorf("%s: got %s %s, want %s", host, p.Result, p.Cause, want)
		}
	}
}

func TestReverseStep(t *testing.T) {
	w := newWorld(t, settings{})
	w.dns.A("good.example", "192.0.2.1")
	w.dns.PTR("192.0.2.1", "good.example")
	w.dns.A("claims.example", "192.0.2.2")
	w.dns.PTR("192.0.2.2", "smtp.gmail.example")
	w.dns.AAAA("both.example", "2001:db8::1")
	w.dns.A("both.example", "192.0.2.3")
	w.dns.PTR("2001:db8::1", "both.example")
	w.dns.A("mute.example", "192.0.2.4")
	w.dns.Trouble("4.2.0.192.in-addr.arpa", testenv.Servfail)
	w.dns.A("lost.example", "192.0.2.5")
	w.dns.PTR("192.0.2.5", "other.lost.example")
	w.dns.Trouble("other.lost.example", testenv.Servfail)
	for host, want := range map[string][]string{
		"good.example":    {"ok 192.0.2.1 is good.example, and back"},
		"claims.example":  {"warn 192.0.2.2 calls itself smtp.gmail.example, which does not lead back"},
		"both.example":    {"ok 2001:db8::1 is both.example, and back", "warn 192.0.2.3 has no name: …NXDOMAIN"},
		"mute.example":    {"skip the name of 192.0.2.4 was not found out: …SERVFAIL"},
		"lost.example":    {"skip the name of 192.0.2.5 was not found out: whether other.lost.example leads back to it has no answer: …SERVFAIL"},
		"nowhere.example": {"skip there is no address"},
		"127.0.0.1":       {"skip this machine itself"},
	} {
		lines := w.ladder(t, at(host, 25), probe.Wanted{}, "reverse")
		expect(t, host, lines, want...)
		if slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "fail") }) {
			t.Errorf("%s: %q fails for want of a reverse name, want a warning", host, lines)
		}
	}
}

// TestDNSStepsEnd has a DNS server that never answers, and a person who does
// not wait for it.
func TestDNSStepsEnd(t *testing.T) {
	w := newWorld(t, settings{lookup: time.Minute})
	w.dns.A("mx.good.example", "127.0.0.1")
	w.dns.Trouble("good.example", testenv.Silent)
	w.dns.Trouble("mx.good.example", testenv.Silent)
	for _, step := range []string{"resolvers", "dns", "reverse", "mx", "dane", "mta-sts"} {
		ctx, leave := context.WithTimeout(t.Context(), 100*time.Millisecond)
		began := time.Now()
		r := w.Check(ctx, at("mx.good.example", 25), probe.Wanted{Steps: []string{step}}, func(probe.Line) {})
		leave()
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%s: left after %s, want at once", step, took)
		}
		for _, l := range r.Lines {
			if l.Step == step && l.Status != probe.StatusSkip {
				t.Errorf("%s: said %s %q when its time was up, want skip", step, l.Status, l.Text)
			}
		}
	}
}
