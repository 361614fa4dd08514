package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"

	"smtp-proxy/inspect"
)

// survey is an overview that is being made.
type survey struct {
	Overview
	tx    *sql.Tx
	span  tallySpan
	width int64 // of a column, in seconds
	one   string
	now   time.Time
}

// column returns the index of the column that a moment is in.
func (v *survey) column(at int64) int { return int((at - v.span.since) / v.width) }

func (v *survey) outcomes(ctx context.Context) error {
	err := v.span.each(ctx, v.tx, tallyOutcome, func(at int64, name string, n int) {
		v.Columns[v.column(at)].Outcomes[inspect.Outcome(name)] += n
	})
	for i := range v.Columns {
		clean(v.Columns[i].Outcomes)
	}
	return err
}

// clean removes what there is none of any more.
func clean(counts map[inspect.Outcome]int) {
	for outcome, n := range counts {
		if n <= 0 {
			delete(counts, outcome)
		}
	}
}

// open counts the sessions that have not ended.
func (v *survey) open(ctx context.Context) error {
	rows, err := v.tx.QueryContext(ctx, `SELECT key / ? FROM sessions WHERE ended = 0 AND key >= ? AND key < ? AND (? = '' OR upstream = ?)`,
		keysPerSecond, v.span.since*keysPerSecond, v.span.until*keysPerSecond, v.one, v.one)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var at int64
		if err := rows.Scan(&at); err != nil {
			return err
		}
		v.Columns[v.column(at)].Outcomes[inspect.Open]++
	}
	return rows.Err()
}

func (v *survey) causes(ctx context.Context) error {
	trends := map[string]*CauseTrend{}
	err := v.span.each(ctx, v.tx, tallyCause, func(at int64, name string, n int) {
		t := trends[name]
		if t == nil {
			t = &CauseTrend{Cause: name, Counts: make([]int, len(v.Columns))}
			trends[name] = t
		}
		t.N += n
		t.Counts[v.column(at)] += n
	})
	if err != nil {
		return err
	}
	earlier := v.span
	earlier.since, earlier.until = 2*v.span.since-v.span.until, v.span.since
	before, err := earlier.sums(ctx, v.tx, tallyCause)
	if err != nil {
		return err
	}
	for name, t := range trends {
		t.Before = before[name]
		if t.N > 0 {
			v.Causes = append(v.Causes, *t)
		}
	}
	slices.SortFunc(v.Causes, func(a, b CauseTrend) int { return cmp.Or(b.N-a.N, cmp.Compare(a.Cause, b.Cause)) })
	return nil
}

func (v *survey) codes(ctx context.Context) error {
	counts, err := v.span.sums(ctx, v.tx, tallyCode)
	for _, c := range ranked(counts) {
		v.Codes = append(v.Codes, CodeCount{c.Cause, c.N})
	}
	return err
}

func (v *survey) waits(ctx context.Context) error {
	all, err := v.span.waits(ctx, v.tx)
	if err != nil {
		return err
	}
	for verb, name := range verbNames() {
		h := &all[verb]
		if n := h.count(); n > 0 {
			v.Waits = append(v.Waits, Wait{name, n, h.percentile(.5), h.percentile(.95), h.percentile(.99)})
		}
	}
	return nil
}
