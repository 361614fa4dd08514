//go:build rigs

package rigs_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait of a rig.
const patience = 60 * time.Second

// process is a server that a rig has started: a process group of its own, so
// that its children end with it.
type process struct {
	cmd   *exec.Cmd
	log   string
	ended chan struct{} // closed when it has been waited for
}

// start runs cmd with its output in the file log. It is stopped when the test
// ends, if it has not ended by then.
func start(t *testing.T, log string, cmd *exec.Cmd) *process {
	t.Helper()
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	must(t, err)
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	must(t, cmd.Start())
	p := &process{cmd: cmd, log: log, ended: make(chan struct{})}
	go p.wait()
	t.Cleanup(func() { p.stop(t) })
	return p
}

// wait ends when the process does; stop and kill see to that.
func (p *process) wait() {
	p.cmd.Wait()
	close(p.ended)
}

// stop asks the process to end and returns its exit code.
func (p *process) stop(t *testing.T) int {
	t.Helper()
	p.terminate()
	return p.await(t)
}

// terminate sends SIGTERM. It is an error of no interest that the process has
// ended by itself.
func (p *process) terminate() { _ = p.cmd.Process.Signal(syscall.SIGTERM) }

// await waits for the end of the process and returns its exit code.
func (p *process) await(t *testing.T) int {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		t.Errorf("%s is still there %s after SIGTERM; its log ends with:\n%s", p.cmd.Path, patience, tail(p.log))
		p.kill()
	}
	syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // children that were left
	return p.cmd.ProcessState.ExitCode()
}

// kill ends the process at once, as kill -9 and power cuts do.
func (p *process) kill() {
	syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.ended
}

// awaitPort waits until something listens on addr.
func (p *process) awaitPort(t *testing.T, addr string) {
	t.Helper()
	eventually(t, "a listener on "+addr, func() bool {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			return false
		}
		return c.Close() == nil
	}, func() string { return tail(p.log) })
}

// eventually waits for a condition, and fails with what explain says.
func eventually(t *testing.T, what string, holds func() bool, explain func() string) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !holds(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("got no %s within %s\n%s", what, patience, explain())
		}
	}
}

// freePort returns a loopback address that nothing listens on just now.
func freePort(t *testing.T) string {
	t.Helper()
	l := listenBelow(t)
	defer l.Close()
	return l.Addr().String()
}

// listenBelow listens on a port below those that the kernel gives away by
// itself (ip_local_port_range begins at 32768): between the look for a free one
// and its use, another program's connection or ":0" could have taken it.
func listenBelow(t *testing.T) net.Listener {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(12000)))
		if err == nil {
			return l
		}
	}
	t.Fatal("no port between 20000 and 32000 is free")
	return nil
}

// tail returns the end of a log for a failure message.
func tail(path string) string {
	text, _ := os.ReadFile(path)
	return string(text[max(0, len(text)-4000):])
}
