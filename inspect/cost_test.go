package inspect_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/inspect/rules"
	"smtp-proxy/inspect/store"
	"smtp-proxy/proxy/session"
)

// What a record costs from the recorder's queue to the disk: assembled,
// diagnosed, stored. Beside it stands what writing the same octets to a file
// costs, and nothing else.

var epoch = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// batches is a source of records, a hundred milliseconds' worth at a time.
type batches [][]session.Record

func (b *batches) Next(context.Context) ([]session.Record, error) {
	if len(*b) == 0 {
		return nil, io.EOF
	}
	next := (*b)[0]
	*b = (*b)[1:]
	return next, nil
}

// talk is one session as the proxy records it.
type talk struct {
	info *session.Info
	seq  int
	at   time.Time
	list []session.Record
}

func newTalk(n int) *talk {
	at := epoch.Add(time.Duration(n) * time.Millisecond)
	return &talk{at: at, info: &session.Info{
		ID: fmt.Sprintf("01J%023d", n), Started: at, Route: "default", Mode: "auto",
		AppAddr: fmt.Sprintf("127.0.0.1:%d", 30000+n%30000), Upstream: "127.0.0.1:2525",
	}}
}

func (t *talk) add(e session.Entry) {
	t.seq++
	t.at = t.at.Add(time.Millisecond)
	e.Seq, e.At = t.seq, t.at
	t.list = append(t.list, session.Record{Session: t.info, Entry: &e})
}

// say is a command and the reply to it.
func (t *talk) say(phase session.Phase, text, reply string) {
	verb, _, _ := strings.Cut(text, " ")
	t.add(session.Entry{From: session.FromApp, Kind: session.KindCommand, Phase: phase, Verb: verb, Text: text, Bytes: int64(len(text)) + 2})
	t.reply(phase, verb, reply)
}

func (t *talk) reply(phase session.Phase, verb, text string) {
	e := session.Entry{
		Leg: session.Upstream, From: session.FromUpstream, Kind: session.KindReply, Phase: phase, Verb: verb,
		Text: text, Bytes: int64(len(text)) + 2, Wait: 700 * time.Microsecond,
	}
	fmt.Sscanf(text, "%d", &e.Code)
	if len(text) > 9 && text[5] == '.' {
		e.Enhanced = text[4:9]
	}
	if verb == "" {
		e.Kind = session.KindGreeting
	}
	t.add(e)
}

func (t *talk) open() {
	t.add(session.Entry{From: session.FromApp, Kind: session.KindOpen, Phase: session.PhaseConnect, Text: "connected from " + t.info.AppAddr})
	t.add(session.Entry{
		Leg: session.Upstream, From: session.FromProxy, Kind: session.KindOpen, Phase: session.PhaseConnect,
		Text: "connected to 127.0.0.1:2525 from " + t.info.AppAddr + " in 211µs",
		Dial: &session.Dial{Host: "127.0.0.1", Addr: "127.0.0.1:2525", Family: "ipv4", Local: t.info.AppAddr, Duration: time.Duration(200_000 + t.info.Started.UnixMilli()%9999)},
	})
	t.reply(session.PhaseGreeting, "", "220 sink.test ESMTP bench")
	t.say(session.PhaseHelo, "EHLO app.test", "250-sink.test\n250-PIPELINING\n250-SIZE 1073741824\n250-8BITMIME\n250 ENHANCEDSTATUSCODES")
}

// message is a transaction with a message of 1 KB.
func (t *talk) message(body []byte) {
	t.say(session.PhaseMail, "MAIL FROM:<sender@example.com>", "250 2.1.0 Ok")
	t.say(session.PhaseRcpt, "RCPT TO:<recipient@example.net>", "250 2.1.5 Ok")
	t.say(session.PhaseData, "DATA", "354 End data with <CR><LF>.<CR><LF>")
	t.list = append(t.list, session.Record{Session: t.info, Body: body})
	t.add(session.Entry{From: session.FromApp, Kind: session.KindData, Phase: session.PhaseDot, Verb: ".", Bytes: int64(len(body))})
	t.reply(session.PhaseDot, ".", "250 2.0.0 Ok: queued as 0123456789AB")
}

