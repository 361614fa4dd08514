package store

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"smtp-proxy/inspect"
)

// takeOff takes sessions that are about to be removed off the counts. some is
// a query for their keys.
func takeOff(ctx context.Context, tx *sql.Tx, some string, args ...any) error {
	causes, err := causesOf(ctx, tx, some, args)
	if err != nil {
		return err
	}
	rows, err := tx.QueryContext(ctx, `SELECT key, upstream, outcome, coalesce(codes, '') FROM sessions WHERE key IN (`+some+`)`, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	counts := newTallies()
	for rows.Next() {
		var key int64
		var codes string
		v := inspect.Session{Ended: time.Unix(1, 0)} // only those that have ended are removed
		if err := rows.Scan(&key, &v.Upstream.Name, &v.Outcome, &codes); err != nil {
			return err
		}
		if codes != "" {
			v.Codes = strings.Split(codes, "\n")
		}
		v.Findings = causes[key]
		counts.session(key, &v, -1)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	stmt, err := tx.PrepareContext(ctx, tallyQuery)
	if err != nil {
		return err
	}
	defer stmt.Close()
	return counts.write(ctx, stmt)
}

// causesOf returns what was found in sessions, by their keys.
func causesOf(ctx context.Context, tx *sql.Tx, some string, args []any) (map[int64][]inspect.Finding, error) {
	rows, err := tx.QueryContext(ctx, `SELECT session, cause FROM findings WHERE session IN (`+some+`) AND rank < 32 ORDER BY session, rank`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	causes := map[int64][]inspect.Finding{}
	for rows.Next() {
		var key int64
		var f inspect.Finding
		if err := rows.Scan(&key, &f.Cause); err != nil {
			return nil, err
		}
		causes[key] = append(causes[key], f)
	}
	return causes, rows.Err()
}
