package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"

	"smtp-proxy/inspect"
)

// mostUpstreams is how many upstreams an overview tells apart.
const mostUpstreams = 20

// upstreams tells the upstreams apart: those with the most sessions on record.
func (v *survey) upstreams(ctx context.Context) error {
	names, err := v.names(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		u, err := v.upstream(ctx, name)
		if err != nil {
			return err
		}
		v.Upstreams = append(v.Upstreams, u)
	}
	slices.SortStableFunc(v.Upstreams, func(a, b Upstream) int { return b.Sessions - a.Sessions })
	if v.one != "" {
		return nil
	}
	if v.Others, err = v.upstream(ctx, ""); err != nil {
		return err
	}
	for i := range v.Upstreams {
		v.Others.Sessions -= v.Upstreams[i].Sessions
		for outcome, n := range v.Upstreams[i].Outcomes {
			v.Others.Outcomes[outcome] -= n
		}
	}
	clean(v.Others.Outcomes)
	return nil
}

func (v *survey) names(ctx context.Context) ([]string, error) {
	if v.one != "" {
		return []string{v.one}, nil
	}
	return strs(ctx, v.tx, `SELECT upstream FROM tallies WHERE step IN (1, ?) AND upstream <> '' AND kind = 'outcome'
		GROUP BY upstream HAVING sum(n) > 0 ORDER BY sum(n) DESC, upstream LIMIT ?`, stepAll, mostUpstreams)
}

// upstream counts the sessions to one upstream, or to all.
func (v *survey) upstream(ctx context.Context, name string) (Upstream, error) {
	u := Upstream{Name: name, Outcomes: map[inspect.Outcome]int{}}
	outcomes, err := v.span.of(name).sums(ctx, v.tx, tallyOutcome)
	for outcome, n := range outcomes {
		u.Outcomes[inspect.Outcome(outcome)] = n
		u.Sessions += n
	}
	return u, err
}

func strs(ctx context.Context, tx *sql.Tx, query string, args ...any) (list []string, err error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, rows.Err()
}

// lastSeen adds the latest sessions to each upstream, the good and the bad.
func (s *Store) lastSeen(ctx context.Context, list []Upstream) error {
	r, err := s.read()
	if err != nil || r == nil || len(list) == 0 {
		return err
	}
	found := summaries{db: r.db, packer: s.packer}
	flawed, err := lastFlawed(ctx, r.db)
	if err != nil {
		return explainOpen(s.path, err)
	}
	for i := range list {
		u := &list[i]
		good, err := placesTo(ctx, r.db, u.Name, worked[:], 0, 1)
		if err != nil {
			return explainOpen(s.path, err)
		}
		bad, err := lastFailed(ctx, r.db, u.Name)
		if err != nil {
			return explainOpen(s.path, err)
		}
		bad = append(bad, flawed[u.Name])
		slices.SortFunc(bad, func(a, b place) int { return cmp.Compare(b.key, a.key) })
		if u.LastGood, err = found.latest(ctx, good); err != nil {
			return explainOpen(s.path, err)
		}
		if u.LastFailed, err = found.latest(ctx, bad); err != nil {
			return explainOpen(s.path, err)
		}
		u.describe()
	}
	return nil
}

// latest reads the first session of a list; nil when there is none.
func (c *summaries) latest(ctx context.Context, list []place) (*inspect.Session, error) {
	if len(list) == 0 || list[0].key == 0 {
		return nil, nil
	}
	v, err := c.session(ctx, list[0].block, list[0].key)
	return v, gone(err)
}

// describe says what the latest sessions show of the upstream.
func (u *Upstream) describe() {
	if v := u.LastGood; v != nil {
		u.Provider = v.Upstream.Provider
		if t := v.Upstream.TLS; t != nil && len(t.Chain) > 0 {
			u.Certificate = t.Chain[0].NotAfter
		}
	}
	if v := u.LastFailed; v != nil {
		u.Provider = cmp.Or(u.Provider, v.Upstream.Provider)
		if len(v.Findings) > 0 {
			u.Changed = v.Findings[0].Changed
		}
	}
}

// failures are the outcomes that come with a finding, as a rule.
var failures = [...]inspect.Outcome{inspect.Partial, inspect.Rejected, inspect.Failed, inspect.Aborted}

// lastFailed finds the latest sessions to an upstream in which something was
// found, one for each of these outcomes.
func lastFailed(ctx context.Context, db *sql.DB, upstream string) (list []place, err error) {
	for _, outcome := range failures {
		found, err := placesOf(ctx, db, `SELECT key, block FROM (SELECT key, block FROM sessions WHERE upstream = ? AND outcome = ? ORDER BY key DESC LIMIT ?)
			WHERE EXISTS (SELECT 1 FROM findings WHERE session = key) ORDER BY key DESC LIMIT 1`, upstream, outcome, searched)
		if err != nil {
			return nil, err
		}
		list = append(list, found...)
	}
	return list, nil
}

// lastFlawed finds the latest sessions to each upstream in which something was
// found though they went well. There is no index: the latest that went wrong in
// any way are searched.
func lastFlawed(ctx context.Context, db *sql.DB) (map[string]place, error) {
	rows, err := db.QueryContext(ctx, `SELECT upstream, max(key), block FROM (SELECT key, block, upstream, outcome FROM sessions WHERE failed = 1 ORDER BY key DESC LIMIT ?)
		WHERE outcome IN (?, ?) AND EXISTS (SELECT 1 FROM findings WHERE session = key) GROUP BY upstream`, searched, inspect.Delivered, inspect.NoMail)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	list := map[string]place{}
	for rows.Next() {
		var upstream string
		var at place
		if err := rows.Scan(&upstream, &at.key, &at.block); err != nil {
			return nil, err
		}
		list[upstream] = at
	}
	return list, rows.Err()
}