func (t *talk) close() {
	t.say(session.PhaseQuit, "QUIT", "221 2.0.0 Bye")
	t.add(session.Entry{
		Leg: session.Upstream, From: session.FromUpstream, Kind: session.KindClose, Phase: session.PhaseQuit, Text: "the upstream closed the connection",
		TCP:    &session.TCP{RTT: 147_000, RTTVar: 170_000, MinRTT: 5000, State: "close-wait"},
		Silent: &session.Silent{App: 751_576, Upstream: 7562},
	})
	t.list = append(t.list, session.Record{Session: t.info, Closed: true, At: t.at})
}

// body is a message of 1 KB.
var body = []byte("From: <sender@example.com>\r\nTo: <recipient@example.net>\r\nSubject: bench message\r\nMessage-ID: <bench@example.com>\r\n\r\n" +
	strings.Repeat("0123456789 the quick brown fox jumps over the lazy dog 0123456789 abcdefgh\r\n", 12))

// record has batches assembled, diagnosed and stored as `run` does; without a
// directory they are not stored.
func record(tb testing.TB, dir string, list batches) {
	set, err := rules.Load()
	if err != nil {
		tb.Fatal(err)
	}
	var s *store.Store
	if dir != "" {
		if s, err = store.Open(dir, store.Options{}); err != nil {
			tb.Fatal(err)
		}
		defer s.Close()
	}
	engine := diagnose.New(set, diagnose.Options{Failed: func(err error) { tb.Error(err) }})
	opt := store.KeeperOptions{
		Began:    func(i *session.Info) { engine.Began(i.ID, i.Upstream, i.Started) },
		Annotate: engine.Judge, Log: zerolog.Nop(),
		Ended: func(*inspect.Session) {}, Keeps: func(*inspect.Session) bool { return false },
	}
	if b, ok := tb.(*testing.B); ok {
		b.ReportAllocs()
		b.ResetTimer()
		defer b.StopTimer()
	}
	if err := store.NewKeeper(s, opt).Run(context.Background(), &list); err != nil {
		tb.Fatal(err)
	}
}

// sessionsOf makes n sessions of one message, 200 to a batch.
func sessionsOf(n int) (list batches) {
	for i := 0; i < n; {
		var batch []session.Record
		for ; i < n && len(batch) < 200*18; i++ {
			t := newTalk(i)
			t.open()
			t.message(body)
			t.close()
			batch = append(batch, t.list...)
		}
		list = append(list, batch)
	}
	return list
}

// messagesOf makes n messages in sessions of a thousand each, fifty at once.
func messagesOf(n int) (list batches) {
	var open []*talk
	for i := 0; n > 0; i++ {
		var batch []session.Record
		if i%100 == 0 {
			open = nil
			for k := range 50 {
				open = append(open, newTalk(i*50+k))
				open[k].open()
			}
		}
		for _, t := range open {
			for m := 0; m < 10 && n > 0; m++ {
				t.message(body)
				n--
			}
			if i%100 == 99 || n == 0 {
				t.close()
			}
			batch = append(batch, t.list...)
			t.list = nil
		}
		list = append(list, batch)
	}
	return list
}

// BenchmarkRecordSessions records sessions of one message.
func BenchmarkRecordSessions(b *testing.B) {
	record(b, filepath.Join(b.TempDir(), "d"), sessionsOf(b.N))
}

// BenchmarkRecordMessages records messages of long sessions.
func BenchmarkRecordMessages(b *testing.B) {
	record(b, filepath.Join(b.TempDir(), "d"), messagesOf(b.N))
}

// BenchmarkRecordWithoutStore assembles and diagnoses only, as --data none does.
func BenchmarkRecordWithoutStore(b *testing.B) { record(b, "", sessionsOf(b.N)) }

// BenchmarkAppend is the baseline: the octets of the same sessions in a file.
func BenchmarkAppend(b *testing.B) { appendTo(b, sessionsOf(b.N)) }

// appendTo writes the octets of records to a file.
func appendTo(b *testing.B, list batches) {
	f, err := os.Create(filepath.Join(b.TempDir(), "log"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	b.ReportAllocs()
	b.ResetTimer()
	var buf []byte
	for _, batch := range list {
		buf = buf[:0]
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
