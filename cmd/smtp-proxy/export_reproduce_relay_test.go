package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/store"
	"smtp-proxy/proxy"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
)

// scene is a relay in front of a smarthost that fails, with a record.
type scene struct {
	t     *testing.T
	fault *testenv.Fault
	dir   string // of the record
	ca    string // file of the smarthost's authority
	addr  string
	ended chan struct{}
}

// newScene starts one. Its smarthost is called localhost, which the programs
// under test find without a name server.
func newScene(t *testing.T, f *testenv.Fault) *scene {
	t.Helper()
	h := &scene{t: t, fault: f, dir: t.TempDir(), ended: make(chan struct{}, 16)}
	h.ca = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(h.ca, f.Roots, 0o600); err != nil {
		t.Fatal(err)
	}
	rec := proxy.NewRecorder()
	server, err := proxy.New(proxy.Options{
		Routes: []proxy.Route{h.route()}, Recorder: rec, Log: zerolog.Nop(), HandshakeTimeout: 2 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Listen(); err != nil {
		t.Fatal(err)
	}
	h.addr = server.Addrs()[0].String()
	h.serve(server, rec)
	return h
}

func (h *scene) route() proxy.Route {
	h.t.Helper()
	mode, err := upstream.ParseMode(h.fault.Relay.UpstreamTLS)
	if err != nil {
		h.t.Fatal(err)
	}
	target, err := upstream.ParseTarget(h.fault.Upstream, mode)
	if err != nil {
		h.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(h.fault.Roots)
	connector, err := upstream.New(upstream.Options{
		Resolver: h.fault.Resolver, Roots: roots, ConnectTimeout: 2 * time.Second, HandshakeTimeout: 2 * time.Second,
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return proxy.Route{Name: "default", Listen: []string{"127.0.0.1:0"}, Target: target, Connector: connector, AppSilence: 2 * time.Second}
}

// serve runs the relay and its record until the test ends.
func (h *scene) serve(server *proxy.Server, rec *proxy.Recorder) {
	h.t.Helper()
	s, err := store.Open(h.dir, store.Options{})
	if err != nil {
		h.t.Fatal(err)
	}
	keeper := store.NewKeeper(s, store.KeeperOptions{Ended: func(*inspect.Session) { h.ended <- struct{}{} }})
	var ends sync.WaitGroup
	ends.Go(func() { _ = server.Serve(context.Background()) })
	ends.Go(func() { _ = keeper.Run(context.Background(), rec) })
	h.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		_ = server.Shutdown(ctx)
		rec.Close()
		ends.Wait()
		s.Close()
	})
}

// send lets the app meet what the smarthost does, and waits for the record.
func (h *scene) send(app testenv.App) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), patience)
	defer cancel()
	app.Addr = h.addr
	_, _ = app.Send(ctx) // what it meets is in the record
	select {
	case <-h.ended:
	case <-ctx.Done():
		h.t.Fatal("the session did not end")
	}
}

// export writes the newest session in a format.
func (h *scene) export(args ...string) (program string, err error) {
	var out, errs bytes.Buffer
	p := newProgram()
	p.stdout, p.stderr = &out, &errs
	if p.run(append([]string{"export", "latest", "--data", h.dir}, args...)) != 0 {
		return "", errors.New(errs.String())
	}
	return out.String(), nil
}

// golang builds the program in Go, runs it and returns its last line and its
// exit code.
func (h *scene) golang(program string) (dialogue, last string, code int) {
	h.t.Helper()
	dir := h.t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "repro.go"), []byte(program), 0o600); err != nil {
		h.t.Fatal(err)
	}
	build := exec.Command("go", "build", "-o", "repro", "repro.go")
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		h.t.Fatalf("go build: %v\n%s\n%s", err, out, program)
	}
	if strings.Contains(program, "message.eml") {
		if _, err := h.export("--format", "eml", "-o", filepath.Join(dir, "message.eml")); err != nil {
			h.t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(h.t.Context(), patience)
	defer cancel()
	run := exec.CommandContext(ctx, filepath.Join(dir, "repro"))
	run.Dir = dir
	run.Env = append(os.Environ(), "SMTP_PASSWORD="+h.fault.App.Password, "SMTP_TOKEN="+h.fault.App.Password, "SMTP_CA="+h.ca)
	out, err := run.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		h.t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return string(out), lines[len(lines)-1], run.ProcessState.ExitCode()
}

// recordedLine is what a program says of the record: the phase, and a code or
// a word.
var recordedLine = regexp.MustCompile(`(?m)^\W+recorded ([A-Z]+: [^ :\n]+)`)

// taken is how many messages the smarthost has accepted.
func (h *scene) taken() int {
	if h.fault.Smarthost == nil {
		return 0
	}
	return len(h.fault.Smarthost.Messages())
}
