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

// refusals are the minutes in which an upstream refused for the rate, and the
// causes.
type refusals struct {
	minutes map[int64]bool
	causes  map[string]bool
}

// throttled looks at the upstreams that refuse for the rate.
func (v *survey) throttled(ctx context.Context) error {
	minutes := steps()[0]
	for i := range v.Upstreams {
		u := &v.Upstreams[i]
		span := tallySpan{minutes.seconds, u.Name, max(v.span.since, minutes.horizon(v.now)), v.span.until}
		refused, err := span.refusals(ctx, v.tx)
		if err != nil {
			return err
		}
		if len(refused.minutes) == 0 {
			continue
		}
		sessions := map[int64]int{}
		if err := span.each(ctx, v.tx, tallyOutcome, func(at int64, _ string, n int) { sessions[at] += n }); err != nil {
			return err
		}
		u.Throttled = compare(sessions, refused.minutes)
		u.Throttled.Since = time.Unix(span.since, 0).In(v.Since.Location())
		if u.Throttled.AtOnce, err = v.atOnce(ctx, u.Name, refused.causes); err != nil {
			return err
		}
	}
	return nil
}

func (s tallySpan) refusals(ctx context.Context, tx *sql.Tx) (refusals, error) {
	r := refusals{map[int64]bool{}, map[string]bool{}}
	err := s.each(ctx, tx, tallyCause, func(at int64, name string, n int) {
		if strings.HasPrefix(name, "rate.") && n > 0 {
			r.minutes[at], r.causes[name] = true, true
		}
	})
	return r, err
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
func (v *survey) atOnce(ctx context.Context, upstream string, causes map[string]bool) (all int, err error) {
	key := int64(0)
	for cause := range causes {
		var latest int64
		err = v.tx.QueryRowContext(ctx, `SELECT session FROM findings WHERE cause = ? AND session < ?
			AND (SELECT upstream FROM sessions WHERE key = session) = ? ORDER BY session DESC LIMIT 1`, cause, v.span.until*keysPerSecond, upstream).Scan(&latest)
		if gone(err) != nil {
			return 0, err
		}
		key = max(key, latest)
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
