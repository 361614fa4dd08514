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
	postingsAtOnce   = 512
	firstSeconds     = 8 // of which the rows are read
	maxSeconds       = 256
	longRead         = 10 * time.Millisecond // between looks at the clock
	lastSecondOfHour = secondsPerHour - 1
)

// walk looks at the rows of the seconds that have one of some words.
type walk struct {
	*look
	words   []word
	width   int64      // in seconds, of what is looked at for a posting
	hours   []wordHour // still to go, in order
	page    *postingsPage
	seconds []int64 // since 1970, of the page, still to go
	some    int     // how many of them are taken next
	hour    *scan   // one that is looked at whole
	last    int64
}

// wordHour is an hour on which a word may be found.
type wordHour struct {
	hour  int64
	whole bool // it was recorded before words were
}

func (l *look) walk(words []word, hours []wordHour) *walk {
	return &walk{look: l, words: words, width: widthOf(words), hours: hours, some: firstSeconds, last: l.order.from}
}

func (w *walk) reached() int64 { return w.last }

func (w *walk) next(ctx context.Context) ([]row, error) {
	switch {
	case w.hour != nil:
		return w.scanHour(ctx)
	case len(w.seconds) > 0:
		return w.someSeconds(ctx)
	case w.page != nil:
		return nil, w.turn(ctx)
	case len(w.hours) == 0:
		return nil, io.EOF
	}
	next := w.hours[0]
	w.hours = w.hours[1:]
	from, end := w.bounds(next.hour)
	w.last = from
	if next.whole {
		w.hour = w.scan(from, end)
	} else {
		w.page = w.newPage(next.hour)
	}
	return nil, nil
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

// turn reads the next postings of an hour.
func (w *walk) turn(ctx context.Context) (err error) {
	w.seconds, err = w.page.next(ctx)
	if len(w.seconds) == 0 {
		w.page = nil
	}
	return err
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

// postingsPage goes through the seconds of an hour that have one of the words, or
// may have.
type postingsPage struct {
	*walk
	hour int64
	from int64 // the second to begin with
	done bool
}

func (w *walk) newPage(hour int64) *postingsPage {
	p := &postingsPage{walk: w, hour: hour}
	at := w.last / keysPerSecond
	if w.order.descending() {
		p.from = min(lastSecondOfHour, at-hour*secondsPerHour)
	} else {
		p.from = max(0, at-hour*secondsPerHour)
		p.from -= p.from % w.width
	}
	return p
}

// next returns some of the seconds, in order, each once.
func (p *postingsPage) next(ctx context.Context) ([]int64, error) {
	if p.done {
		return nil, nil
	}
	p.done = true
	var parts [][]int64
	for _, w := range slices.Concat(p.words, []word{anyWord}) {
		part, err := p.read(ctx, w)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	list := p.cut(parts)
	for i := range list {
		list[i] -= list[i] % p.width
	}
	slices.Sort(list)
	list = slices.Compact(list)
	if p.order.descending() {
		slices.Reverse(list)
	}
	if len(list) > 0 {
		p.from = list[len(list)-1] - 1
		if !p.order.descending() {
			p.from += 1 + p.width
		}
	}
	for i := range list {
		list[i] += p.hour * secondsPerHour
	}
	return list, nil
}

// cut joins lists, without what comes behind the end of one that goes on.
func (p *postingsPage) cut(parts [][]int64) []int64 {
	list := slices.Concat(parts...)
	for _, part := range parts {
		if len(part) < postingsAtOnce {
			continue
		}
		p.done = false
		end := part[len(part)-1]
		list = slices.DeleteFunc(list, func(second int64) bool { return p.order.later(second, end) })
	}
	return list
}

func (p *postingsPage) read(ctx context.Context, w word) (list []int64, err error) {
	compare := ">="
	if p.order.descending() {
		compare = "<="
	}
	rows, err := p.db.QueryContext(ctx, fmt.Sprintf(`SELECT second FROM words WHERE hour = ? AND word = ? AND second >= 0 AND second %s ?
		ORDER BY second %s LIMIT %d`, compare, p.order.sort, postingsAtOnce), p.hour, w.hash, p.from)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var second int64
		if err := rows.Scan(&second); err != nil {
			return nil, err
		}
		list = append(list, second)
	}
	return list, rows.Err()
}
