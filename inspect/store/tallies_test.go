package store

import (
	"database/sql"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// place of a count in the table.
type tallyPlace struct {
	step           int64
	upstream, kind string
	at             int64
	name           string
}

// recount counts all sessions on record, one by one.
func recount(t testing.TB, s *Store) map[tallyPlace]int {
	t.Helper()
	counts := map[tallyPlace]int{}
	err := s.Sessions(t.Context(), inspect.Filter{}, 0, func(v *inspect.Session) error {
		if v.Ended.IsZero() {
			return nil
		}
		names := map[[2]string]bool{{"outcome", string(v.Outcome)}: true}
		for _, f := range v.Findings {
			names[[2]string{"cause", f.Cause}] = true
		}
		for _, c := range v.Codes {
			names[[2]string{"code", c}] = true
		}
		for _, step := range steps() {
			at := v.Started.Unix() - v.Started.Unix()%step.seconds
			if at < step.horizon(s.now()) {
				continue
			}
			for name := range names {
				counts[tallyPlace{step.seconds, "", name[0], at, name[1]}]++
				if v.Upstream.Name != "" {
					counts[tallyPlace{step.seconds, v.Upstream.Name, name[0], at, name[1]}]++
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return counts
}

// counted reads the counts that are kept, through what readers use.
func counted(t testing.TB, s *Store) map[tallyPlace]int {
	t.Helper()
	counts := map[tallyPlace]int{}
	err := s.snapshot(t.Context(), func(tx *sql.Tx) error {
		upstreams, err := strs(t.Context(), tx, `SELECT DISTINCT upstream FROM tallies WHERE upstream <> '' UNION SELECT ''`)
		if err != nil {
			return err
		}
		for _, step := range steps() {
			for _, upstream := range upstreams {
				for _, kind := range []string{tallyOutcome, tallyCause, tallyCode} {
					span := tallySpan{step.seconds, upstream, step.horizon(s.now()), 1 << 60}
					err := span.each(t.Context(), tx, kind, func(at int64, name string, n int) {
						counts[tallyPlace{step.seconds, upstream, kind, at, name}] += n
					})
					if err != nil {
						return err
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	maps.DeleteFunc(counts, func(_ tallyPlace, n int) bool { return n == 0 })
	return counts
}

// checkCounts holds the counts that are kept against those of the sessions.
func checkCounts(t testing.TB, s *Store, after string) {
	t.Helper()
	got, want := counted(t, s), recount(t, s)
	wrong := 0
	for at := range want {
		if got[at] != want[at] {
			t.Errorf("after %s: %+v is %d, want %d", after, at, got[at], want[at])
			wrong++
		}
		if delete(got, at); wrong > 10 {
			break
		}
	}
	for at, n := range got {
		if wrong++; wrong > 10 {
			break
		}
		t.Errorf("after %s: %+v is %d, want none", after, at, n)
	}
	totals, err := s.Totals(t.Context())
	n := len(ids(t, s, "", 0))
	_, size, sizeErr := s.Size(t.Context())
	if err != nil || sizeErr != nil || totals.All != n || size != int64(n) {
		t.Errorf("after %s: Totals has %d sessions, Size %d (%v, %v), want %d", after, totals.All, size, err, sizeErr, n)
	}
}

// life is what may happen to a record.
type life struct {
	t    *testing.T
	r    *rand.Rand
	dir  string
	s    *Store
	now  time.Time
	made int

	still bool // the clock stands
}

func (l *life) clock() time.Time {
	if !l.still {
		l.now = l.now.Add(300 * time.Millisecond)
	}
	return l.now
}

// check holds the counts against the sessions.
func (l *life) check(after string) {
	l.t.Helper()
	l.still = true
	checkCounts(l.t, l.s, after)
	l.still = false
}

func (l *life) open() { l.s = openStore(l.t, l.dir, Options{Now: l.clock}) }

// records are those of one more session, which began at any time of late.
func (l *life) records() []session.Record {
	l.made++
	id := fmt.Sprintf("01J%023d", l.made)
	at := l.now.Add(-time.Duration(l.r.Int64N(int64(time.Hour) << l.r.IntN(12)))).Truncate(time.Microsecond)
	replies := []string{"550 5.1.1 unknown", "450 4.2.1 slow down", "550 5.7.1 no", "250 2.1.5 ok"}
	list := refused(id, at, "x@y", replies[l.r.IntN(len(replies))])
	if l.r.IntN(2) == 0 {
		list = delivered(id, at, "a@b", "c@d", "text\r\n")
	}
	list[0].Session.Upstream = []string{"a.example:25", "b.example:587", ""}[l.r.IntN(3)]
	return list
}

func (l *life) findings() (list []inspect.Finding) {
	for range l.r.IntN(4) {
		list = append(list, inspect.Finding{Cause: []string{"rate.messages", "recipient.unknown", "message.spam"}[l.r.IntN(3)]})
	}
	return list
}

// flush records some sessions in some transactions, one of them in two parts.
func (l *life) flush() string {
	var batches [][]session.Record
	for range 1 + l.r.IntN(4) {
		var batch []session.Record
		for range l.r.IntN(8) {
			batch = append(batch, l.records()...)
		}
		parts := l.records()
		batches = append(batches, append(batch, parts[:3]...), parts[3:])
	}
	feed(l.t, l.s, KeeperOptions{Annotate: func(*inspect.Session) []inspect.Finding { return l.findings() }}, batches...)
	return "flushes"
}

// revise gives a session other findings.
func (l *life) revise() string {
	if list := ids(l.t, l.s, "", 0); len(list) > 0 {
		if err := NewKeeper(l.s, quiet()).Revise(l.t.Context(), list[l.r.IntN(len(list))], nil, l.findings()); err != nil {
			l.t.Fatal(err)
		}
	}
	return "a revision"
}

// bring imports a session from another record.
func (l *life) bring() string {
	from := openStore(l.t, newDir(l.t), Options{})
	feed(l.t, from, KeeperOptions{Annotate: func(*inspect.Session) []inspect.Finding { return l.findings() }}, l.records())
	v, err := from.Session(l.t.Context(), "latest")
	if err != nil {
		l.t.Fatal(err)
	}
	g, err := OpenGuest(l.dir, Options{Now: l.clock})
	if err != nil {
		l.t.Fatal(err)
	}
	defer g.Close()
	if err := g.Import(l.t.Context(), v, nil); err != nil {
		l.t.Fatal(err)
	}
	return "an import"
}

func (l *life) retain() string {
	keep := time.Duration(l.r.Int64N(int64(60 * 24 * time.Hour)))
	if err := l.s.Retain(l.t.Context(), keep, 0); err != nil {
		l.t.Fatal(err)
	}
	return "retention"
}

func (l *life) reopen() string {
	l.s.Close()
	l.open()
	return "opening it again"
}

func (l *life) wait() string {
	l.now = l.now.Add(time.Duration(l.r.Int64N(int64(8 * time.Hour))))
	return "hours"
}

// TestTallies holds the counts against the sessions through random lives.
func TestTallies(t *testing.T) {
	for seed := range uint64(3) {
		l := &life{t: t, r: rand.New(rand.NewPCG(seed, 5)), dir: newDir(t), now: start}
		l.open()
		var story []string
		for range 20 {
			do := []func() string{l.flush, l.flush, l.revise, l.revise, l.bring, l.retain, l.reopen, l.wait}[l.r.IntN(8)]
			story = append(story, do())
			l.check(fmt.Sprintf("%s (seed %d)", strings.Join(story, ", "), seed))
			if t.Failed() {
				return
			}
		}
	}
}

// TestTalliesOfAKilled reads the record of a process as it stands between two
// flushes: what the database holds is what is counted.
func TestTalliesOfAKilled(t *testing.T) {
	l := &life{t: t, r: rand.New(rand.NewPCG(1, 1)), dir: newDir(t), now: start}
	l.open()
	q := make(queue)
	done := make(chan error, 1)
	k := hasty(l.s, KeeperOptions{Annotate: annotate})
	go func() { done <- k.Run(t.Context(), q) }()
	for i := range 5 {
		q <- slices.Concat(l.records(), l.records(), l.records())
		q <- nil // taken when they have been written
		dir := newDir(t)
		copyRecord(t, l.dir, dir)
		checkCounts(t, openStore(t, dir, Options{ReadOnly: true, Now: func() time.Time { return start }}), fmt.Sprintf("flush %d", i))
	}
	close(q)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// copyRecord copies a database with what has not been checkpointed.
func copyRecord(t *testing.T, from, to string) {
	t.Helper()
	if err := os.MkdirAll(to, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{file, file + "-wal"} {
		b, err := os.ReadFile(filepath.Join(from, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, name), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestTalliesOfAnOlderRecord counts what was recorded before there were counts.
func TestTalliesOfAnOlderRecord(t *testing.T) {
	l := &life{t: t, r: rand.New(rand.NewPCG(2, 2)), dir: newDir(t), now: start}
	l.open()
	for range 5 {
		l.flush()
	}
	if _, err := l.s.writer.Exec(`DROP TABLE tallies; DROP TABLE waits; PRAGMA user_version = 4`); err != nil {
		t.Fatal(err)
	}
	l.s.Close()
	old := openStore(t, l.dir, Options{ReadOnly: true})
	if _, err := old.Totals(t.Context()); err == nil || !strings.Contains(err.Error(), "older smtp-proxy") {
		t.Errorf("totals of a record without counts: %v, want an error that says so", err)
	}
	l.open()
	l.check("the migration")
	l.flush()
	l.check("the migration and a flush")
	if n := len(ids(t, l.s, "", 0)); n < 30 {
		t.Errorf("%d sessions on record, want 30 and more", n)
	}
}
