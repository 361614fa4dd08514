package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"smtp-proxy/inspect"
)

// Throttled is how much was asked of an upstream when it refused for the rate
// (causes rate.*), and when it did not. It is of the last six hours of the span,
// as long as minutes are on record.
type Throttled struct {
	Since   time.Time // the minutes from then on
	Minutes int       // in which sessions began that it refused so
	Then    float64   // sessions that began in a minute of these, on average
	Else    float64   // the same of the other minutes in which any began
	Most    int       // sessions that began in one of the others at most
	AtOnce  int       // sessions that were open when the latest of the refused began, that one included
}

// throttled looks at the upstreams that refuse for the rate.
func (v *survey) throttled(ctx context.Context) error {
	minutes := steps()[0]
	for i := range v.Upstreams {
		u := &v.Upstreams[i]
		span := tallySpan{minutes.seconds, u.Name, max(v.span.since, minutes.horizon(v.now)), v.span.until}
		sessions, refused := map[int64]int{}, map[int64]bool{}
		err := span.each(ctx, v.tx, tallyCause, func(at int64, name string, n int) {
			if strings.HasPrefix(name, "rate.") && n > 0 {
				refused[at] = true
			}
		})
		if err != nil {
			return err
		}
		if len(refused) == 0 {
			continue
		}
		if err := span.each(ctx, v.tx, tallyOutcome, func(at int64, _ string, n int) { sessions[at] += n }); err != nil {
			return err
		}
		u.Throttled = compare(sessions, refused)
		u.Throttled.Since = time.Unix(span.since, 0).In(v.Since.Location())
		if u.Throttled.AtOnce, err = v.atOnce(ctx, u.Name); err != nil {
			return err
		}
	}
	return nil
}

// compare tells minutes with refusals from those without.
func compare(sessions map[int64]int, refused map[int64]bool) *Throttled {
	t := &Throttled{Minutes: len(refused)}
	others := 0
	for at, n := range sessions {
		if refused[at] {
			t.Then += float64(n)
		} else if n > 0 {
			t.Else += float64(n)
			t.Most = max(t.Most, n)
			others++
		}
	}
	t.Then /= float64(max(t.Minutes, 1))
	t.Else /= float64(max(others, 1))
	return t
}

// openAtMost is how long before a refusal a session may have begun that still
// counts as open at the same time, and how many are looked at.
const (
	openAtMost = 10 * time.Minute
	openLooked = 2000
)

// atOnce counts the sessions to an upstream that were open when the latest that
// it refused for the rate began.
func (v *survey) atOnce(ctx context.Context, upstream string) (all int, err error) {
	var key int64
	err = v.tx.QueryRowContext(ctx, `SELECT session FROM findings JOIN sessions ON key = session
		WHERE cause >= 'rate.' AND cause < 'rate/' AND upstream = ? AND session < ? ORDER BY session DESC LIMIT 1`,
		upstream, v.span.until*keysPerSecond).Scan(&key)
	if err != nil {
		return 0, gone(err)
	}
	began := key / keysPerMicro * int64(time.Microsecond)
	for _, outcome := range append(ended[:], inspect.Open) {
		n := 0
		err := v.tx.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT ended FROM sessions WHERE upstream = ? AND outcome = ? AND key > ? AND key <= ? ORDER BY key DESC LIMIT ?)
			WHERE ended = 0 OR ended > ?`, upstream, outcome, key-openAtMost.Microseconds()*keysPerMicro, key, openLooked, began).Scan(&n)
		if err != nil {
			return 0, err
		}
		all += n
	}
	return all, nil
}

// gone makes of what is not there no error.
func gone(err error) error {
	if errors.Is(err, sql.ErrNoRows) || errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}
