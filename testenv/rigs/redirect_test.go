//go:build rigs

package rigs_test

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"smtp-proxy/testenv"
)

// The user that the redirecting proxy runs as: the rules leave it out.
const redirector = "nobody"

// TestRedirected leads an unchanged swaks, which sends to a fixed address,
// through the proxy by the firewall, with the rules that smtp-proxy prints.
// What swaks, the smarthost and the record say must agree.
func TestRedirected(t *testing.T) {
	k := newKit(t)
	w := layWires(t)
	mx := startFarMX(t, k, w)
	here := []string{"--listen", "localhost:1025"}
	beyond := []string{"--allow-from", hostNet4 + "," + hostNet6}
	tests := []struct {
		name     string
		from     string // the namespace of the app
		firewall string
		rules    []string // for run and for ca redirect alike
		run      []string
		send     []delivery
	}{
		{"terminated", w.gate, "nft", here, nil, []delivery{
			{port: "587", outcome: "delivered", secured: true},
			{port: "2525", outcome: "failed", refused: "421 4.7.0 smtp-proxy: .*name the host with --upstream HOST:PORT", secured: true},
		}},
		{"terminated, named", w.gate, "nft", here, []string{"--upstream", farName + ":2525"}, []delivery{
			{port: "2525", outcome: "delivered", secured: true},
			{port: "587", outcome: "delivered", secured: true},
		}},
		{"terminated, TLS on both legs", w.gate, "nft", here, []string{"--app-tls", "offer"}, []delivery{
			{port: "587", tls: starttls, own: true, outcome: "delivered", secured: true},
			{port: "465", tls: implicit, own: true, outcome: "delivered", secured: true},
		}},
		{"passed through", w.gate, "nft", here, []string{"--tls", "passthrough"}, []delivery{
			{port: "587", tls: starttls, outcome: "no-mail", secured: true},
			{port: "465", tls: implicit, outcome: "no-mail", secured: true},
			{port: "587", outcome: "delivered"},
		}},
		{"iptables", w.gate, "iptables", here, []string{"--tls", "passthrough"}, []delivery{
			{port: "587", tls: starttls, outcome: "no-mail", secured: true},
		}},
		{"forwarded", w.host, "nft", append(beyond, "--listen", "[::]:1025"), nil, []delivery{
			{port: "587", outcome: "delivered", secured: true},
		}},
		{"beside forwarded ones", w.gate, "nft", append(beyond, "--listen", "[::]:1025"), nil, []delivery{
			{port: "587", outcome: "delivered", secured: true},
		}},
		{"forwarded, iptables", w.host, "iptables", append(beyond, "--listen", "[::]:1025"), []string{"--tls", "passthrough"}, []delivery{
			{port: "587", tls: starttls, outcome: "no-mail", secured: true},
		}},
		{"forwarded, TPROXY", w.host, "tproxy", append(beyond, here...), []string{"--tls", "passthrough"}, []delivery{
			{port: "587", tls: starttls, outcome: "no-mail", secured: true},
			{port: "465", tls: implicit, outcome: "no-mail", secured: true},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newRedirected(t, k, mx, append(tt.rules, tt.run...))
			if tt.firewall == "tproxy" {
				p.user = "root" // IP_TRANSPARENT needs a capability
			}
			p.run(t, w)
			p.load(t, w, tt.firewall, tt.rules)
			var want []delivery
			for _, d := range tt.send {
				for _, addr := range []string{mxAddr4, mxAddr6} {
					d.addr = net.JoinHostPort(addr, d.port)
					p.deliver(t, tt.from, mx, d)
					want = append(want, d)
				}
			}
			p.finish(t)
			p.demandRecord(t, want)
		})
	}
}

