package store

import (
	"fmt"
	"time"

	"smtp-proxy/inspect"
)

// flush annotates and writes what the batch has changed.
func (k *Keeper) flush() {
	if len(k.dirty) == 0 {
		return
	}
	now := k.now()
	for _, s := range k.dirty {
		k.judge(s, now)
	}
	written := k.store == nil || k.commit(now)
	waiting := k.dirty[:0]
	for _, s := range k.dirty {
		s.release()
		if s.ended {
			k.report(s)
		}
		if !written {
			waiting = append(waiting, s)
		} else {
			s.dirty = false
			k.spare.takeBack(s)
			k.leave(s)
		}
	}
	k.opt.Reported()
	clear(k.events[:cap(k.events)])
	clear(k.dirty[len(waiting):])
	k.dirty = k.forget(waiting)
}

// leave lets a session that is open wait in less memory. The memory of one that
// has ended goes to the next that begins.
func (k *Keeper) leave(s *kept) {
	if s.ended {
		k.retired.put(s)
	} else {
		s.asm.Rest()
	}
}

// judge has a session annotated when it has ended, and while it fails.
func (k *Keeper) judge(s *kept, now time.Time) {
	switch {
	case s.reported:
		return
	case !s.ended && (!s.failing || now.Sub(s.judged) < judgeAgain):
		return
	}
	s.failing, s.judged = false, now
	v := s.summary()
	k.events = s.asm.AppendEvents(k.events[:0])
	v.Events = k.events
	s.findings = k.annotate(v)
	s.provider = v.Upstream.Provider
	if s.ended {
		v.Judge(s.findings)
		v.Events, s.settled = nil, v
	}
}

// annotate keeps a mistake of the diagnosis from ending the record.
func (k *Keeper) annotate(v *inspect.Session) (findings []inspect.Finding) {
	defer func() {
		if p := recover(); p != nil {
			k.opt.Log.Error().Str("session", v.ID).Interface("panic", p).Msg("the diagnosis of a session panicked: please report this")
			findings = nil
		}
	}()
	return k.opt.Annotate(v)
}

// report tells of a session that has ended, once.
func (k *Keeper) report(s *kept) {
	if s.reported {
		return
	}
	s.reported = true
	v := s.summary()
	s.settled = nil // it belongs to the one who hears of it
	if k.opt.Keeps(v) {
		v.Events = s.asm.AppendEvents(nil)
	} else {
		k.events = s.asm.AppendEvents(k.events[:0])
		v.Events = k.events
	}
	k.opt.Ended(v)
}

// commit writes the batch and reports whether that was possible.
func (k *Keeper) commit(now time.Time) bool {
	if k.Healthy() != nil && now.Before(k.retryAt) {
		k.lose()
		return false
	}
	for _, s := range k.dirty {
		s.found(now)
	}
	k.writing.Lock()
	err := k.write.all(k.dirty, now)
	k.writing.Unlock()
	if err != nil {
		k.failed(err, now)
		k.lose()
		return false
	}
	k.recovered()
	return true
}

func (k *Keeper) lose() {
	for _, s := range k.dirty {
		s.lose()
	}
}

func (k *Keeper) failed(err error, now time.Time) {
	k.retryAt = now.Add(retryAfter)
	k.mu.Lock()
	first := k.trouble == nil
	k.trouble = fmt.Errorf("the record cannot be written to %s: %w", k.store.path, err)
	k.mu.Unlock()
	if first {
		k.opt.Log.Error().Err(err).Str("database", k.store.path).
			Msg("the record cannot be written: mail goes on, entries are lost until it can be")
	}
}

func (k *Keeper) recovered() {
	k.mu.Lock()
	was := k.trouble
	k.trouble = nil
	k.mu.Unlock()
	if was == nil {
		return
	}
	k.opt.Log.Warn().Int("sessions_lost", k.lost).Msg("the record can be written again; the sessions concerned have a note of the gap")
	k.lost = 0
}

// forget bounds what waits for the disk: the oldest sessions that have ended
// are given up, and counted.
func (k *Keeper) forget(waiting []*kept) []*kept {
	ended := 0
	for _, s := range waiting {
		if s.ended {
			ended++
		}
	}
	if ended <= maxUnwritten {
		return waiting
	}
	out := waiting[:0]
	for _, s := range waiting {
		if s.ended && ended > maxUnwritten {
			ended--
			k.lost++
			continue
		}
		out = append(out, s)
	}
	clear(waiting[len(out):])
	return out
}

// due reports whether a summary is to be written now. A large one that goes on
// growing is written now and then; octets of a message alone change nothing in
// it.
func (s *kept) due(now time.Time) bool {
	switch {
	case s.ended || !s.row:
		return true
	case len(s.entries) == 0:
		return false
	}
	return s.summarySize < largeSummary || now.Sub(s.summarised) >= rewriteLarge
}
