package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"smtp-proxy/proxy/session"
)

// TestBuckets looks at both ends of every bucket.
func TestBuckets(t *testing.T) {
	for i := range waitBuckets - 1 {
		first, next := bucketStart(i), bucketStart(i+1)
		if got := bucketOf(first); got != i {
			t.Errorf("%s is in bucket %d, want %d", first, got, i)
		}
		if got := bucketOf(next - 1); got != i {
			t.Errorf("%s is in bucket %d, want %d", next-1, got, i)
		}
		if width := next - first; i >= exactBuckets && width*perOctave > first {
			t.Errorf("bucket %d from %s on is %s wide, want an eighth at most", i, first, width)
		}
	}
	if got := bucketOf(1 << 62); got != waitBuckets-1 {
		t.Errorf("a century is in bucket %d, want the last", got)
	}
	if top := bucketStart(waitBuckets - 1); top < time.Hour {
		t.Errorf("the last bucket begins at %s, want an hour or more", top)
	}
}

// FuzzPercentiles holds percentiles against those of the sorted times.
func FuzzPercentiles(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8})
	f.Add(bytes.Repeat([]byte{0, 9, 200}, 100))
	f.Add(binary.LittleEndian.AppendUint64(nil, uint64(5*time.Minute)))
	f.Fuzz(func(t *testing.T, b []byte) {
		var times []time.Duration
		h := new(histograms)
		for ; len(b) >= 5; b = b[5:] {
			took := time.Duration(binary.LittleEndian.Uint32(b)) << (b[4] % 11) // up to an hour and more
			times = append(times, took)
			h.add(verbRCPT, took)
		}
		if len(times) == 0 {
			return
		}
		slices.Sort(times)
		for _, share := range []float64{.01, .5, .95, .99, 1} {
			exact := times[int(math.Ceil(share*float64(len(times))))-1]
			i := bucketOf(exact)
			if got := h[verbRCPT].percentile(share); got < bucketStart(i) || got > bucketStart(i+1) {
				t.Errorf("%g of %s is %s, want what is in a bucket with %s, %s to %s", share, times, got, exact, bucketStart(i), bucketStart(i+1))
			}
		}
	})
}

// FuzzHistograms reads anything, and what it reads is what it writes again.
func FuzzHistograms(f *testing.F) {
	h := new(histograms)
	h.add(verbConnect, time.Millisecond)
	h.add(verbDot, 3*time.Second)
	h.add(verbDot, 3*time.Second)
	f.Add(h.append(nil))
	f.Add([]byte{verbs, 1, 0, 1})
	f.Add([]byte{0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		first, again := new(histograms), new(histograms)
		if first.read(b) != nil {
			return
		}
		if err := again.read(first.append(nil)); err != nil || *again != *first {
			t.Errorf("%x is read as %v, and that again as %v (%v)", b, first, again, err)
		}
	})
}

// TestWaited says what an entry shows of the upstream's speed.
func TestWaited(t *testing.T) {
	reply := func(verb string, code int) session.Entry {
		return session.Entry{Leg: session.Upstream, From: session.FromUpstream, Kind: session.KindReply, Verb: verb, Code: code, Wait: time.Second}
	}
	last := reply("BDAT", 250)
	last.Phase = session.PhaseDot
	for _, test := range []struct {
		e    session.Entry
		want string // none: it shows nothing
	}{
		{reply("HELO", 250), "EHLO"}, {reply("AUTH", 334), "none"}, {reply("AUTH", 535), "AUTH"}, {reply(".", 250), "."},
		{reply("BDAT", 250), "BDAT"}, {last, "."}, {reply("NOOP", 250), "none"},
		{session.Entry{Kind: session.KindGreeting, Wait: time.Second}, ""},
		{session.Entry{Kind: session.KindOpen, Dial: &session.Dial{Duration: time.Second}}, "connect"},
		{session.Entry{Kind: session.KindTLS, TLS: &session.TLS{Duration: time.Second}}, "tls"},
		{session.Entry{Kind: session.KindTLS, TLS: &session.TLS{Duration: time.Second}, Fault: &session.Fault{}}, "none"},
		{session.Entry{Kind: session.KindOpen}, "none"}, {session.Entry{Kind: session.KindClose}, "none"},
	} {
		verb, took := waited(&test.e)
		got := "none"
		if verb < verbs {
			got = verbNames()[verb]
		}
		if got != test.want || took != time.Second && got != "none" {
			t.Errorf("%s %s %d: %q after %s, want %q after 1s", test.e.Kind, test.e.Verb, test.e.Code, got, took, test.want)
		}
	}
}

// TestWaitsKept counts waits over several keepers, upstreams and hours, and
// finds all of them in each width of slots.
func TestWaitsKept(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	dir, now := newDir(t), start.Add(time.Hour)
	want := map[string]int{}
	for range 3 {
		s := openStore(t, dir, Options{Now: func() time.Time { return now }})
		var batches [][]session.Record
		for range 20 {
			list := delivered(fmt.Sprintf("01J%016X", r.Uint64()), start.Add(time.Duration(r.Int64N(int64(time.Hour)))), "a@b", "c@d", "text\r\n")
			upstream := []string{"a.example:25", "b.example:25"}[r.IntN(2)]
			list[0].Session.Upstream = upstream
			want[upstream]++
			want[""]++
			batches = append(batches, list)
		}
		feed(t, s, quiet(), batches...)
		s.Close()
	}
	s := openStore(t, dir, Options{ReadOnly: true, Now: func() time.Time { return now }})
	for _, columns := range []int{240, 24, 4, 1} { // of minutes, ten minutes, hours, more
		for upstream, n := range want {
			since := start.Truncate(6 * time.Hour)
			o, err := s.Overview(t.Context(), OverviewQuery{Since: since, Until: since.Add(6 * time.Hour), Columns: columns, Upstream: upstream})
			if err != nil {
				t.Fatal(err)
			}
			var verbs []string
			for _, w := range o.Waits {
				verbs = append(verbs, w.Verb)
				if w.N != n || w.P50 > w.P95 || w.P95 > w.P99 {
					t.Errorf("%d columns, %q: %+v, want %d of them", columns, upstream, w, n)
				}
			}
			if names := []string{"connect", "EHLO", "MAIL", "RCPT", "DATA", ".", "QUIT"}; !slices.Equal(verbs, names) {
				t.Errorf("%d columns, %q: waits of %q, want %q", columns, upstream, verbs, names)
			}
		}
	}
}

// TestWaitsOfABurst finds the waits of a burst on record though nothing comes
// behind it.
func TestWaitsOfABurst(t *testing.T) {
	dir := newDir(t)
	synctest.Test(t, func(t *testing.T) {
		s := openStore(t, dir, Options{})
		defer s.Close()
		q, done := make(queue), make(chan error, 1)
		go func() { done <- hasty(s, quiet()).Run(context.Background(), q) }()
		for range 3 { // more at a time than what is written at once
			var batch []session.Record
			for i := range 10 {
				batch = append(batch, delivered(fmt.Sprintf("01J%d%d", time.Now().Nanosecond(), i), time.Now(), "a@b", "c@d", "text\r\n")...)
			}
			q <- batch
			<-time.After(100 * time.Millisecond)
		}
		<-time.After(2 * waitsEvery)
		synctest.Wait()
		o, err := s.Overview(t.Context(), OverviewQuery{Since: time.Now().Add(-time.Hour), Until: time.Now()})
		if err != nil || len(o.Waits) == 0 || o.Waits[0].N != 30 {
			t.Errorf("waits %+v, %v; want those of 30 sessions", o.Waits, err)
		}
		close(q)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
