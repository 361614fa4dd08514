package store

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"smtp-proxy/proxy/session"
)

// BenchmarkIdle opens 10,000 sessions that wait for their first message, of
// seven entries each, and tells what the keeper holds of one of them.
func BenchmarkIdle(b *testing.B) {
	const n = 10_000
	for b.Loop() {
		q, done := make(queue), make(chan error, 1)
		s := openStore(b, newDir(b), Options{})
		before := memory()
		go func() { done <- NewKeeper(s, quiet()).Run(context.Background(), q) }()
		for i := 0; i < n; i += 100 {
			q <- idle(i, 100)
		}
		q <- nil
		q <- nil
		b.ReportMetric(float64(memory()-before)/n, "B/session")
		close(q)
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
}

func memory() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// idle is the beginning of some sessions.
func idle(from, n int) (all []session.Record) {
	for i := range n {
		s := newScript(fmt.Sprintf("01J%023d", from+i), start.Add(time.Duration(from+i)*time.Millisecond))
		s.add(session.Entry{Kind: session.KindOpen, Phase: session.PhaseConnect, Text: fmt.Sprintf("connected from 127.0.0.1:%d", 20000+i)})
		s.hello()
		s.say("NOOP", "NOOP", "250 2.0.0 ok")
		all = append(all, s.cut()...)
	}
	return all
}
