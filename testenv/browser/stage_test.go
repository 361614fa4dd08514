//go:build browser

package browser_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"regexp"
	"sync"
	"syscall"
	"testing"

	"smtp-proxy/testenv"
)

// stage is a running proxy before the embedded sandbox, with its page.
type stage struct {
	page string // URL without a slash at its end
	smtp string // host:port where apps connect
	out  *output
}

// addresses are read from what the program prints at its start.
var (
	pageLine = regexp.MustCompile(`(?m)^  page +(http://\S+?)/?$`)
	portLine = regexp.MustCompile(`(?m)^  port +(\d+)$`)
)

// newStage starts a proxy with an empty record.
func newStage(t *testing.T, flags ...string) *stage {
	t.Helper()
	return stageOn(t, t.TempDir(), flags...)
}

// stageOn starts a proxy with the record in a directory.
func stageOn(t *testing.T, data string, flags ...string) *stage {
	t.Helper()
	args := append([]string{
		"run", "--upstream", "sandbox", "--probe", "off", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data", data, "--log-level", "warn",
	}, flags...)
	s := &stage{out: &output{came: make(chan struct{}, 1)}}
	cmd := exec.Command(os.Getenv(binaryVariable), args...)
	stdout, err := cmd.StdoutPipe()
	must(t, err)
	cmd.Stderr = s.out
	must(t, cmd.Start())
	read := make(chan struct{})
	go func() {
		defer close(read)
		s.out.follow(stdout)
	}()
	t.Cleanup(func() {
		must(t, cmd.Process.Signal(syscall.SIGTERM))
		<-read
		if err := cmd.Wait(); err != nil {
			t.Errorf("the proxy ended with %v, want 0; it said:\n%s", err, s.out)
		}
	})
	s.page = s.out.await(t, pageLine)
	s.smtp = "127.0.0.1:" + s.out.await(t, portLine)
	return s
}

// send lets an app send one message; a refusal is what many tests want.
func (s *stage) send(t *testing.T, app testenv.App) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	app.Addr = s.smtp
	if _, err := app.Send(ctx); err != nil {
		t.Fatalf("send: %v; the proxy said:\n%s", err, s.out)
	}
}

// output is what the program has printed so far.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
	came chan struct{}
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.came <- struct{}{}:
	default:
	}
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func (o *output) follow(r io.Reader) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		o.Write(append(lines.Bytes(), '\n'))
	}
}

// await waits for a line and returns what its group matches.
func (o *output) await(t *testing.T, line *regexp.Regexp) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		if found := line.FindStringSubmatch(o.String()); found != nil {
			return found[1]
		}
		select {
		case <-o.came:
		case <-ctx.Done():
			t.Fatalf("no line %s; the proxy said:\n%s", line, o)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
