package store

import (
	"context"

	"smtp-proxy/inspect"
)

// Revise gives a session that has ended other findings: those of a probe, say,
// that took longer. Followers see it once more. It may be called from any
// goroutine while Run is at work; without a store it does nothing.
func (k *Keeper) Revise(ctx context.Context, id string, findings []inspect.Finding) error {
	k.writing.Lock()
	defer k.writing.Unlock()
	if k.write == nil {
		return nil
	}
	at, err := k.store.find(ctx, id)
	if err != nil {
		return err
	}
	r, err := k.store.read()
	if err != nil || r == nil {
		return err
	}
	v, err := loadSummary(ctx, r.db, k.store.packer, at.key)
	if err != nil {
		return explainOpen(k.store.path, err)
	}
	v.Judge(findings)
	s := &kept{id: v.ID, key: at.key, row: true, ended: true, reported: true, settled: v, touched: []int64{at.block}}
	return explainOpen(k.store.path, k.write.all([]*kept{s}, k.now()))
}
