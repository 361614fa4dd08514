package proxy

import (
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"smtp-proxy/proxy/session"
)

// record numbers an entry and keeps it for the recorder. The lock is held.
func (r *relay) record(e *session.Entry) {
	r.seq++
	e.Seq = r.seq
	r.witness(e)
	if e.TLS != nil && len(e.TLS.Sent) > 0 {
		r.unjudged = e
	}
	r.remember(e)
	r.history = append(r.history, session.Record{Session: r.info, Entry: e})
}

// recordNow records an entry that does not come from the machine.
func (r *relay) recordNow(e session.Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.record(&e)
	r.handOver()
}

// handOver gives the history to the recorder. What that cannot take is counted,
// and the count goes with the next record that it takes.
func (r *relay) handOver() {
	if r.finished {
		r.history = nil // the end of the session has been told
	}
	if len(r.history) == 0 || r.judging {
		return
	}
	for rest := r.history; len(rest) > 0; {
		n := r.offer(rest)
		if rest = rest[n:]; len(rest) > 0 {
			r.lose(&rest[0])
			rest = rest[1:]
		}
	}
	clear(r.history)
	r.history = r.history[:0]
}

// offer returns how many records the recorder has taken, with the news of those
// that were lost before them.
func (r *relay) offer(records []session.Record) (taken int) {
	if r.lost == 0 && r.lostBody == 0 {
		return r.server.options.Recorder.add(records)
	}
	entry, body := r.ownUp(records)
	taken = r.server.options.Recorder.add(records)
	if entry < taken {
		r.lost = 0
	}
	if body < taken {
		r.lostBody = 0
	}
	return taken
}

// ownUp writes what was lost on the first record of its kind, and returns where
// those stand; beyond the end where there is none.
func (r *relay) ownUp(records []session.Record) (entry, body int) {
	entry = slices.IndexFunc(records, func(rec session.Record) bool { return rec.Body == nil })
	body = slices.IndexFunc(records, func(rec session.Record) bool { return rec.Body != nil })
	if entry < 0 {
		entry = len(records)
	} else {
		records[entry].Dropped = r.lost
	}
	if body < 0 {
		body = len(records)
	} else {
		records[body].Dropped = r.lostBody
	}
	return entry, body
}

func (r *relay) lose(rec *session.Record) {
	if rec.Body != nil {
		r.lostBody += len(rec.Body)
	} else {
		r.lost++
	}
}

// arm sets the session's clock to the machine's deadline.
func (r *relay) arm() { r.ringBy(r.m.Deadline()) }

// ringBy has the session's clock ring at a time or before it. A time that moves
// away is followed when the old one comes, so that most changes cost nothing.
func (r *relay) ringBy(d time.Time) {
	if d.IsZero() || !r.armed.IsZero() && !d.Before(r.armed) {
		return
	}
	r.armed = d
	wait := time.Until(d)
	if r.timer == nil {
		r.timer = time.AfterFunc(wait, r.timeUp)
	} else {
		r.timer.Reset(wait)
	}
}

// timeUp is expire where a bug ends this session alone.
func (r *relay) timeUp() { r.contain(r.expire) }

// expire runs when the clock does.
func (r *relay) expire() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.armed = time.Time{}
	if r.carrier != nil && r.carrier.impatient() {
		return
	}
	r.account()
	if l := r.stuck(); l != nil {
		r.breakOff(l, &session.Fault{Op: "write", Class: session.FaultTimeout,
			Text: fmt.Sprintf("took nothing for %s", r.route.silence().Round(time.Second))})
		l.giveUp()
	} else if effects := r.m.Elapsed(time.Now()); len(effects) > 0 {
		r.apply(effects)
	} else { // nothing is due: whoever is at a handshake must not be disturbed
		r.arm()
		return
	}
	r.annotate()
	r.wake()
	r.arm()
}

// stuck returns the leg whose peer has not taken a write for as long as a
// whole turn may last. The silence is then that peer's, not the other's.
func (r *relay) stuck() *leg {
	for i := range r.legs {
		l := &r.legs[i]
		since := r.clogged(l)
		if l.writing {
			since = l.since
		}
		if !since.IsZero() && time.Since(since) >= r.route.silence() {
			return l
		}
	}
	return nil
}

// stop asks the session to end as soon as its message allows.
func (r *relay) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.account()
	r.apply(r.m.Stop(time.Now()))
	r.annotate()
	r.wake()
}

// abort ends the session now.
func (r *relay) abort(odd session.Oddity, why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.account()
	r.apply(r.m.Abort(time.Now(), odd, why))
	r.annotate()
	r.wake()
}

// cutOff ends a session whose machine is of no use any more.
func (r *relay) cutOff() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cancel()
	r.closeConns()
	if r.carrier != nil {
		r.carrier.bury()
	}
}

// panicked ends a session that ran into a bug of ours. The stack goes to the
// log, where a bug report can take it from; it holds no message and no secret.
func (r *relay) panicked(p any) {
	r.server.options.Log.Error().Str("session", r.info.ID).Interface("panic", p).Bytes("stack", debug.Stack()).
		Msg("a bug in smtp-proxy ended this session; please report it")
	defer func() {
		if recover() != nil { // the machine itself is at fault: cut both legs
			r.cutOff()
		}
	}()
	r.abort(session.OddPanic, "an internal error ended the session")
}
