package store

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"runtime"
	"testing"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// TestLargeMessage records and reads a message of 64 MB in constant memory.
func TestLargeMessage(t *testing.T) {
	const parts, size = 64, 1 << 20
	s := openStore(t, newDir(t), Options{})
	q := make(queue)
	done := make(chan error, 1)
	go func() { done <- NewKeeper(s, quiet()).Run(context.Background(), q) }()
	long := newScript("01L", start).hello().say("MAIL", "MAIL FROM:<a@b>", "250 ok").say("RCPT", "RCPT TO:<c@d>", "250 ok").say("DATA", "DATA", "354 go")
	q <- long.cut()
	part, want := noise(size), sha256.New()
	before := heap()
	var most uint64
	for range parts {
		q <- long.body(part).cut()
		io.WriteString(want, part)
		most = max(most, heap())
	}
	q <- long.add(session.Entry{Kind: session.KindData, Verb: ".", Bytes: parts * size}).reply(".", "250 ok").close()
	close(q)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if grown := int64(most) - int64(before); grown > 24<<20 {
		t.Errorf("recording took %d MB of memory", grown>>20)
	}
	r, err := s.Body(context.Background(), "01L", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got := sha256.New()
	if n, err := io.Copy(got, r); err != nil || n != parts*size || string(got.Sum(nil)) != string(want.Sum(nil)) {
		t.Errorf("read %d octets, %v; want the %d that were recorded", n, err, parts*size)
	}
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestManyRecipients refuses 20,000 recipients in one session: the summary
// stays small, the history is whole.
func TestManyRecipients(t *testing.T) {
	const n, atOnce = 20_000, 500
	s := openStore(t, newDir(t), Options{})
	long := newScript("01R", start).hello().say("MAIL", "MAIL FROM:<a@b>", "250 ok")
	var list [][]session.Record
	for i := range n {
		long.say("RCPT", fmt.Sprintf("RCPT TO:<user%d@example.net>", i), "550 5.1.1 no such user")
		if i%atOnce == 0 {
			list = append(list, long.cut())
		}
	}
	feed(t, s, quiet(), append(list, long.close())...)
	v, err := s.Session(context.Background(), "latest-failed")
	if err != nil {
		t.Fatal(err)
	}
	m := v.Messages[0]
	if len(v.Events) != long.seq || m.Refused != n || len(m.To)+m.Omitted != n || v.Outcome != inspect.Rejected {
		t.Errorf("%d events, %d refused, %d listed, %d omitted, %s; want %d events and %d refused", len(v.Events), m.Refused, len(m.To), m.Omitted, v.Outcome, long.seq, n)
	}
	if got := ids(t, s, "to:nobody@example.net", 0); len(got) != 0 {
		t.Errorf("to:nobody selects %q", got)
	}
	if got := ids(t, s, "to:user7@example.net", 0); len(got) != 1 {
		t.Errorf("to:user7 selects %q", got)
	}
}
