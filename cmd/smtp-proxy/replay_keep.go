package main

import (
	"context"
	"fmt"

	"smtp-proxy/proxy"
)

// keep records the comparison, without message octets: the original has them.
func (x *replayer) keep(ctx context.Context, s *played) error {
	if x.r.unkept || s.now == nil {
		return nil
	}
	for i := range s.now.Messages {
		s.now.Messages[i].Captured = string(proxy.CaptureNone)
	}
	x.keeping.Lock()
	defer x.keeping.Unlock()
	guest, err := x.record()
	if err == nil {
		// What was interrupted is worth its record, too.
		err = guest.Import(context.WithoutCancel(ctx), s.now, nil)
	}
	if err != nil {
		return fmt.Errorf("the comparison is not recorded (--no-record does without): %w", err)
	}
	s.kept = true
	return nil
}
