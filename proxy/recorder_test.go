package proxy

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"smtp-proxy/proxy/session"
)

func entries(info *session.Info, n int) []session.Record {
	all := make([]session.Record, n)
	for i := range all {
		all[i] = session.Record{Session: info, Entry: &session.Entry{Seq: i + 1}}
	}
	return all
}

func TestRecorderHandsOverInBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, info := NewRecorder(), &session.Info{ID: "1"}
		ctx := context.Background()
		r.add(entries(info, 1))
		if batch, err := r.Next(ctx); len(batch) != 1 || err != nil {
			t.Fatalf("got %d records, %v; want the first at once", len(batch), err)
		}
		began := time.Now()
		r.add(entries(info, 2))
		r.add(entries(info, 3))
		batch, err := r.Next(ctx)
		if len(batch) != 5 || err != nil || time.Since(began) != batchEvery {
			t.Errorf("got %d records after %s, %v; want 5 after %s", len(batch), time.Since(began), err, batchEvery)
		}
		r.add(entries(info, 1))
		r.Close()
		if batch, err := r.Next(ctx); len(batch) != 1 || err != nil {
			t.Errorf("got %d records, %v; want what was left at the end", len(batch), err)
		}
		if _, err := r.Next(ctx); !errors.Is(err, io.EOF) {
			t.Errorf("got %v, want io.EOF", err)
		}
	})
}

// TestRecorderIsBounded checks that a keeper who does not come costs entries,
// never memory, and that the end of a session is not among them.
func TestRecorderIsBounded(t *testing.T) {
	r, info := NewRecorder(), &session.Info{ID: "1"}
	if n := r.add(entries(info, maxRecords+10)); n != maxRecords {
		t.Errorf("took %d entries, want %d", n, maxRecords)
	}
	if n := r.add([]session.Record{{Session: info, Closed: true}}); n != 1 {
		t.Error("the end of a session was dropped")
	}
	piece := bytes.Repeat([]byte("x"), 32<<10)
	r = NewRecorder()
	taken := 0
	for range 10_000 {
		taken += r.add([]session.Record{{Session: info, Body: piece}})
	}
	if want := maxBodyBlocks * blockSize / len(piece); taken != want {
		t.Errorf("took %d pieces of a body, want %d", taken, want)
	}
	batch, err := r.Next(context.Background())
	if err != nil || len(batch) != taken || !bytes.Equal(batch[taken-1].Body, piece) {
		t.Errorf("got %d records, %v; want %d", len(batch), err, taken)
	}
	r.giveBack()
	if n := r.add([]session.Record{{Session: info, Body: piece}}); n != 1 {
		t.Error("the memory of a batch was not given back")
	}
}

// TestLossIsCounted checks that what the recorder drops is told with what it
// takes next, entries and octets of the message apart.
func TestLossIsCounted(t *testing.T) {
	rec, info := NewRecorder(), &session.Info{ID: "1"}
	rec.add(entries(info, maxRecords))
	r := &relay{server: &Server{options: Options{Recorder: rec}}, info: info}
	r.history = append(entries(info, 3), session.Record{Session: info, Body: make([]byte, 100)})
	r.handOver()
	if _, err := rec.Next(context.Background()); err != nil {
		t.Fatal(err)
	}
	r.history = []session.Record{{Session: info, Body: []byte("x")}, {Session: info, Entry: &session.Entry{Seq: 4}}}
	r.handOver()
	rec.Close()
	batch, err := rec.Next(context.Background())
	if err != nil || len(batch) != 2 || batch[0].Dropped != 100 || batch[1].Dropped != 3 {
		t.Errorf("got %+v, %v; want 100 octets and 3 entries owned up to", batch, err)
	}
	if r.lost != 0 || r.lostBody != 0 {
		t.Errorf("%d entries and %d octets still to be told", r.lost, r.lostBody)
	}
}

// BenchmarkRecorder measures the hand-over of one short session against the
// least that could be done with its entries: appending them to a slice.
func BenchmarkRecorder(b *testing.B) {
	info := &session.Info{ID: "1"}
	records := append(entries(info, 14), session.Record{Session: info, Body: make([]byte, 1024)})
	b.Run("add", func(b *testing.B) {
		r := NewRecorder()
		stop := make(chan struct{})
		go func() {
			defer close(stop)
			for {
				if _, err := r.Next(context.Background()); err != nil {
					return
				}
			}
		}()
		for b.Loop() {
			r.add(records)
		}
		r.Close()
		<-stop
	})
	b.Run("append", func(b *testing.B) {
		var kept []session.Record
		for b.Loop() {
			if len(kept) > maxRecords {
				kept = kept[:0]
			}
			kept = append(kept, records...)
		}
	})
}
