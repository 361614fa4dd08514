package store

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// childEnv makes this test binary play a recording process; its value is the
// data directory.
const childEnv = "STORE_TEST_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		record(dir)
		return
	}
	m.Run()
}

// record writes sessions until it is killed: one stays open, the others are
// named on stdout once they are written.
func record(dir string) {
	s, err := Open(dir, Options{})
	if err != nil {
		fmt.Println("error", err)
		return
	}
	q := make(queue)
	opt := quiet()
	opt.Ended = func(v *inspect.Session) { fmt.Println("written", v.ID) }
	go func() {
		open := newScript("00OPEN", start).hello().say("MAIL", "MAIL FROM:<a@b>", "250 ok").say("DATA", "DATA", "354 go")
		for i := 0; ; i++ {
			q <- open.body(openBody(i)).cut()
			q <- delivered(fmt.Sprintf("01%06d", i), start.Add(time.Duration(i)*time.Millisecond), "a@b", "c@d", strings.Repeat("body ", i%4000))
		}
	}()
	fmt.Println("error", NewKeeper(s, opt).Run(context.Background(), q))
}

// openBody is a piece of the message that is under way all the time.
func openBody(i int) string { return strings.Repeat(fmt.Sprintf("%07d\n", i), 32<<10/8) }

// TestKilled kills a recording process and reads what it has left.
func TestKilled(t *testing.T) {
	dir := newDir(t)
	written := killAfter(t, dir, 300)

	r := openStore(t, dir, Options{ReadOnly: true})
	if got := ids(t, r, "outcome:open", 0); len(got) != 1 || got[0] != "00OPEN" {
		t.Errorf("open before the restart: %q, want 00OPEN", got)
	}
	s := openStore(t, dir, Options{})
	var reported []string
	opt := quiet()
	opt.Ended = func(v *inspect.Session) { reported = append(reported, v.ID) }
	feed(t, s, opt)
	have := map[string]bool{}
	for _, id := range ids(t, s, "outcome:delivered", 0) {
		have[id] = true
	}
	for _, id := range written {
		if !have[id] {
			t.Errorf("session %s was written and is gone", id)
		}
	}
	v, err := s.Session(context.Background(), "00OPEN")
	if err != nil {
		t.Fatal(err)
	}
	last := v.Events[len(v.Events)-1]
	if v.Outcome != inspect.Aborted || len(v.Findings) != 1 || v.Findings[0].Cause != "proxy.shutting-down" || v.Ended.IsZero() {
		t.Errorf("the session cut off = %+v", v)
	}
	if last.Odd != session.OddShutdown || last.From != session.FromProxy || !strings.Contains(last.Text, "the proxy died") || len(v.Messages) != 1 {
		t.Errorf("its last entry = %+v", last)
	}
	checkCutBody(t, s, v)
	if len(reported) != 1 || reported[0] != "00OPEN" {
		t.Errorf("reported %q, want 00OPEN", reported)
	}
	if got := ids(t, s, "outcome:open", 0); len(got) != 0 {
		t.Errorf("still open: %q", got)
	}
}

// checkCutBody wants of the message that was under way what had been written,
// and a word that this is not all.
func checkCutBody(t *testing.T, s *Store, v *inspect.Session) {
	t.Helper()
	body := readBody(t, s, v.ID, 0)
	if v.Messages[0].Captured != "cut" || len(body) <= spillAt || len(body)%len(openBody(0)) != 0 {
		t.Errorf("of the message under way: got %d octets that are %q, want pieces of more than %d that are cut", len(body), v.Messages[0].Captured, spillAt)
	}
	for i := 0; len(body) > 0; i++ {
		rest, ok := strings.CutPrefix(body, openBody(i))
		if !ok {
			t.Fatalf("piece %d of the message under way is not what was sent", i)
		}
		body = rest
	}
}

// killAfter runs a recording process and kills it once it has written some
// sessions.
func killAfter(t *testing.T, dir string, n int) (written []string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	killed := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		id, ok := strings.CutPrefix(lines.Text(), "written ")
		if !ok {
			t.Errorf("the recording process says %q", lines.Text())
			break
		}
		written = append(written, id)
		if len(written) >= n && !killed {
			killed = true
			cmd.Process.Kill()
		}
	}
	cmd.Process.Kill()
	cmd.Wait()
	if !killed {
		t.Fatalf("the process ended by itself after %d sessions", len(written))
	}
	return written
}
