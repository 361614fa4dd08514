package store

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// elsewhere makes the records of a session those of another upstream and route.
func elsewhere(records []session.Record, upstream, route string) []session.Record {
	records[0].Session.Upstream, records[0].Session.Route = upstream, route
	return records
}

func TestRecent(t *testing.T) {
	s := openStore(t, newDir(t), Options{})
	var list [][]session.Record
	for i := range 6 {
		at, id := start.Add(time.Duration(i)*time.Second), fmt.Sprintf("01A%d", i)
		records := delivered(id, at, "a@example.com", "b@example.net", "x")
		switch {
		case i%3 == 1:
			records = refused(id, at, "nobody@example.net", "550 5.1.1 no such user")
		case i == 5:
			records = elsewhere(records, "other.example.com:25", "default")
		}
		list = append(list, records)
	}
	feed(t, s, quiet(), list...)
	for _, tt := range []struct {
		since time.Time
		limit int
		want  string
	}{
		{start, 100, "01A4 01A3 01A2 01A1 01A0"},
		{start, 3, "01A4 01A3 01A2"},
		{start.Add(3 * time.Second), 100, "01A4 01A3"},
		{start.Add(time.Hour), 100, ""},
	} {
		got, err := s.Recent("smtp.example.com:587", tt.since, tt.limit)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, v := range got {
			ids = append(ids, v.ID)
			if v.Events != nil || v.Ended.IsZero() {
				t.Errorf("%s has %d events and ended %s, want none, and a time", v.ID, len(v.Events), v.Ended)
			}
		}
		if strings.Join(ids, " ") != tt.want {
			t.Errorf("Recent since %s, %d at most: got %q, want %q", tt.since, tt.limit, ids, tt.want)
		}
		if tt.limit == 100 && len(got) == 5 && got[3].Findings[0].Cause != "recipient.unknown" {
			t.Errorf("got findings %+v of 01A1, want recipient.unknown", got[3].Findings)
		}
	}
}

func TestLastGood(t *testing.T) {
	s := openStore(t, newDir(t), Options{})
	feed(t, s, quiet(),
		delivered("01A", start, "a@example.com", "b@example.net", "x"),
		elsewhere(delivered("01B", start.Add(time.Second), "a@example.com", "b@example.net", "x"), "other.example.com:25", "ses"),
		refused("01C", start.Add(2*time.Second), "nobody@example.net", "550 5.1.1 no such user"),
		newScript("01D", start.Add(3*time.Second)).hello().cut(), // it is still open when the record ends
	)
	for _, tt := range []struct {
		of   string
		ask  func(string) (*inspect.Session, error)
		want string
	}{
		{"smtp.example.com:587", s.LastGood, "01A"},
		{"other.example.com:25", s.LastGood, "01B"},
		{"third.example.com:25", s.LastGood, ""},
		{"default", s.LastGoodOn, "01A"},
		{"ses", s.LastGoodOn, "01B"},
		{"third", s.LastGoodOn, ""},
	} {
		got, err := tt.ask(tt.of)
		switch {
		case err != nil:
			t.Errorf("%s: %v", tt.of, err)
		case tt.want == "" && got != nil, tt.want != "" && (got == nil || got.ID != tt.want || len(got.Events) == 0):
			t.Errorf("%s: got %+v, want %q with its events", tt.of, got, tt.want)
		}
	}
}

// A store that is not there, or not yet, has no past.
func TestNoPast(t *testing.T) {
	var missing *Store
	for name, s := range map[string]*Store{"nil": missing, "empty": openStore(t, newDir(t), Options{}), "read-only": openStore(t, newDir(t), Options{ReadOnly: true})} {
		list, err := s.Recent("smtp.example.com:587", start, 100)
		if err != nil || len(list) > 0 {
			t.Errorf("%s: got %d sessions and %v, want nothing", name, len(list), err)
		}
		if v, err := s.LastGood("smtp.example.com:587"); err != nil || v != nil {
			t.Errorf("%s: got %+v and %v, want nothing", name, v, err)
		}
		if v, err := s.LastGoodOn("default"); err != nil || v != nil {
			t.Errorf("%s: got %+v and %v, want nothing", name, v, err)
		}
	}
}

// The questions of a diagnosis are answered from an index.
func TestPastUsesTheIndex(t *testing.T) {
	s := openStore(t, newDir(t), Options{})
	rows, err := s.writer.Query(`EXPLAIN QUERY PLAN SELECT key, block FROM sessions WHERE upstream = ? AND outcome = ? AND key >= ? ORDER BY key DESC LIMIT ?`, "a", "b", 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var plan string
	for rows.Next() {
		var a, b, c int
		var detail string
		if err := rows.Scan(&a, &b, &c, &detail); err != nil {
			t.Fatal(err)
		}
		plan += detail + "\n"
	}
	if !strings.Contains(plan, "sessions_upstream (upstream=? AND outcome=? AND rowid>?)") || strings.Contains(plan, "TEMP B-TREE") {
		t.Errorf("got plan %q, want the index and no sorting", plan)
	}
}

// BenchmarkPast asks what a diagnosis asks at the first failure of an upstream,
// with 100,000 sessions on record.
func BenchmarkPast(b *testing.B) {
	list, _ := batches(100_000, nil)
	s := openStore(b, newDir(b), Options{})
	feed(b, s, KeeperOptions{}, list...)
	ask := map[string]func() error{
		"recent":      func() error { _, err := s.Recent("smtp.example.com:587", start, 100); return err },
		"last-good":   func() error { _, err := s.LastGood("smtp.example.com:587"); return err },
		"last-on":     func() error { _, err := s.LastGoodOn("default"); return err },
		"last-on-new": func() error { _, err := s.LastGoodOn("other"); return err },
	}
	for name, question := range ask {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := question(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
