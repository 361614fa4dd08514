//go:build rigs

package rigs_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// failureRecord is a proxy with a route to each failure, and then its record.
type failureRecord struct {
	*proxy
	at   map[string]target // failure -> its smarthost
	addr map[string]string // failure -> where its route listens
	ids  map[string]string // failure -> its session
}

// recordFailures sends one message to each failure through the proxy.
func recordFailures(t *testing.T, k kit, letter string) failureRecord {
	t.Helper()
	r := failureRecord{proxy: &proxy{binary: k.proxy, dir: k.scratch(t)}, at: map[string]target{}, addr: map[string]string{}}
	r.data = filepath.Join(r.dir, "data")
	http := freePort(t)
	r.health = "http://" + http + "/readyz"
	r.args = []string{"run", "--data", r.data, "--http", http, "--probe", "off", "--config", r.routes(t)}
	r.run(t)
	t.Run("record", func(t *testing.T) {
		for _, f := range failures() {
			t.Run(f.name, func(t *testing.T) {
				t.Parallel()
				j := f.job(target{addr: r.addr[f.name]}, letter)
				j.TLS = clear
				v := f.recorder().try(t, j)
				if f.fine != (v.exit == 0) {
					t.Errorf("got exit code %d and %q through the proxy, want success: %t", v.exit, v.said, f.fine)
				}
			})
		}
	})
	r.finish(t)
	r.ids = r.byRoute(t)
	return r
}

// routes starts the smarthosts and writes the proxy's configuration.
func (r failureRecord) routes(t *testing.T) string {
	t.Helper()
	for _, f := range failures() {
		r.at[f.name] = f.start(t)
	}
	ports := freePorts(t, len(failures()))
	var text strings.Builder
	for i, f := range failures() {
		at := r.at[f.name]
		r.addr[f.name] = ports[i]
		fmt.Fprintf(&text, "[[route]]\nname = %q\nlisten = %q\nupstream = %q\nupstream-ca = %q\n", routeName(i), r.addr[f.name], at.addr, at.ca)
		if f.mode != "" {
			fmt.Fprintf(&text, "upstream-tls = %q\n", f.mode)
		}
	}
	return write(t, filepath.Join(r.dir, "smtp-proxy.toml"), text.String())
}

// freePorts returns n loopback addresses, all different, that nothing listens
// on just now.
func freePorts(t *testing.T, n int) []string {
	t.Helper()
	var all []string
	for range n {
		l := listenBelow(t)
		defer l.Close()
		all = append(all, l.Addr().String())
	}
	return all
}

func routeName(i int) string { return fmt.Sprintf("failure-%d", i) }

// recorder is the program whose session is recorded.
func (f failure) recorder() attempter {
	name := f.by
	if name == "" {
		name = "smtplib"
	}
	all := attempters()
	return all[slices.IndexFunc(all, func(a attempter) bool { return a.name == name })]
}

// byRoute finds the one session of each failure.
func (r failureRecord) byRoute(t *testing.T) map[string]string {
	t.Helper()
	ids := map[string]string{}
	for d := json.NewDecoder(bytes.NewReader(r.ask(t, "sessions", "--json"))); ; {
		var s struct {
			ID, Route string
			Findings  []finding
		}
		if err := d.Decode(&s); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		for i, f := range failures() {
			if routeName(i) == s.Route {
				ids[f.name] = s.ID
				if f.fine != (len(s.Findings) == 0) {
					t.Errorf("%s: got findings %v", f.name, s.Findings)
				}
			}
		}
	}
	for _, f := range failures() {
		if ids[f.name] == "" {
			t.Errorf("got no session of %q in the record", f.name)
		}
	}
	return ids
}
