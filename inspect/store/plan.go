package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"smtp-proxy/inspect"
)

// schemaOfWords is the first in which words are posted.
const schemaOfWords = 4

// source finds the shortest way to the rows that a filter selects.
func (l *look) source(ctx context.Context, f inspect.Filter, schema int) (source, error) {
	first, last := l.span(f)
	from, end := last+1, first-1
	if !l.order.descending() {
		from, end = end, from
	}
	if l.order.later(from, l.order.from) {
		l.order.from = from
	}
	var words []word
	for _, t := range f.Terms() {
		words = append(words, wordsOf(t)...)
	}
	if schema < schemaOfWords || len(words) == 0 {
		return l.scan(l.order.from, end), nil
	}
	hours, err := l.hours(ctx, end)
	if err != nil || len(hours) == 0 {
		return l.scan(l.order.from, end), err
	}
	w, err := l.rarest(ctx, words, hours)
	if err != nil {
		return nil, err
	}
	has, err := l.hoursWith(ctx, w, hours)
	return l.walk(w, has), err
}

// span returns the first and the last key that since and before leave.
func (l *look) span(f inspect.Filter) (first, last int64) {
	first, last = 0, newestFirst.from-1
	for _, t := range f.Terms() {
		switch at := t.Moment(time.Time{}); {
		case t.Not:
		case t.Key == "since":
			first = max(first, keyAt(at))
		case t.Key == "before":
			last = min(last, keyAt(at.Add(time.Microsecond))-1)
		}
	}
	return first, last
}

// hours lists the hours with words between the beginning and an end, in order.
func (l *look) hours(ctx context.Context, end int64) ([]int64, error) {
	const keys = keysPerSecond * secondsPerHour
	first, last := max(end, 0)/keys, l.order.from/keys
	if !l.order.descending() {
		first, last = max(l.order.from, 0)/keys, end/keys
	}
	return numbersOf(ctx, l.db, `WITH RECURSIVE hours (hour) AS (
		SELECT max(hour) FROM words WHERE hour <= ?2
		UNION ALL
		SELECT (SELECT max(hour) FROM words WHERE hour < hours.hour) FROM hours WHERE hours.hour > ?1
	) SELECT hour FROM hours WHERE hour >= ?1 ORDER BY hour `+l.order.sort, first, last)
}

// countedPostings is how many postings of a word are counted to compare it with
// others.
const countedPostings = 1000

// rarest returns the word that leads to the fewest seconds.
func (l *look) rarest(ctx context.Context, words []word, hours []int64) (best word, err error) {
	least := int64(-1)
	for _, w := range words {
		if len(words) == 1 {
			return w, nil
		}
		n, err := l.frequency(ctx, w, hours)
		if err != nil {
			return best, err
		}
		if least < 0 || n < least {
			best, least = w, n
		}
	}
	return best, nil
}

// frequency estimates for how many seconds a word was posted.
func (l *look) frequency(ctx context.Context, w word, hours []int64) (int64, error) {
	text, err := json.Marshal(hours)
	if err != nil {
		return 0, err
	}
	var n, upTo int64
	err = l.db.QueryRowContext(ctx, `SELECT count(*), coalesce(max(number), 0) FROM (SELECT d.key AS number
		FROM json_each(?1) d CROSS JOIN words w ON w.hour = d.value AND w.word = ?2 LIMIT ?3)`, string(text), w.hash, countedPostings).Scan(&n, &upTo)
	if n == countedPostings {
		n = n * int64(len(hours)) / (upTo + 1)
	}
	return n * w.width(), err
}

// hoursWith leaves those of the hours on which a word may be found.
func (l *look) hoursWith(ctx context.Context, w word, hours []int64) (list []wordHour, err error) {
	text, err := json.Marshal(hours)
	if err != nil {
		return nil, err
	}
	rows, err := l.db.QueryContext(ctx, `SELECT d.value, EXISTS (SELECT 1 FROM words WHERE hour = d.value AND word = 0 AND second = -1)
		FROM json_each(?1) d WHERE EXISTS (SELECT 1 FROM words WHERE hour = d.value AND word = ?2) OR EXISTS (SELECT 1 FROM words WHERE hour = d.value AND word = 0)
		ORDER BY d.key`, string(text), w.hash)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var d wordHour
		if err := rows.Scan(&d.hour, &d.whole); err != nil {
			return nil, err
		}
		list = append(list, d)
	}
	return list, rows.Err()
}

func numbersOf(ctx context.Context, db *sql.DB, query string, args ...any) (list []int64, err error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	return list, rows.Err()
}
