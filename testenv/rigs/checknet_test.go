//go:build rigs

package rigs_test

import (
	"bytes"
	"encoding/json"
	"net"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"smtp-proxy/testenv"
)

// deadAddr4 is one of the far network's that no machine has.
const deadAddr4 = "192.0.2.99"

// TestCheckOfThePath has check tell apart what only a network can do to a
// smarthost that is well. All networks are laid first and all checks run at
// once: most of them wait.
func TestCheckOfThePath(t *testing.T) {
	k := newKit(t)
	var laid []*checkedPath
	for _, tt := range pathTroubles() {
		w := layWires(t)
		laid = append(laid, &checkedPath{pathTrouble: tt, wires: w, mx: startFarMX(t, k, w)})
	}
	for _, c := range laid {
		c.settle(t)
		c.sh(t, c.gate, c.onGate)
		c.sh(t, c.host, c.onHost)
		c.check(t, k)
	}
	for _, c := range laid {
		t.Run(c.name, func(t *testing.T) {
			c.read(t)
			c.demand(t)
		})
	}
}

// pathTrouble is something wrong on the way, and what check must say of it.
type pathTrouble struct {
	name           string
	addrs          []string // of the smarthost
	onGate, onHost string   // what makes the trouble, as shell scripts in those namespaces
	exit           int
	causes         []string // of the findings
	steps          []rung   // that must be among those of the ladder
}

// rung is a line of the ladder: its status, and a part of its text.
type rung struct{ step, status, text string }

const (
	filter = "nft add table inet rig\nnft add chain inet rig path '{ type filter hook forward priority 0; }'\nnft add chain inet rig own '{ type filter hook output priority 0; }'\n"
	// mute filters the messages about packets that are too large.
	mute = "nft add rule inet rig own icmp type destination-unreachable drop\nnft add rule inet rig own icmpv6 type packet-too-big drop\n"
)

func pathTroubles() []pathTrouble { return append(reachTroubles(), sizeTroubles()...) }

// reachTroubles are about whether packets arrive at all.
func reachTroubles() []pathTrouble {
	both := []string{mxAddr4, mxAddr6}
	return []pathTrouble{
		{name: "none", addrs: both, steps: []rung{
			{"tcp", "ok", mxAddr4 + ":587 answers over IPv4, round trip"},
			{"tcp", "ok", "[" + mxAddr6 + "]:587 answers over IPv6, round trip"},
			{"ports", "ok", "ports 587, 465 and 2525 answer, 25 and 443 are refused"},
			{"path-mtu", "ok", "came through (path MTU 1500, segments of up to 14"},
		}},
		{name: "one port is dropped", addrs: both, onGate: filter + "nft add rule inet rig path tcp dport 587 drop", exit: 2,
			causes: []string{"connect.port-blocked"}, steps: []rung{
				{"tcp", "fail", mxAddr4 + ":587 gives no answer in "},
				{"ports", "fail", "port 587 gives no answer from here, 465 and 2525 do: something on the path blocks 587; use 465"},
			}},
		{name: "all is dropped", addrs: both, onGate: filter + "nft add rule inet rig path drop", exit: 2,
			causes: []string{"connect.timeout"}, steps: []rung{
				{"ports", "fail", "no port of " + farName + " gives an answer from here (587, 25, 465, 2525 and 443): the host is down"},
			}},
		{name: "no IPv6 route", addrs: both, onHost: "ip -6 route del default", steps: []rung{
			{"tcp", "ok", mxAddr4 + ":587 answers over IPv4"},
			{"tcp", "ok", "no route from this machine to " + mxAddr6 + ": it has no IPv6 connectivity; IPv4 works"},
		}},
		{name: "IPv6 alone and no route", addrs: []string{mxAddr6}, onHost: "ip -6 route del default", exit: 2,
			causes: []string{"connect.unreachable"}, steps: []rung{
				{"tcp", "fail", "no route from this machine to " + mxAddr6},
				{"ports", "fail", "no route from this machine to any address of " + farName},
			}},
		{name: "one dead and one live address", addrs: []string{deadAddr4, mxAddr4}, onGate: filter + "nft add rule inet rig path ip daddr " + deadAddr4 + " drop",
			steps: []rung{
				{"tcp", "ok", mxAddr4 + ":587 answers over IPv4"},
				{"tcp", "warn", deadAddr4 + ":587 gives no answer in "},
				{"tcp", "warn", ": it is down, or a firewall drops what is sent there; an app that is given this address first waits"},
				{"ports", "ok", "ports 587, 465 and 2525 answer"},
			}},
	}
}

