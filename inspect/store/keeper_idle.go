package store

import (
	"context"

	"smtp-proxy/proxy/session"
)

// idle waits for records when there is nothing to write. What has been counted
// of a burst that is over is written meanwhile: nothing else would have it
// written before the next session.
func (k *Keeper) idle(ctx context.Context, from Source) ([]session.Record, error) {
	if !k.counting() {
		return from.Next(ctx)
	}
	short, cancel := context.WithTimeout(ctx, waitsEvery)
	defer cancel()
	records, err := from.Next(short)
	if err != nil && short.Err() != nil && ctx.Err() == nil {
		k.settle()
		return records, nil
	}
	return records, err
}

// counting reports whether there are counts that are not written.
func (k *Keeper) counting() bool {
	k.writing.Lock()
	defer k.writing.Unlock()
	return k.write != nil && len(k.write.counts.waits.slots) > 0 && k.Healthy() == nil
}

func (k *Keeper) settle() {
	k.writing.Lock()
	defer k.writing.Unlock()
	k.write.counts.settle(k.store)
}
