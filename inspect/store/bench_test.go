package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// batches makes sessions of a message of 1 KB, a hundred to a batch.
func batches(n int) (list [][]session.Record, wire int64) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := 0; i < n; {
		var batch []session.Record
		for ; i < n && len(batch) < 100*17; i++ {
			id := fmt.Sprintf("01J%023d", i)
			records := delivered(id, start.Add(time.Duration(i)*time.Millisecond), fmt.Sprintf("app%d@example.com", i%7), fmt.Sprintf("user%d@example.net", r.IntN(1e6)), text(r, 1024))
			batch = append(batch, records...)
			wire += wireOf(records)
		}
		list = append(list, batch)
	}
	return list, wire
}

// text is a message of words, about as compressible as mail.
func text(r *rand.Rand, size int) string {
	words := []string{"invoice", "order", "your", "the", "please", "account", "http://example.com/", "shipping", "thank", "you", "\r\n"}
	b := bytes.NewBufferString(fmt.Sprintf("Subject: message %d\r\nMessage-ID: <%x@example.com>\r\n\r\n", r.IntN(1e6), r.Uint64()))
	for b.Len() < size {
		fmt.Fprintf(b, "%s %x ", words[r.IntN(len(words))], r.IntN(1<<20))
	}
	return b.String()
}

func wireOf(records []session.Record) (n int64) {
	for _, rec := range records {
		if rec.Entry != nil && rec.Entry.Kind != session.KindData {
			n += rec.Entry.Bytes
		}
		n += int64(len(rec.Body))
	}
	return n
}

// BenchmarkKeeper records sessions of 1 KB in batches of a hundred; compare
// with BenchmarkAppend, which writes their bytes to a file and nothing else.
func BenchmarkKeeper(b *testing.B) {
	list, wire := batches(b.N)
	dir := newDir(b)
	s := openStore(b, dir, Options{})
	b.ReportAllocs()
	b.ResetTimer()
	feed(b, s, KeeperOptions{}, list...)
	b.StopTimer()
	s.Close()
	info, err := os.Stat(filepath.Join(dir, file))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(info.Size())/float64(wire), "disk/wire")
}

func BenchmarkAppend(b *testing.B) {
	list, _ := batches(b.N)
	f, err := os.Create(filepath.Join(b.TempDir(), "log"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	b.ResetTimer()
	for _, batch := range list {
		var buf []byte
		for _, r := range batch {
			if r.Entry != nil {
				buf = append(buf, r.Entry.Text...)
			}
			buf = append(buf, r.Body...)
		}
		if _, err := f.Write(buf); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkList reads 10,000 sessions, as the commands do.
func BenchmarkList(b *testing.B) {
	list, _ := batches(10_000)
	s := openStore(b, newDir(b), Options{})
	feed(b, s, KeeperOptions{}, list...)
	for _, filter := range []string{"", "to:user123@example.net", "outcome:failed"} {
		f, err := inspect.ParseFilter(filter)
		if err != nil {
			b.Fatal(err)
		}
		b.Run("filter="+filter, func(b *testing.B) {
			for b.Loop() {
				if err := s.Sessions(context.Background(), f, 0, func(*inspect.Session) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSummary writes a session as JSON, the dearest part of a row.
func BenchmarkSummary(b *testing.B) {
	info := &session.Info{ID: "01J", Started: start, Upstream: "smtp.example.com:587"}
	a := inspect.NewAssembler(info)
	for _, r := range delivered("01J", start, "a@b", "c@d", "Subject: x\r\n\r\n") {
		if r.Entry != nil {
			a.Add(r.Entry)
		}
	}
	v := a.Session()
	v.Events = nil
	b.ReportAllocs()
	for b.Loop() {
		if _, err := json.Marshal(v); err != nil {
			b.Fatal(err)
		}
	}
}
