package upstream_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
)

// newDNS starts a name server that ends with the test.
func newDNS(t *testing.T) *testenv.DNS {
	t.Helper()
	d, err := testenv.NewDNS()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// listen opens a port on addr ("127.0.0.1:0") that takes connections and
// keeps them until the test ends.
func listen(t *testing.T, addr string) (port int) {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return int(netip.MustParseAddrPort(l.Addr().String()).Port())
}

// closedPort is a port of 127.0.0.1 that nothing listens on.
func closedPort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return int(netip.MustParseAddrPort(l.Addr().String()).Port())
}

// file writes text to a file of the test's own and returns its path.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// options are those of a machine with an empty hosts file that asks d.
func options(t *testing.T, d *testenv.DNS) upstream.Options {
	t.Helper()
	o := upstream.Options{HostsFile: file(t, "hosts", ""), ConnectTimeout: 5 * time.Second}
	if d != nil {
		o.Resolver = d.Addr()
	}
	return o
}

// newConnector fails the test on bad options.
func newConnector(t *testing.T, o upstream.Options) *upstream.Connector {
	t.Helper()
	c, err := upstream.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// reached is the outcome of one Connect.
type reached struct {
	addr    string // of the peer, empty when there is none
	err     *upstream.Error
	entries []session.Entry
}

// connect connects to host:port and closes the connection again.
func connect(t *testing.T, c *upstream.Connector, host string, port int) reached {
	t.Helper()
	var r reached
	target := upstream.Target{Name: host + ":port", Host: host, Port: port}
	conn, err := c.Connect(context.Background(), target, func(e session.Entry) { r.entries = append(r.entries, e) })
	if err == nil {
		r.addr = conn.RemoteAddr().String()
		conn.Close()
		return r
	}
	if !errors.As(err, &r.err) {
		t.Fatalf("Connect to %s: error %T %v; want *upstream.Error", host, err, err)
	}
	return r
}

// of returns the entries of a kind.
func (r reached) of(kind session.Kind) []session.Entry {
	var some []session.Entry
	for _, e := range r.entries {
		if e.Kind == kind {
			some = append(some, e)
		}
	}
	return some
}

// texts of all entries, for failure messages.
func (r reached) texts() []string {
	var s []string
	for _, e := range r.entries {
		s = append(s, string(e.Kind)+": "+e.Text)
	}
	return s
}
