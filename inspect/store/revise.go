package store

import (
	"context"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// Revise adds entries to a session that has ended, the answers of probes that
// took longer, and gives it the findings that follow from them. Followers see
// it once more. It may be called from any goroutine, while Run is at work and
// when it has ended; without a store it does nothing. The entries' Seq goes on
// behind those on record.
func (k *Keeper) Revise(ctx context.Context, id string, entries []session.Entry, findings []inspect.Finding) error {
	k.writing.Lock()
	defer k.writing.Unlock()
	if k.store == nil {
		return nil
	}
	at, v, err := k.summary(ctx, id)
	if err != nil || v == nil {
		return err
	}
	was := *v
	s := &kept{id: v.ID, key: at.key, upstream: v.Upstream.Name, was: &was, row: true, ended: true, reported: true, settled: v, touched: []int64{at.block}}
	for i := range entries {
		v.Answer(&entries[i])
		s.entries = append(s.entries, &entries[i])
	}
	v.Judge(findings)
	return explainOpen(k.store.path, k.rewrite(s))
}

// summary reads what is on record of a session, without its events.
func (k *Keeper) summary(ctx context.Context, id string) (place, *inspect.Session, error) {
	at, err := k.store.find(ctx, id)
	if err != nil {
		return at, nil, err
	}
	r, err := k.store.read()
	if err != nil || r == nil {
		return at, nil, err
	}
	v, err := loadSummary(ctx, r.db, k.store.packer, at.key)
	return at, v, explainOpen(k.store.path, err)
}

// rewrite writes one session, with statements of its own when Run has taken
// its back.
func (k *Keeper) rewrite(s *kept) error {
	w := k.write
	if w == nil {
		var err error
		if w, err = newBatch(k.store); err != nil {
			return err
		}
		defer w.close()
	}
	return w.all([]*kept{s}, k.now())
}
