package compose_test

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"smtp-proxy/testenv"
)

// TestBuilds wants each image's context to hold what its Dockerfile copies.
func TestBuilds(t *testing.T) {
	for name, s := range services(t) {
		dockerfile := filepath.ToSlash(filepath.Join(s.build, "Dockerfile"))
		for _, args := range instructions(t, dockerfile, "COPY") {
			if slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(a, "--from=") }) {
				continue
			}
			for _, source := range args[:len(args)-1] {
				if _, err := os.Stat(filepath.Join(root, s.build, source)); err != nil {
					t.Errorf("%s: COPY %s: %v", dockerfile, source, err)
				}
			}
		}
		if len(s.command) == 0 {
			t.Errorf("service %s: got no command", name)
		}
	}
}

// TestContext wants everything that the proxy's build reads to pass
// .dockerignore.
func TestContext(t *testing.T) {
	let := strings.Split(read(t, ".dockerignore"), "\n")
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{if .Module}}{{if .Module.Main}}{{.ImportPath}}{{end}}{{end}}", "smtp-proxy/cmd/smtp-proxy").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for _, pkg := range strings.Fields(string(out)) {
		top, _, _ := strings.Cut(strings.TrimPrefix(pkg, "smtp-proxy/"), "/")
		if !slices.Contains(let, "!"+top) {
			t.Errorf("the build reads %s: want !%s in .dockerignore, got %q", pkg, top, let)
		}
	}
}

// TestPaths wants the parts to name each other's ports and files.
func TestPaths(t *testing.T) {
	all := services(t)
	proxy, smarthost, app := all["proxy"], all["smarthost"], all["app"]
	if got, want := app.command, "proxy:"+port(flag(proxy.command, "--listen")); !slices.Contains(got, want) {
		t.Errorf("app: got command %q, want it to connect to %s", got, want)
	}
	host, upstreamPort, _ := net.SplitHostPort(flag(proxy.command, "--upstream"))
	if s := all[host]; s == nil || !slices.Contains(exposed(t, s), upstreamPort) {
		t.Errorf("proxy: got --upstream %s, want a service and a port that its image exposes", flag(proxy.command, "--upstream"))
	}
	for _, want := range []string{port(flag(proxy.command, "--listen")), "8025"} {
		if !slices.Contains(exposed(t, proxy), want) {
			t.Errorf("Dockerfile: got EXPOSE %q, want %s among them", exposed(t, proxy), want)
		}
	}
	certs, data := volumeAt(smarthost, smarthost.command[1]), dataDir(t)
	if ca := flag(proxy.command, "--upstream-ca"); certs == "" || volumeAt(proxy, filepath.ToSlash(filepath.Dir(ca))) != certs {
		t.Errorf("proxy: got --upstream-ca %s and volumes %q, want it in the volume that the smarthost writes to", ca, proxy.volumes)
	}
	if volumeAt(proxy, data) == "" {
		t.Errorf("proxy: got volumes %q, want one at %s, the image's data directory", proxy.volumes, data)
	}
}

func flag(command []string, name string) string {
	if i := slices.Index(command, name); i >= 0 && i+1 < len(command) {
		return command[i+1]
	}
	return ""
}

func port(addr string) string {
	_, port, _ := net.SplitHostPort(addr)
	return port
}

func exposed(t *testing.T, s *service) []string {
	t.Helper()
	return slices.Concat(instructions(t, filepath.Join(s.build, "Dockerfile"), "EXPOSE")...)
}

// volumeAt returns the name of the volume that s has at path.
func volumeAt(s *service, path string) string {
	for _, v := range s.volumes {
		if name, at, _ := strings.Cut(v, ":"); strings.TrimSuffix(at, ":ro") == path {
			return name
		}
	}
	return ""
}

func dataDir(t *testing.T) string {
	t.Helper()
	for _, env := range instructions(t, "Dockerfile", "ENV") {
		if dir, ok := strings.CutPrefix(env[0], "SMTP_PROXY_DATA="); ok {
			return dir
		}
	}
	t.Fatal("Dockerfile: got no ENV SMTP_PROXY_DATA, want the data directory")
	return ""
}

// TestProxy runs the proxy's command as it stands in docker-compose.yml, with
// this machine's addresses and directories in place of the containers', and
// sends a mail through it.
func TestProxy(t *testing.T) {
	sandbox, err := testenv.NewSandbox(testenv.SandboxOptions{Hostname: "smarthost"})
	if err != nil {
		t.Fatal(err)
	}
	defer sandbox.Close()
	names, err := testenv.NewDNS()
	if err != nil {
		t.Fatal(err)
	}
	defer names.Close()
	names.A("smarthost", "127.0.0.1")
	certs := t.TempDir()
	if err := os.WriteFile(filepath.Join(certs, "ca.pem"), sandbox.Roots(), 0o644); err != nil {
		t.Fatal(err)
	}

	command := local(services(t)["proxy"].command, strings.NewReplacer(
		"0.0.0.0:1025", "127.0.0.1:0",
		"smarthost:25", "smarthost:"+port(sandbox.Addr()),
		"/certs/", filepath.ToSlash(certs)+"/",
	))
	addr := serve(t, append(command, "--resolver", names.Addr(), "--http", "off"))
	v, err := testenv.App{Addr: addr}.Send(t.Context())
	if err != nil || !v.Delivered() {
		t.Fatalf("send through %q: got %+v, %v, want it delivered", command, v, err)
	}
	if got := len(sandbox.Messages()); got != 1 {
		t.Errorf("got %d messages at the smarthost, want 1", got)
	}
}

func local(command []string, places *strings.Replacer) []string {
	var all []string
	for _, arg := range command {
		all = append(all, places.Replace(arg))
	}
	return all
}

// serve builds and runs smtp-proxy and returns where it listens. It stops when
// the test ends.
func serve(t *testing.T, args []string) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "smtp-proxy")
	if runtime.GOOS == "windows" {
		binary += ".exe"
	}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "smtp-proxy/cmd/smtp-proxy").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Env = append(cmd.Environ(), "SMTP_PROXY_DATA="+t.TempDir())
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	addr, rest := listening(t, log)
	t.Cleanup(func() {
		cancel()
		<-rest
		cmd.Wait()
	})
	return addr
}
