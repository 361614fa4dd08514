package main

import (
	"bytes"
	"context"
	"net/netip"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"smtp-proxy/policy"
)

// running is a plant of a test's own.
type running struct {
	*plant
	dir  string  // of its record
	said *output // stdout and stderr
	end  func()  // ends it as a signal would, and waits
}

// startPlant relays by c on a free port of 127.0.0.1 until the test ends. env
// stands for the environment.
func startPlant(t *testing.T, c policy.Config, env map[string]string) *running {
	t.Helper()
	c.Data, c.HTTP = filepath.Join(t.TempDir(), "data"), "off"
	return launch(t, c, env)
}

// startPage does so with a page; data is "none" for no record.
func startPage(t *testing.T, c policy.Config, data string) *running {
	t.Helper()
	if data == "" {
		data = filepath.Join(t.TempDir(), "data")
	}
	c.Data, c.HTTP = data, "127.0.0.1:0"
	return launch(t, c, nil)
}

func launch(t *testing.T, c policy.Config, env map[string]string) *running {
	t.Helper()
	r := &running{dir: c.Data, said: newOutput()}
	p := &program{
		stdin: &bytes.Buffer{}, stdout: r.said, stderr: r.said, now: time.Now, data: r.dir, file: &policy.File{},
		env: func(name string) (string, bool) { value, ok := env[name]; return value, ok },
	}
	c.Listen = "127.0.0.1:0"
	var err error
	if r.plant, err = p.newPlant(c, nil); err != nil {
		t.Fatalf("start of the plant: got %v, want none", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var serving sync.WaitGroup
	serving.Go(func() { _ = r.plant.run(ctx) })
	r.end = sync.OnceFunc(func() {
		cancel()
		serving.Wait()
		if err := r.plant.close(); err != nil {
			t.Errorf("end of the plant: got %v, want none", err)
		}
	})
	t.Cleanup(r.end)
	return r
}

// addr is where the app connects.
func (r *running) addr() string { return r.addrs()[0].String() }

func (r *running) addrs() []netip.AddrPort { return r.gates[0].server.Addrs() }
