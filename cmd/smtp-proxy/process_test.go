package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// process is a command that runs beside its script.
type process struct {
	cmd    *exec.Cmd
	stdout *output
	stderr *output
}

// output collects what a process writes and lets others wait for a text.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
	grew chan struct{}
}

func newOutput() *output { return &output{grew: make(chan struct{}, 1)} }

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(b)
	select {
	case o.grew <- struct{}{}:
	default:
	}
	return len(b), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// wait returns when text has been written.
func (o *output) wait(text string) error {
	timeUp := time.After(patience)
	for !strings.Contains(o.String(), text) {
		select {
		case <-o.grew:
		case <-timeUp:
			return fmt.Errorf("waited for %q, got\n%s", text, o)
		}
	}
	return nil
}

// processes are those of one script.
type processes map[string]*process

const processesKey = "processes"

// start runs a command until stop, and waits for a text on its stdout. Where it
// says that it listens becomes $NAME_PORT, $NAME_HEALTH and $NAME_HEALTH_ADDR;
// an argument @NAME stands for the flags of run that a started sandbox named.
//
//	start proxy 'health' smtp-proxy run --listen localhost:0 …
func start(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: start NAME TEXT COMMAND [ARG…]")
	}
	name, text := args[0], args[1]
	path, err := exec.LookPath(args[2])
	ts.Check(err)
	started := ts.Value(processesKey).(processes)
	p := &process{cmd: exec.Command(path, started.expand(args[3:])...), stdout: newOutput(), stderr: newOutput()}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = ts.MkAbs("."), p.stdout, p.stderr
	p.cmd.Env = append(os.Environ(), "HOME="+ts.Getenv("HOME"), "XDG_STATE_HOME="+ts.Getenv("XDG_STATE_HOME"), "TMPDIR="+ts.Getenv("TMPDIR"))
	ts.Check(p.cmd.Start())
	ts.Defer(func() { p.end(os.Kill) })
	started[name] = p
	if err := p.stdout.wait(text); err != nil {
		ts.Fatalf("%s: %v\nstderr:\n%s", name, err, p.stderr)
	}
	for key, value := range facts(p.stdout.String()) {
		ts.Setenv(strings.ToUpper(name)+"_"+key, value)
	}
}

// expand puts flags in the place of @NAME.
func (all processes) expand(args []string) []string {
	var out []string
	for _, arg := range args {
		p := all[strings.TrimPrefix(arg, "@")]
		if !strings.HasPrefix(arg, "@") || p == nil {
			out = append(out, arg)
			continue
		}
		_, flags, _ := strings.Cut(p.stdout.String(), "smtp-proxy run ")
		flags, _, _ = strings.Cut(flags, "\n")
		out = append(out, strings.Fields(flags)...)
	}
	return out
}

// told finds where a command says that it listens: run's hints, and the first
// line of sandbox.
func told() map[string]*regexp.Regexp {
	return map[string]*regexp.Regexp{
		"PORT":        regexp.MustCompile(`(?m)^  port +(\d+)$|waits at .*:(\d+);`),
		"HEALTH":      regexp.MustCompile(`(?m)^  health +(\S+)$`),
		"HEALTH_ADDR": regexp.MustCompile(`(?m)^  health +http://([^/]+)`),
	}
}

func facts(text string) map[string]string {
	all := map[string]string{}
	for key, pattern := range told() {
		if m := pattern.FindStringSubmatch(text); m != nil {
			all[key] = strings.Join(m[1:], "")
		}
	}
	return all
}

// end signals the process, if it still runs, and waits for it.
func (p *process) end(signal os.Signal) error {
	if p.cmd.ProcessState != nil {
		return nil
	}
	if err := p.cmd.Process.Signal(signal); err != nil {
		return err
	}
	stuck := time.AfterFunc(patience, func() { p.cmd.Process.Kill() })
	defer stuck.Stop()
	return p.cmd.Wait()
}

// halt ends a process as systemd does and demands exit code 0. What it has
// written becomes NAME.stdout and NAME.stderr.
func halt(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: stop NAME")
	}
	p := ts.Value(processesKey).(processes)[args[0]]
	if err := p.end(syscall.SIGTERM); err != nil {
		ts.Fatalf("%s: %v\n%s", args[0], err, p.stderr)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".stdout"), []byte(p.stdout.String()), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".stderr"), []byte(p.stderr.String()), 0o600))
}

// await waits for a text on the stdout of a process.
//
//	await tail 'recipient.unknown'
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: await NAME TEXT")
	}
	ts.Check(ts.Value(processesKey).(processes)[args[0]].stdout.wait(args[1]))
}
