package store

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"
)

// How much is looked up at once of where a word is.
const (
	firstSeconds = 8 // of which the rows are read
	maxSeconds   = 256
	maxHours     = 64                    // of which the postings are read; an hour has 3600 of a word at most
	longRead     = 20 * time.Millisecond // between looks at the clock
)

// walk looks at the rows of the seconds that have one of some words.
type walk struct {
	*look
	words   []word
	width   int64      // in seconds, of what is looked at for a posting
	hours   []wordHour // still to go, in order
	many    int        // how many of them are taken next
	seconds []int64    // since 1970, of the hours taken, still to go
	some    int        // how many of them are taken next
	hour    *scan      // one that is looked at whole
	last    int64
}

// wordHour is an hour on which a word may be found.
type wordHour struct {
	hour  int64
	whole bool // it was recorded before words were
}

func (l *look) walk(words []word, hours []wordHour) *walk {
	return &walk{look: l, words: words, width: widthOf(words), hours: hours, many: 1, some: firstSeconds, last: l.order.from}
}

func (w *walk) reached() int64 { return w.last }

func (w *walk) next(ctx context.Context) ([]row, error) {
	switch {
	case w.hour != nil:
		return w.scanHour(ctx)
	case len(w.seconds) > 0:
		return w.someSeconds(ctx)
	case len(w.hours) == 0:
		return nil, io.EOF
	case w.hours[0].whole:
		w.hour = w.scan(w.bounds(w.hours[0].hour))
		w.hours = w.hours[1:]
		return nil, nil
	}
	return nil, w.turn(ctx)
}

// bounds returns where an hour begins and ends in the order of the list, as far
// as it has not been looked at.
func (w *walk) bounds(hour int64) (from, end int64) {
	const keys = keysPerSecond * secondsPerHour
	from, end = (hour+1)*keys, hour*keys-1
	if !w.order.descending() {
		from, end = end, from
	}
	if w.order.later(w.last, from) {
		from = w.last
	}
	return from, end
}

func (w *walk) scanHour(ctx context.Context) ([]row, error) {
	list, err := w.hour.next(ctx)
	if err == io.EOF {
		w.hour = nil
		return nil, nil
	}
	w.last = w.hour.last
	return list, err
}

// turn reads the postings of the next hours: of more while they are few.
func (w *walk) turn(ctx context.Context) (err error) {
	var hours []int64
	for len(w.hours) > 0 && !w.hours[0].whole && len(hours) < w.many {
		hours = append(hours, w.hours[0].hour)
		w.hours = w.hours[1:]
	}
	w.last, _ = w.bounds(hours[0])
	if w.seconds, err = w.postings(ctx, hours); len(w.seconds) < maxSeconds {
		w.many = min(2*w.many, maxHours)
	}
	return err
}

// postings returns the seconds of some hours that are to be looked at, in order.
func (w *walk) postings(ctx context.Context, hours []int64) ([]int64, error) {
	text, err := json.Marshal(hours)
	if err != nil {
		return nil, err
	}
	list, err := numbersOf(ctx, w.db, fmt.Sprintf(`SELECT DISTINCT h.value * %d + second - second %% %d AS at
		FROM json_each(?) h CROSS JOIN words WHERE hour = h.value AND word IN (%s) AND second >= 0 ORDER BY at %s`,
		secondsPerHour, w.width, hashesOf(w.words), w.order.sort), string(text))
	return slices.DeleteFunc(list, func(at int64) bool { // what lies in front of where the list begins
		from, to := at*keysPerSecond, (at+w.width)*keysPerSecond-1
		return !w.order.later(from, w.last) && !w.order.later(to, w.last)
	}), err
}

// someSeconds reads the rows of the next seconds.
func (w *walk) someSeconds(ctx context.Context) ([]row, error) {
	began := time.Now()
	n := min(w.some, len(w.seconds))
	taken := w.seconds[:n]
	w.seconds = w.seconds[n:]
	text, err := json.Marshal(taken)
	if err != nil {
		return nil, err
	}
	query := fmt.Sprintf(`SELECT `+w.columns+` FROM (SELECT value AS second FROM json_each(?)) CROSS JOIN sessions
		WHERE key >= second * %d AND key < (second + %d) * %[1]d AND key %[3]s ? AND %[4]s`,
		keysPerSecond, w.width, w.order.behind, w.where.sql)
	list, err := rowsOf(ctx, w.db, query, append([]any{string(text), w.last}, w.where.args...)...)
	slices.SortFunc(list, func(a, b row) int {
		if w.order.later(a.key, b.key) {
			return 1
		}
		return -1
	})
	w.last = taken[n-1] * keysPerSecond
	if !w.order.descending() {
		w.last += w.width*keysPerSecond - 1
	}
	w.pace(time.Since(began))
	return list, err
}

// pace takes more seconds at once while they have few sessions.
func (w *walk) pace(took time.Duration) {
	if took > longRead {
		w.some = max(1, w.some/2)
	} else {
		w.some = min(2*w.some, maxSeconds)
	}
}
