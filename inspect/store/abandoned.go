package store

import (
	"context"
	"errors"
	"time"

	"smtp-proxy/inspect"
)

// closeAbandoned ends the sessions that a killed process left open. The lock
// on the directory makes sure that no other process has them.
func (k *Keeper) closeAbandoned(ctx context.Context) {
	const atOnce = 50
	closed := 0
	defer func() {
		if closed > 0 {
			k.opt.Log.Warn().Int("sessions", closed).Msg("the proxy was killed the last time: the sessions that were open then are closed as aborted")
		}
	}()
	for ctx.Err() == nil && k.Healthy() == nil {
		list, err := k.abandoned(ctx, atOnce)
		if err != nil {
			k.opt.Log.Error().Err(err).Msg("sessions that were left open cannot be closed")
			return
		}
		if len(list) == 0 {
			return
		}
		k.dirty = append(k.dirty, list...)
		k.flush()
		closed += len(list)
	}
}

func (k *Keeper) abandoned(ctx context.Context, limit int) ([]*kept, error) {
	keys, err := openKeys(ctx, k.store, limit)
	if err != nil {
		return nil, err
	}
	var list []*kept
	for _, key := range keys {
		s, err := k.store.load(ctx, key)
		if err != nil && !errors.Is(err, errCoding) || s == nil {
			return nil, err
		}
		list = append(list, revive(s, key))
	}
	return list, nil
}

func openKeys(ctx context.Context, s *Store, limit int) (keys []int64, err error) {
	rows, err := s.writer.QueryContext(ctx, `SELECT key FROM sessions WHERE ended = 0 ORDER BY key LIMIT ?`, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var key int64
		if err := rows.Scan(&key); err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, rows.Err()
}

// revive makes the state of a session that is read back, ended at the last
// moment it is known to have lived.
func revive(s *inspect.Session, key int64) *kept {
	r := &kept{id: s.ID, key: key, upstream: s.Upstream.Name, asm: inspect.Resume(s), row: true, dirty: true, provider: s.Upstream.Provider}
	r.died(lastMoment(s), "the proxy died here: it was killed, or the machine stopped")
	return r
}

func lastMoment(s *inspect.Session) time.Time {
	at := s.Started
	for i := range s.Events {
		if s.Events[i].At.After(at) {
			at = s.Events[i].At
		}
	}
	return at
}
