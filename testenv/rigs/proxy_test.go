//go:build rigs

package rigs_test

import (
	"net/http"
	"os/exec"
	"path/filepath"
	"testing"
)

// proxy is a running smtp-proxy.
type proxy struct {
	*process
	binary string
	addr   string // where apps connect
	data   string // its data directory
	dir    string // above it, with the log
	args   []string
	health string // URL that answers 200 when it is ready
}

// legs says how the two legs of a proxied delivery are protected.
type legs struct{ app, upstream string }

// newProxy prepares a proxy in front of m; run starts it.
func newProxy(t *testing.T, k kit, m *mta, l legs) *proxy {
	t.Helper()
	dir := k.scratch(t)
	http := freePort(t)
	p := &proxy{
		binary: k.proxy,
		addr:   freePort(t),
		data:   filepath.Join(dir, "data"),
		dir:    dir,
		health: "http://" + http + "/readyz",
	}
	p.args = []string{
		"run", "--data", p.data, "--listen", p.addr, "--http", http, "--probe", "off",
		"--upstream", m.address(l.upstream), "--upstream-ca", m.ca,
		"--app-tls", map[string]string{clear: "none", starttls: "offer", implicit: "implicit"}[l.app],
	}
	if l.upstream == clear {
		p.args = append(p.args, "--upstream-tls", "none")
	}
	return p
}

// address returns how the server is named to a proxy that is to protect the
// leg in that way.
func (m *mta) address(protection string) string {
	if protection == implicit {
		return "smtps://" + m.implicit
	}
	return m.plain
}

// direct returns where a mail program reaches the server itself.
func (m *mta) direct(protection string) string {
	if protection == implicit {
		return m.implicit
	}
	return m.plain
}

func (p *proxy) run(t *testing.T) {
	t.Helper()
	p.process = start(t, filepath.Join(p.dir, "proxy.log"), exec.Command(p.binary, p.args...))
	eventually(t, "readiness of the proxy", func() bool {
		r, err := http.Get(p.health)
		if err != nil {
			return false
		}
		defer r.Body.Close()
		return r.StatusCode == http.StatusOK
	}, func() string { return tail(p.log) })
}

// finish stops the proxy, which writes the rest of its record.
func (p *proxy) finish(t *testing.T) {
	t.Helper()
	p.terminate()
	p.finished(t)
}

// finished waits for the end that SIGTERM has begun. A second SIGTERM would
// cut it short.
func (p *proxy) finished(t *testing.T) {
	t.Helper()
	if code := p.await(t); code != 0 {
		t.Errorf("the proxy ended with %d after SIGTERM, want 0; its log ends with:\n%s", code, tail(p.log))
	}
}
