//go:build rigs

package rigs_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// wires are three machines in network namespaces of their own:
//
//	host ---- gate ---- mx
//
// The gate forwards. Each has one IPv4 and one IPv6 address on each wire.
type wires struct {
	host, gate, mx string // names of the namespaces
}

// The addresses that the rigs speak of.
const (
	hostNet4, hostNet6 = "10.81.1.0/24", "fd81:1::/64"
	mxAddr4, mxAddr6   = "192.0.2.25", "2001:db8:25::25"
)

var wired atomic.Int64 // how many wires this process has laid

// layWires makes the namespaces. They go when the test does, however it ends,
// with all that was in them.
func layWires(t *testing.T) *wires {
	t.Helper()
	stem := fmt.Sprintf("rig%d-%d-", os.Getpid(), wired.Add(1))
	w := &wires{host: stem + "host", gate: stem + "gate", mx: stem + "mx"}
	for _, ns := range []string{w.host, w.gate, w.mx} {
		command(t, "ip", "netns", "add", ns)
		t.Cleanup(func() {
			if out, err := exec.Command("ip", "netns", "del", ns).CombinedOutput(); err != nil {
				t.Errorf("ip netns del %s: %v\n%s", ns, err, out)
			}
		})
		w.sh(t, ns, "ip link set lo up")
	}
	w.tie(t, w.gate, "inside", w.host, "up0")
	w.tie(t, w.gate, "outside", w.mx, "up0")
	w.sh(t, w.gate, `
ip addr add 10.81.1.1/24 dev inside
ip addr add fd81:1::1/64 dev inside nodad
ip addr add 192.0.2.1/24 dev outside
ip addr add 2001:db8:25::1/64 dev outside nodad
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/ipv6/conf/all/forwarding`)
	w.sh(t, w.host, `
ip addr add 10.81.1.2/24 dev up0
ip addr add fd81:1::2/64 dev up0 nodad
ip route add default via 10.81.1.1
ip -6 route add default via fd81:1::1`)
	w.sh(t, w.mx, `
ip addr add `+mxAddr4+`/24 dev up0
ip addr add `+mxAddr6+`/64 dev up0 nodad
ip route add default via 192.0.2.1
ip -6 route add default via 2001:db8:25::1`)
	return w
}

// tie lays a wire between two namespaces.
func (w *wires) tie(t *testing.T, ns, device, peer, peerDevice string) {
	t.Helper()
	command(t, "ip", "link", "add", device, "netns", ns, "type", "veth", "peer", "name", peerDevice, "netns", peer)
	w.sh(t, ns, "ip link set "+device+" up")
	w.sh(t, peer, "ip link set "+peerDevice+" up")
}

// sh runs a shell script in a namespace.
func (w *wires) sh(t *testing.T, ns, script string) {
	t.Helper()
	command(t, "ip", "netns", "exec", ns, "sh", "-ec", script)
}

// command runs a program that must not fail.
func command(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// inside calls f in a namespace: the sockets that f opens stay there. Its
// thread ends with it, as no other goroutine must get it.
func inside(ns string, f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		done <- enter(ns, f)
	}()
	return <-done
}

func enter(ns string, f func() error) error {
	fd, err := unix.Open("/run/netns/"+ns, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open namespace %s: %w", ns, err)
	}
	defer unix.Close(fd)
	if err := unix.Setns(fd, unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter namespace %s: %w", ns, err)
	}
	return f()
}

// dialInside connects from within a namespace.
func dialInside(ns string) func(context.Context, string, string) (net.Conn, error) {
	return func(_ context.Context, network, addr string) (conn net.Conn, err error) {
		err = inside(ns, func() error {
			conn, err = net.Dial(network, addr)
			return err
		})
		return conn, err
	}
}