// TestRedirectionWithoutEnd loads rules that do not leave the proxy's user out:
// its own connections come back to it, which it must notice.
func TestRedirectionWithoutEnd(t *testing.T) {
	k := newKit(t)
	w := layWires(t)
	mx := startFarMX(t, k, w)
	p := newRedirected(t, k, mx, []string{"--listen", "localhost:1025"})
	p.run(t, w)
	p.load(t, w, "nft", []string{"--user", "daemon"})
	p.deliver(t, w.gate, mx, delivery{addr: mxAddr4 + ":587", refused: "the firewall redirects the proxy's own connections"})
	p.deliver(t, w.gate, mx, delivery{addr: "127.0.0.1:1025", refused: "421 4.3.5 smtp-proxy: nothing has redirected this connection"})
	p.finish(t)
	all := p.sessions(t)
	if len(all) < 3 || len(all) > 9 {
		t.Errorf("got %d sessions of a connection that comes back and one that was not redirected, want a few", len(all))
	}
	for _, s := range []recorded{all[0], all[len(all)-1]} { // between them may stand connections that were cut
		if !slices.ContainsFunc(s.Findings, func(f finding) bool { return f.Cause == "proxy.loop" }) {
			t.Errorf("got findings %v, want proxy.loop:\n%s", s.Findings, p.ask(t, "show", s.ID))
		}
	}
}

// delivery is one message to a fixed address, and what becomes of it.
type delivery struct {
	port    string
	addr    string // host:port of the smarthost
	tls     string // what the app does
	own     bool   // the app trusts the proxy's authority, not the smarthost's
	refused string // the reply that the app must get; empty when the message must arrive
	outcome string // of the session
	secured bool   // the record must hold the upstream leg's TLS
}

// farMX is a smarthost in its namespace, on several ports.
type farMX struct {
	*testenv.Mailbox
	ca string // PEM file
}

// farName stands in the certificate of every port; the addresses are missing
// in that of port 2525.
const farName = "mx.rig.test"

func startFarMX(t *testing.T, k kit, w *wires) *farMX {
	t.Helper()
	ca, err := testenv.NewCA()
	must(t, err)
	full, err := ca.Leaf(farName, mxAddr4, mxAddr6)
	must(t, err)
	nameOnly, err := ca.Leaf(farName)
	must(t, err)
	mx := &farMX{Mailbox: &testenv.Mailbox{}, ca: write(t, filepath.Join(k.scratch(t), "mx.pem"), string(ca.PEM()))}
	for _, addr := range []string{mxAddr4, mxAddr6} {
		for port, leaf := range map[string]tls.Certificate{"587": full, "465": full, "2525": nameOnly} {
			must(t, inside(w.mx, func() error {
				s, err := testenv.NewSandbox(testenv.SandboxOptions{
					Addr: net.JoinHostPort(addr, port), Hostname: farName, Implicit: port == "465",
					TLS: &tls.Config{Certificates: []tls.Certificate{leaf}}, Mailbox: mx.Mailbox,
				})
				if err == nil {
					t.Cleanup(func() { s.Close() })
				}
				return err
			}))
		}
	}
	return mx
}

// redirected is a proxy on the gate.
type redirected struct {
	*proxy
	user string
	gate string
}

func newRedirected(t *testing.T, k kit, mx *farMX, args []string) *redirected {
	t.Helper()
	dir := k.scratch(t)
	must(t, os.Chmod(dir, 0o777)) // the proxy's user makes its data there
	p := &redirected{proxy: &proxy{binary: k.proxy, data: filepath.Join(dir, "data"), dir: dir}, user: redirector}
	p.args = append([]string{"run", "--transparent", "--data", p.data, "--http", "127.0.0.1:8025", "--probe", "off", "--upstream-ca", mx.ca}, args...)
	return p
}

// run starts the proxy and waits until it listens.
func (p *redirected) run(t *testing.T, w *wires) {
	t.Helper()
	p.gate = w.gate
	args := append([]string{"netns", "exec", w.gate, "setpriv", "--reuid", p.user, "--clear-groups", p.binary}, p.args...)
	p.process = start(t, filepath.Join(p.dir, "proxy.log"), exec.Command("ip", args...))
	health := http.Client{Transport: &http.Transport{DialContext: dialInside(w.gate), DisableKeepAlives: true}}
	eventually(t, "readiness of the proxy", func() bool {
		r, err := health.Get("http://127.0.0.1:8025/readyz")
		if err != nil {
			return false
		}
		defer r.Body.Close()
		return r.StatusCode == http.StatusOK
	}, func() string { return tail(p.log) })
}

