package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"strconv"
	"strings"
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
	if schema < schemaOfWords {
		return l.scan(l.order.from, end), nil
	}
	choices, err := l.choices(ctx, f)
	if err != nil || len(choices) == 0 {
		return l.scan(l.order.from, end), err
	}
	hours, err := l.hours(ctx, end)
	if err != nil {
		return nil, err
	}
	words, err := l.rarest(ctx, choices, hours)
	if err != nil {
		return nil, err
	}
	has, err := l.hoursWith(ctx, words, hours)
	return l.walk(words, has), err
}

// choices are sets of words: of each, every session that the filter selects has
// one word.
func (l *look) choices(ctx context.Context, f inspect.Filter) (list [][]word, err error) {
	for _, t := range f.Terms() {
		list = append(list, wordsOf(t)...)
		if t.Key == "cause" && !t.Not && wordsOf(t) == nil {
			words, err := l.causesLike(ctx, t)
			if err != nil {
				return nil, err
			}
			if len(words) <= maxChoice {
				list = append(list, words)
			}
		}
	}
	return list, nil
}

// maxChoice is how many words of a set are worth looking up.
const maxChoice = 16

// causesLike returns the words of the causes on record that a pattern means,
// each cause found from the one before it.
func (l *look) causesLike(ctx context.Context, t inspect.Term) (words []word, err error) {
	rows, err := l.db.QueryContext(ctx, `WITH RECURSIVE causes (cause) AS (
		SELECT min(cause) FROM findings
		UNION ALL
		SELECT (SELECT min(cause) FROM findings WHERE cause > causes.cause) FROM causes WHERE cause IS NOT NULL
	) SELECT cause FROM causes WHERE cause IS NOT NULL`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var cause string
		if err := rows.Scan(&cause); err != nil {
			return nil, err
		}
		if t.Is(cause) {
			words = append(words, wordOf(kindCause, strings.ToLower(cause)))
		}
	}
	return words, rows.Err()
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

// rarest returns those words that lead to the fewest seconds, without those
// that no session has.
func (l *look) rarest(ctx context.Context, choices [][]word, hours []int64) (best []word, err error) {
	if len(choices) == 1 && len(choices[0]) == 1 {
		return choices[0], nil
	}
	least := int64(-1)
	for _, words := range choices {
		var posted []word
		var sum int64
		for _, w := range words {
			n, err := l.frequency(ctx, w, hours)
			if err != nil {
				return nil, err
			}
			if sum += n; n > 0 {
				posted = append(posted, w)
			}
		}
		if least < 0 || sum < least {
			best, least = posted, sum
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
	err = l.db.QueryRowContext(ctx, `SELECT count(*), coalesce(max(number), 0) FROM (SELECT h.key AS number
		FROM json_each(?1) h CROSS JOIN words w ON w.hour = h.value AND w.word = ?2 LIMIT ?3)`, string(text), w.hash, countedPostings).Scan(&n, &upTo)
	if n == countedPostings {
		n = n * int64(len(hours)) / (upTo + 1)
	}
	return n * w.width(), err
}

// hoursWith leaves those of the hours in which one of some words may be found.
func (l *look) hoursWith(ctx context.Context, words []word, hours []int64) (list []wordHour, err error) {
	text, err := json.Marshal(hours)
	if err != nil {
		return nil, err
	}
	rows, err := l.db.QueryContext(ctx, `SELECT h.value, EXISTS (SELECT 1 FROM words WHERE hour = h.value AND word = 0 AND second = -1)
		FROM json_each(?) h WHERE EXISTS (SELECT 1 FROM words WHERE hour = h.value AND word IN (`+hashesOf(words)+`)) ORDER BY h.key`, string(text))
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

// hashesOf lists words, and the word that may be any, for SQL.
func hashesOf(words []word) string {
	list := strconv.Itoa(int(anyWord.hash))
	for _, w := range words {
		list += ", " + strconv.Itoa(int(w.hash))
	}
	return list
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
