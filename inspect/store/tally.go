package store

import (
	"database/sql"
	"sync"
	"time"

	"smtp-proxy/inspect"
)

// seenWindow is how far back "of late" goes.
const seenWindow = 24 * time.Hour

// tally counts how sessions ended, by upstream, cause and hour. It is in
// memory so that a diagnosis never waits for the disk.
type tally struct {
	mu     sync.Mutex
	counts map[tallyKey]map[int64]int // by hour since 1970
	unsent map[tallyHour]int          // not written yet
	pruned int64                      // hour
}

type tallyKey struct{ upstream, cause string }

type tallyHour struct {
	tallyKey
	hour int64
}

func newTally() *tally {
	return &tally{counts: map[tallyKey]map[int64]int{}, unsent: map[tallyHour]int{}}
}

func hourOf(t time.Time) int64 { return t.Unix() / 3600 }

// load reads what earlier processes have counted.
func (c *tally) load(db *sql.DB, now time.Time) error {
	rows, err := db.Query(`SELECT upstream, cause, hour, n FROM tally WHERE hour >= ?`, hourOf(now.Add(-seenWindow)))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var k tallyKey
		var hour int64
		var n int
		if err := rows.Scan(&k.upstream, &k.cause, &hour, &n); err != nil {
			return err
		}
		c.count(k, hour, n)
	}
	return rows.Err()
}

func (c *tally) count(k tallyKey, hour int64, n int) {
	if c.counts[k] == nil {
		c.counts[k] = map[int64]int{}
	}
	c.counts[k][hour] += n
}

// add counts a session that has ended.
func (c *tally) add(s *inspect.Session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	hour := hourOf(s.Ended)
	one := func(cause string) {
		k := tallyKey{s.Upstream.Name, cause}
		c.count(k, hour, 1)
		c.unsent[tallyHour{k, hour}]++
	}
	one("")
	for i, f := range s.Findings {
		if f.Cause != "" && !namedBefore(s.Findings[:i], f.Cause) {
			one(f.Cause)
		}
	}
	c.prune(hour)
}

func namedBefore(list []inspect.Finding, cause string) bool {
	for _, f := range list {
		if f.Cause == cause {
			return true
		}
	}
	return false
}

// prune forgets, once an hour, what is out of the window.
func (c *tally) prune(hour int64) {
	if hour <= c.pruned {
		return
	}
	c.pruned = hour
	for k, hours := range c.counts {
		for h := range hours {
			if h < hour-int64(seenWindow/time.Hour) {
				delete(hours, h)
			}
		}
		if len(hours) == 0 {
			delete(c.counts, k)
		}
	}
}

// since sums the hours of the window up and says when the first of them began.
func (c *tally) since(k tallyKey, from int64) (n int, first int64) {
	for h, m := range c.counts[k] {
		if h < from {
			continue
		}
		if n == 0 || h < first {
			first = h
		}
		n += m
	}
	return n, first
}

// Seen says how many of the last day's sessions to an upstream (host:port as
// configured) ended with a cause. A session counts once it has ended.
func (s *Store) Seen(upstream, cause string) (inspect.Recurrence, error) {
	if s == nil {
		return inspect.Recurrence{}, nil
	}
	s.seen.mu.Lock()
	defer s.seen.mu.Unlock()
	from := hourOf(s.now().Add(-seenWindow))
	of, first := s.seen.since(tallyKey{upstream, ""}, from)
	if of == 0 {
		return inspect.Recurrence{}, nil
	}
	seen, _ := s.seen.since(tallyKey{upstream, cause}, from)
	return inspect.Recurrence{Seen: seen, Of: of, Since: time.Unix(first*3600, 0).UTC()}, nil
}

// write stores what has been counted since the last time.
func (c *tally) write(tx *sql.Tx) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k, n := range c.unsent {
		_, err := tx.Exec(`INSERT INTO tally (upstream, cause, hour, n) VALUES (?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET n = n + excluded.n`, k.upstream, k.cause, k.hour, n)
		if err != nil {
			return err
		}
	}
	return nil
}

// written says that the transaction of write stands.
func (c *tally) written() {
	c.mu.Lock()
	clear(c.unsent)
	c.mu.Unlock()
}
