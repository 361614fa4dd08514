package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/store"
	"smtp-proxy/inspect/web"
	"smtp-proxy/policy"
	"smtp-proxy/testenv"
)

// copies fills a record with n sessions that say the same, a second apart, and
// returns its directory and their ids, oldest first.
func copies(t *testing.T, host *testenv.Sandbox, n int) (dir string, ids []string) {
	t.Helper()
	c := policy.Defaults()
	c.Upstream, c.UpstreamTLS = host.Addr(), "none"
	r := startPlant(t, c, nil)
	if _, err := (testenv.App{Addr: r.addr(), From: "a@example.com", To: []string{"b@example.net"}}).Send(t.Context()); err != nil {
		t.Fatalf("the session to record: got %v, want none", err)
	}
	r.end()
	one := only(t, r.dir)
	dir = filepath.Join(t.TempDir(), "many")
	g, err := store.OpenGuest(dir, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	begin := one.Started.Add(-time.Duration(n) * time.Second)
	for i := range n {
		v := *one
		v.Started, v.Ended = begin.Add(time.Duration(i)*time.Second), begin.Add(time.Duration(i)*time.Second+time.Millisecond)
		v.ID = ulid.MustNew(ulid.Timestamp(v.Started), ulid.DefaultEntropy()).String()
		if err := g.Import(t.Context(), &v, nil); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, v.ID)
	}
	return dir, ids
}

// only reads the latest session of a record.
func only(t *testing.T, dir string) *inspect.Session {
	t.Helper()
	v, err := reading(t, dir).Session(t.Context(), "latest")
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// reading opens a record until the test ends.
func reading(t *testing.T, dir string) *store.Store {
	t.Helper()
	s, err := store.Open(dir, store.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// objects counts what replay --json writes, and calls each for every one.
type objects struct {
	each func(n int, x web.ReplayResult)
	n    int
	err  error
}

func (o *objects) Write(line []byte) (int, error) {
	var x web.ReplayResult
	o.err = errors.Join(o.err, json.Unmarshal(line, &x))
	o.n++
	o.each(o.n, x)
	return len(line), nil
}

// playAll replays all sessions of a record until ctx ends.
func playAll(ctx context.Context, t *testing.T, dir string, m series, each func(int, web.ReplayResult)) (stderr string, err error) {
	t.Helper()
	var errs bytes.Buffer
	out := &objects{each: each}
	p := &program{
		stdin: &bytes.Buffer{}, stdout: out, stderr: &errs, now: time.Now, data: dir, file: &policy.File{},
		env: func(string) (string, bool) { return "", false },
	}
	r := newRepetition()
	m.filter, m.parallel = "since:100d", max(m.parallel, 1)
	r.many, r.asJSON, r.unkept = m, true, true
	err = p.replayMany(ctx, r)
	if out.err != nil {
		t.Errorf("the objects: got %v, want JSON", out.err)
	}
	return errs.String(), err
}

// What has been played leaves nothing behind: the live heap is the same after
// a hundred sessions and after many more.
func TestReplayMemory(t *testing.T) {
	host := sandbox(t, testenv.SandboxOptions{NoTLS: true})
	const early, late = 100, 500
	dir, _ := copies(t, host, late)
	heap := map[int]uint64{}
	stderr, err := playAll(t.Context(), t, dir, series{}, func(n int, _ web.ReplayResult) {
		if n == early || n == late {
			heap[n] = liveHeap()
		}
	})
	if err != nil || !strings.Contains(stderr, fmt.Sprintf("%d sessions played: %d identical", late, late)) {
		t.Fatalf("replay of %d sessions: got %v and %q, want all identical", late, err, stderr)
	}
	const slack = 2 << 20
	if heap[late] > heap[early]+slack {
		t.Errorf("live heap: got %d octets after %d sessions and %d after %d, want no more than %d between them", heap[early], early, heap[late], late, slack)
	}
	if got := len(host.Mailbox.Messages()); got != 1 {
		t.Errorf("messages at the target: got %d, want the recorded one alone", got)
	}
}

// liveHeap is what is still in use, finalizers having run.
func liveHeap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// An interrupted series says what was played and where to go on; going on there
// plays the rest, and nothing twice.
func TestReplayInterrupted(t *testing.T) {
	host := sandbox(t, testenv.SandboxOptions{NoTLS: true})
	dir, ids := copies(t, host, 30)
	for _, parallel := range []int{1, 4} {
		t.Run(fmt.Sprint(parallel), func(t *testing.T) {
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			var seen []string
			note := func(n int, x web.ReplayResult) {
				seen = append(seen, x.Session)
				if n == 10 {
					interrupt()
				}
			}
			stderr, err := playAll(ctx, t, dir, series{parallel: parallel}, note)
			if code(err) != int(exitInterrupted) {
				t.Fatalf("interrupted: got %v, want exit code %d", err, exitInterrupted)
			}
			first := len(seen)
			_, rest, ok := strings.Cut(stderr, "--after ")
			if after, _, _ := strings.Cut(rest, " "); !ok || !strings.Contains(stderr, fmt.Sprintf("%d sessions played", first)) {
				t.Fatalf("interrupted after %d: got %q, want their number and --after", first, stderr)
			} else if stderr, err = playAll(t.Context(), t, dir, series{parallel: parallel, after: after}, note); err != nil {
				t.Fatalf("going on: got %v and %q, want none", err, stderr)
			}
			slices.Sort(seen)
			if !slices.Equal(seen, ids) {
				t.Errorf("sessions played, %d and then the rest: got %d, want each of %d once\n%v\n%v", first, len(seen), len(ids), seen, ids)
			}
		})
	}
}

// --limit takes the oldest, in order.
func TestReplayOldestFirst(t *testing.T) {
	host := sandbox(t, testenv.SandboxOptions{NoTLS: true})
	dir, ids := copies(t, host, 6)
	var seen []string
	note := func(_ int, x web.ReplayResult) { seen = append(seen, x.Session) }
	for _, m := range []series{{limit: 2}, {limit: 3, after: ids[1]}, {after: ids[4]}} {
		if stderr, err := playAll(t.Context(), t, dir, m, note); err != nil {
			t.Fatalf("%+v: got %v and %q, want none", m, err, stderr)
		}
	}
	if !slices.Equal(seen, ids) {
		t.Errorf("sessions played: got %v, want %v", seen, ids)
	}
	if _, err := playAll(t.Context(), t, dir, series{after: "ZZZ"}, note); err == nil || !strings.Contains(err.Error(), `--after: no session begins with "ZZZ"`) {
		t.Errorf("--after ZZZ: got %v, want that there is none", err)
	}
}

// A session that ended with a sign-in, which is not tried, is named as any that
// is not identical.
func TestSeriesNamesTheUntried(t *testing.T) {
	var out bytes.Buffer
	p := newProgram()
	p.stdout, p.stderr = &out, &out
	q := &sequence{replayer: &replayer{program: p, r: newRepetition()}, progress: p.newProgress(1)}
	refused := &inspect.Session{ID: "01JD", Auth: &inspect.Auth{}}
	q.took("01JD", &played{recorded: refused}, nil)
	if got, want := out.String(), "! 01JD  "+notTried+"\n"; got != want || q.tally.stopped.all != 1 || q.tally.code(t.Context()) != exitAuth {
		t.Errorf("got %q, %d that ended earlier and %d, want %q, 1 and %d", got, q.tally.stopped.all, q.tally.code(t.Context()), want, exitAuth)
	}
}