// load loads the rules that smtp-proxy prints, and takes them away behind the
// test with those that it prints for that.
func (p *redirected) load(t *testing.T, w *wires, firewall string, args []string) {
	t.Helper()
	args = append([]string{"ca", "redirect", firewall, "--user", redirector}, args...)
	p.pipe(t, firewall, args)
	t.Cleanup(func() { p.pipe(t, firewall, append(args, "--remove")) })
}

// pipe feeds what smtp-proxy prints to the program that its first line names.
func (p *redirected) pipe(t *testing.T, firewall string, args []string) {
	t.Helper()
	rules, err := exec.Command(p.binary, args...).Output()
	must(t, err)
	loader := []string{"netns", "exec", p.gate, "sh", "-e", "/dev/stdin"}
	if firewall == "nft" {
		loader = []string{"netns", "exec", p.gate, "nft", "-f", "-"}
	}
	cmd := exec.Command("ip", loader...)
	cmd.Stdin = bytes.NewReader(rules)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v\n%s\n%s", strings.Join(loader, " "), err, out, rules)
	}
}

// deliver lets swaks send to the smarthost's address, and compares what it
// says with what has arrived.
func (p *redirected) deliver(t *testing.T, ns string, mx *farMX, d delivery) {
	t.Helper()
	host, port, err := net.SplitHostPort(d.addr)
	must(t, err)
	ca := mx.ca
	if d.own {
		ca = filepath.Join(p.data, "ca.pem")
	}
	args := []string{"netns", "exec", ns, "swaks", "--server", host, "--port", port, "--helo", "app.rig.test",
		"--timeout", "30", "--from", "rig@rig.test", "--to", "box@rig.test"}
	args = append(args, map[string][]string{
		starttls: {"--tls", "--tls-verify", "--tls-ca-path", ca},
		implicit: {"--tls-on-connect", "--tls-verify", "--tls-ca-path", ca},
	}[d.tls]...)
	before := len(mx.Messages())
	out, err := exec.CommandContext(t.Context(), "ip", args...).CombinedOutput()
	arrived := len(mx.Messages()) - before
	switch {
	case d.refused == "" && (err != nil || arrived != 1):
		t.Errorf("%s: %d messages have arrived, want 1; swaks ended with %v:\n%s", d.addr, arrived, err, out)
	case d.refused != "" && (arrived != 0 || !regexp.MustCompile(d.refused).Match(out)):
		t.Errorf("%s: %d messages have arrived, want none and %q:\n%s", d.addr, arrived, d.refused, out)
	}
}

// demandRecord compares the sessions with the deliveries.
func (p *redirected) demandRecord(t *testing.T, want []delivery) {
	t.Helper()
	all := p.sessions(t)
	slices.Reverse(all) // newest first
	if len(all) != len(want) {
		t.Fatalf("got %d sessions, want %d", len(all), len(want))
	}
	for i, s := range all {
		d := want[i]
		if s.Upstream.Name != d.addr || s.Upstream.Addr != d.addr {
			t.Errorf("got upstream %s at %s of session %d, want the original destination %s", s.Upstream.Name, s.Upstream.Addr, i, d.addr)
		}
		if s.Outcome != d.outcome || d.secured != (s.Upstream.TLS != nil) {
			t.Errorf("got outcome %s with upstream TLS %+v to %s, want %s and TLS: %v", s.Outcome, s.Upstream.TLS, d.addr, d.outcome, d.secured)
		}
		if d.refused == "" && len(s.Findings) > 0 {
			t.Errorf("got findings %v of a healthy session:\n%s", s.Findings, p.ask(t, "show", s.ID))
		}
	}
	p.demandShown(t, all[0].ID, want[0].addr)
}

// demandShown checks the command that people use.
func (p *redirected) demandShown(t *testing.T, id, addr string) {
	t.Helper()
	var shown recorded
	if err := json.Unmarshal(p.ask(t, "show", id, "--json"), &shown); err != nil || shown.Upstream.Name != addr || len(shown.Events) == 0 {
		t.Errorf("got %v and upstream %s with %d events from show --json, want %s", err, shown.Upstream.Name, len(shown.Events), addr)
	}
}
