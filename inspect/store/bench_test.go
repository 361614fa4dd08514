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

// batches makes sessions of a message of 1 KB, a hundred to a batch; those of a
// benchmark have a handshake with a chain of two certificates each.
func batches(n int, handshake *session.TLS) (list [][]session.Record, wire int64) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := 0; i < n; {
		var batch []session.Record
		for ; i < n && len(batch) < 100*17; i++ {
			id := fmt.Sprintf("01J%023d", i)
			records := delivered(id, start.Add(time.Duration(i)*time.Millisecond), fmt.Sprintf("app%d@example.com", i%7), fmt.Sprintf("user%d@example.net", r.IntN(1e6)), text(r, 1024))
			if handshake != nil {
				records = append(records, shake(records, handshake))
			}
			batch = append(batch, records...)
			wire += wireOf(records)
		}
		list = append(list, batch)
	}
	return list, wire
}

// chain is what a handshake with a provider shows.
func chain() *session.TLS {
	cert := session.Certificate{
		Subject: "CN=smtp.example.com", Issuer: "CN=WR2,O=Google Trust Services,C=US", NotBefore: start, NotAfter: start.AddDate(0, 3, 0),
		Names: []string{"smtp.example.com", "mail.example.com"}, Key: "ECDSA P-256", Signature: "SHA256-RSA", Serial: "00:11:22:33:44:55:66:77",
		AIA: []string{"http://i.pki.example/wr2.crt"},
	}
	return &session.TLS{
		Version: "TLS 1.3", Cipher: "TLS_AES_128_GCM_SHA256", Group: "X25519MLKEM768", ServerName: "smtp.example.com",
		Verified: true, Chain: []session.Certificate{cert, cert}, Duration: 12 * time.Millisecond,
	}
}

// shake is the entry of a handshake, in front of the last record.
func shake(records []session.Record, handshake *session.TLS) session.Record {
	own, last := *handshake, len(records)-1
	own.Duration += time.Duration(records[0].Session.Started.Nanosecond())
	e := session.Entry{Seq: last, At: records[last].At, Leg: session.Upstream, Kind: session.KindTLS, Phase: session.PhaseTLS, TLS: &own}
	end := records[last]
	records[last] = session.Record{Session: records[0].Session, Entry: &e}
	return end
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

// BenchmarkKeeper records sessions of 1 KB in batches of a hundred, each to
// another recipient; compare with BenchmarkAppend, which writes their bytes to
// a file and nothing else.
func BenchmarkKeeper(b *testing.B) {
	list, wire := batches(b.N, chain())
	benchmarkKeeper(b, list, wire)
}

// BenchmarkKeeperFew does the same with few recipients.
func BenchmarkKeeperFew(b *testing.B) {
	list, wire := batches(b.N, chain())
	n := 0
	for _, batch := range list {
		for i := range batch {
			if e := batch[i].Entry; e != nil && e.Kind == session.KindCommand && e.Verb == "RCPT" {
				n++
				e.Text = fmt.Sprintf("RCPT TO:<user%d@example.net>", n%5)
			}
		}
	}
	benchmarkKeeper(b, list, wire)
}

func benchmarkKeeper(b *testing.B, list [][]session.Record, wire int64) {
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
	list, _ := batches(b.N, chain())
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
	list, _ := batches(10_000, chain())
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
