package capture

import (
	"math"
	"strconv"
	"time"

	"smtp-proxy/inspect"
)

// exact is what the shared shape of a session rounds. It refines that shape
// and never contradicts it: what does not agree is left aside, so that a
// capture edited by hand says what its reader sees.
type exact struct {
	Started int64   `json:"started_ns"` // nanoseconds beyond the milliseconds of started
	Ended   int64   `json:"ended_ns"`
	At      []int64 `json:"at_ns,omitempty"`   // of each event, since the session's start
	Wait    []int64 `json:"wait_ns,omitempty"` // of each event
	TLS     []int64 `json:"tls_ns,omitempty"`  // of each event; left out when no handshake took any time

	// Octets are the texts that are not UTF-8, by their places in the line
	// (JSON pointers, RFC 6901).
	Octets map[string][]byte `json:"octets,omitempty"`
}

func exactOf(s *inspect.Session) exact {
	x := exact{Started: beyond(s.Started), Octets: octetsOf(s)}
	if !s.Ended.IsZero() {
		x.Ended = beyond(s.Ended)
	}
	shakes := false
	for i := range s.Events {
		e := &s.Events[i]
		var took time.Duration
		if e.TLS != nil {
			took = e.TLS.Duration
		}
		shakes = shakes || took != 0
		x.At = append(x.At, int64(e.At.Sub(s.Started)))
		x.Wait = append(x.Wait, int64(e.Wait))
		x.TLS = append(x.TLS, int64(took))
	}
	if !shakes {
		x.TLS = nil
	}
	return x
}

// beyond returns the nanoseconds of a moment that its milliseconds lack.
func beyond(t time.Time) int64 { return int64(t.Nanosecond()) % int64(time.Millisecond) }

// refine gives a session that was read what its shape has rounded.
func (x *exact) refine(s *inspect.Session) {
	rounded := s.Started
	s.Started = sharper(s.Started, x.Started)
	if !s.Ended.IsZero() {
		s.Ended = sharper(s.Ended, x.Ended)
	}
	for i := range s.Events {
		e := &s.Events[i]
		e.At = s.Started.Add(refined(x.At, i, e.At.Sub(rounded)))
		e.Wait = refined(x.Wait, i, e.Wait)
		if e.TLS != nil {
			e.TLS.Duration = refined(x.TLS, i, e.TLS.Duration)
		}
	}
	if len(x.Octets) > 0 {
		restore(s, x.Octets)
	}
}

func sharper(t time.Time, ns int64) time.Time {
	if ns < 0 || ns >= int64(time.Millisecond) {
		return t
	}
	return t.Truncate(time.Millisecond).Add(time.Duration(ns))
}

// refined returns the exact value of an event if it is shown as the value at
// hand.
func refined(list []int64, i int, shown time.Duration) time.Duration {
	if i < len(list) && tenth(time.Duration(list[i])) == tenth(shown) {
		return time.Duration(list[i])
	}
	return shown
}

// tenth is how the shape shows a length of time.
func tenth(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	if math.Abs(ms) < 0.05 {
		return "0" // without a sign
	}
	return strconv.FormatFloat(ms, 'f', 1, 64)
}
