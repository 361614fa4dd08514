package testenv_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"smtp-proxy/testenv"
)

// BenchmarkLive measures what open live pages cost the relay: its CPU time for
// a session at a thousand sessions a second, with and without fifty pages that
// are being looked at, in turn. The relay is the real program in a process of
// its own; the apps, the smarthost and the readers of the pages are here.
func BenchmarkLive(b *testing.B) {
	p := startRelay(b)
	const rate, seconds = 1000, 4
	for b.Loop() {
		alone := p.load(b, rate, seconds)
		leave := p.watch(b, 50)
		watched := p.load(b, rate, seconds)
		leave()
		b.ReportMetric(alone.perSession(), "us/session-alone")
		b.ReportMetric(watched.perSession(), "us/session-watched")
		b.ReportMetric(watched.perSecond()-alone.perSecond(), "sessions/s-lost")
		b.ReportMetric(100*(watched.cpu-alone.cpu).Seconds()/float64(seconds*2), "%-of-two-cores")
	}
}

// relay is the program under load.
type relay struct {
	smtp, page string
	pid        int
}

func startRelay(b *testing.B) *relay {
	b.Helper()
	dir := b.TempDir()
	binary := filepath.Join(dir, "smtp-proxy")
	if out, err := exec.Command("go", "build", "-o", binary, "smtp-proxy/cmd/smtp-proxy").CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	host, err := testenv.NewSandbox(testenv.SandboxOptions{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { host.Close() })
	cmd := exec.Command(binary, "run", "--upstream", host.Addr(), "--upstream-tls", "none", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0",
		"--data", filepath.Join(dir, "data"), "--log-file", filepath.Join(dir, "log"))
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	})
	p := &relay{pid: cmd.Process.Pid}
	p.smtp, p.page = printed(b, out)
	return p
}

// printed reads where the program listens.
func printed(b *testing.B, out io.Reader) (smtp, page string) {
	port, url := regexp.MustCompile(`^  port +(\d+)`), regexp.MustCompile(`^  page +(http://\S+)/`)
	lines := bufio.NewScanner(out)
	for (smtp == "" || page == "") && lines.Scan() {
		if m := port.FindStringSubmatch(lines.Text()); m != nil {
			smtp = net.JoinHostPort("127.0.0.1", m[1])
		}
		if m := url.FindStringSubmatch(lines.Text()); m != nil {
			page = m[1]
		}
	}
	if smtp == "" || page == "" {
		b.Fatalf("the program names its port %q and page %q, want both", smtp, page)
	}
	go io.Copy(io.Discard, out) // ends with the program
	return smtp, page
}

// spent is what some sessions took.
type spent struct {
	sessions int
	cpu      time.Duration // of the relay
	took     time.Duration
}

func (s spent) perSession() float64 { return s.cpu.Seconds() * 1e6 / float64(s.sessions) }
func (s spent) perSecond() float64  { return float64(s.sessions) / s.took.Seconds() }

// load sends a session whenever one is due, for some seconds.
func (p *relay) load(b *testing.B, rate, seconds int) spent {
	b.Helper()
	before, began := p.cpu(b), time.Now()
	due := make(chan int, rate)
	var sending sync.WaitGroup
	for range 16 {
		sending.Go(func() {
			for n := range due {
				app := testenv.App{Addr: p.smtp, To: []string{fmt.Sprintf("user%d@example.net", n%1000)}}
				if _, err := app.Send(b.Context()); err != nil {
					b.Error(err)
				}
			}
		})
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	sent := 0
	for sent < rate*seconds {
		<-tick.C
		for ; sent < int(time.Since(began).Seconds()*float64(rate)) && sent < rate*seconds; sent++ {
			due <- sent
		}
	}
	close(due)
	sending.Wait()
	return spent{sessions: sent, cpu: p.cpu(b) - before, took: time.Since(began)}
}

// watch opens live pages and reads what they get, until leave is called.
func (p *relay) watch(b *testing.B, pages int) (leave func()) {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	var reading sync.WaitGroup
	for range pages {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.page+"/live", nil)
		if err != nil {
			b.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil || resp.StatusCode != http.StatusOK {
			b.Fatalf("%s/live: %v, %v, want 200", p.page, resp, err)
		}
		reading.Go(func() {
			defer resp.Body.Close()
			io.Copy(io.Discard, resp.Body)
		})
	}
	return func() { cancel(); reading.Wait() }
}

// cpu is the CPU time of the relay so far (proc(5), /proc/PID/stat).
func (p *relay) cpu(b *testing.B) time.Duration {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.pid))
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	var ticks int
	for _, f := range fields[11:13] {
		n, err := strconv.Atoi(f)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