// sizeTroubles are about large packets.
func sizeTroubles() []pathTrouble {
	four := []string{mxAddr4}
	return []pathTrouble{
		{name: "large packets from there get lost", addrs: four, onGate: filter + mute + "ip route replace 10.81.1.0/24 dev inside mtu lock 1200", exit: 29,
			causes: []string{"tls.handshake-timeout"}, steps: []rung{
				{"tcp", "ok", mxAddr4 + ":587 answers over IPv4"},
				{"path-mtu", "fail", "large packets from " + mxAddr4 + " get lost: the TLS handshake is stalled, and in segments of 536 octets it is done"},
			}},
		{name: "large packets to there get lost", addrs: four, onGate: filter + mute + "ip route replace 192.0.2.0/24 dev outside mtu lock 1200", exit: 29,
			causes: []string{"tls.handshake-timeout"}, steps: []rung{
				{"path-mtu", "fail", "large packets to " + mxAddr4 + " get lost"},
			}},
		{name: "large packets get lost over IPv6", addrs: []string{mxAddr6}, onGate: filter + mute + "ip link set inside mtu 1280", exit: 29,
			causes: []string{"tls.handshake-timeout"}, steps: []rung{
				{"path-mtu", "fail", "in segments of 1220 octets it is done"},
			}},
		{name: "a link with a small MTU that says so", addrs: four, onGate: "ip route replace 10.81.1.0/24 dev inside mtu lock 1200", steps: []rung{
			{"path-mtu", "ok", "came through"},
		}},
	}
}

// checkedPath is a check of a smarthost beyond some trouble.
type checkedPath struct {
	pathTrouble
	*wires
	mx *farMX

	cmd    *exec.Cmd
	out    bytes.Buffer // what smtp-proxy check --json prints
	errors bytes.Buffer
	told   struct {
		Steps    []struct{ Name, Status, Text string }
		Findings []finding
	}
}

// settle waits until the network carries both families: for a second or two
// IPv6 has no neighbours.
func (c *checkedPath) settle(t *testing.T) {
	t.Helper()
	for _, addr := range []string{mxAddr4, mxAddr6} {
		eventually(t, "way to "+addr, func() bool {
			conn, err := dialInside(c.host)(t.Context(), "tcp", net.JoinHostPort(addr, "587"))
			return err == nil && conn.Close() == nil
		}, func() string { return "" })
	}
}

// check begins the check on the near machine, which ends with the test.
func (c *checkedPath) check(t *testing.T, k kit) {
	t.Helper()
	c.cmd = exec.CommandContext(t.Context(), "ip", "netns", "exec", c.host, k.proxy, "check", net.JoinHostPort(farName, "587"),
		"--resolver", c.resolver(t), "--upstream-ca", c.mx.ca, "--no-dnsbl", "--json")
	c.cmd.Stdout, c.cmd.Stderr = &c.out, &c.errors
	must(t, c.cmd.Start())
}

// resolver starts a DNS server on the near machine that knows the smarthost.
func (c *checkedPath) resolver(t *testing.T) string {
	t.Helper()
	var d *testenv.DNS
	must(t, inside(c.host, func() (err error) {
		d, err = testenv.NewDNS()
		return err
	}))
	t.Cleanup(func() { d.Close() })
	for _, addr := range c.addrs {
		if strings.Contains(addr, ":") {
			d.AAAA(farName, addr)
		} else {
			d.A(farName, addr)
		}
	}
	return d.Addr()
}

// read waits for the end of the check and reads what it has printed.
func (c *checkedPath) read(t *testing.T) {
	t.Helper()
	if err := c.cmd.Wait(); err != nil && c.cmd.ProcessState.ExitCode() <= 0 {
		t.Fatalf("%v: %s", err, c.errors.String())
	}
	if err := json.Unmarshal(c.out.Bytes(), &c.told); err != nil {
		t.Fatalf("%v:\n%s%s", err, c.out.String(), c.errors.String())
	}
}

func (c *checkedPath) demand(t *testing.T) {
	t.Helper()
	var causes []string
	for _, f := range c.told.Findings {
		causes = append(causes, f.Cause)
	}
	if got := c.cmd.ProcessState.ExitCode(); got != c.exit || !slices.Equal(causes, c.causes) {
		t.Errorf("got exit code %d and findings %v, want %d and %v:\n%s", got, causes, c.exit, c.causes, c.out.String())
	}
	for _, want := range c.steps {
		if !c.has(want) {
			t.Errorf("got no step %s %s %q:\n%s", want.step, want.status, want.text, c.out.String())
		}
	}
}

func (c *checkedPath) has(want rung) bool {
	for _, s := range c.told.Steps {
		if s.Name == want.step && s.Status == want.status && strings.Contains(s.Text, want.text) {
			return true
		}
	}
	return false
}
