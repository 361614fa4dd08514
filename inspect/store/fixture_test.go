package store

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

var start = time.Date(2026, 11, 20, 12, 0, 0, 123456789, time.UTC)

// queue is a source of batches, one each time the keeper asks.
type queue chan []session.Record

func (q queue) Next(ctx context.Context) ([]session.Record, error) {
	select {
	case batch, ok := <-q:
		if !ok {
			return nil, io.EOF
		}
		return batch, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// feed runs batches through a keeper until they are written.
func feed(t testing.TB, s *Store, opt KeeperOptions, batches ...[]session.Record) *Keeper {
	t.Helper()
	q := make(queue, len(batches))
	for _, b := range batches {
		q <- b
	}
	close(q)
	k := hasty(s, opt)
	if err := k.Run(context.Background(), q); err != nil {
		t.Fatal(err)
	}
	return k
}

// hasty is a keeper that writes each batch as it comes.
func hasty(s *Store, opt KeeperOptions) *Keeper {
	k := NewKeeper(s, opt)
	k.held.every = 0
	return k
}

func openStore(t testing.TB, dir string, opt Options) *Store {
	t.Helper()
	s, err := Open(dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func newDir(t testing.TB) string { return filepath.Join(t.TempDir(), "data") }

// script is one session as records.
type script struct {
	info *session.Info
	at   time.Time
	seq  int
	list []session.Record
}

func newScript(id string, at time.Time) *script {
	info := &session.Info{ID: id, Started: at, Route: "default", AppAddr: "127.0.0.1:40000", Upstream: "smtp.example.com:587"}
	return &script{info: info, at: at}
}

func (s *script) add(e session.Entry) *script {
	s.seq++
	s.at = s.at.Add(3 * time.Millisecond)
	e.Seq, e.At = s.seq, s.at
	s.list = append(s.list, session.Record{Session: s.info, Entry: &e})
	return s
}

func (s *script) say(verb, text, reply string) *script {
	s.add(session.Entry{Kind: session.KindCommand, Phase: session.PhaseMail, Verb: verb, Text: text, Bytes: int64(len(text) + 2)})
	return s.reply(verb, reply)
}

func (s *script) reply(verb, text string) *script {
	e := session.Entry{Leg: session.Upstream, From: session.FromUpstream, Kind: session.KindReply, Phase: session.PhaseMail, Verb: verb, Text: text, Wait: 2 * time.Millisecond, Bytes: int64(len(text) + 2)}
	fmt.Sscanf(text, "%d %s", &e.Code, &e.Enhanced)
	if !strings.Contains(e.Enhanced, ".") {
		e.Enhanced = ""
	}
	return s.add(e)
}

func (s *script) body(parts ...string) *script {
	for _, p := range parts {
		s.list = append(s.list, session.Record{Session: s.info, Body: []byte(p)})
	}
	return s
}

func (s *script) close() []session.Record {
	s.list = append(s.list, session.Record{Session: s.info, Closed: true, At: s.at.Add(time.Millisecond)})
	return s.list
}

// cut returns the records so far and lets the script go on with new ones.
func (s *script) cut() []session.Record {
	list := s.list
	s.list = nil
	return list
}

func (s *script) hello() *script {
	s.add(session.Entry{Leg: session.Upstream, Kind: session.KindOpen, Phase: session.PhaseConnect, Dial: &session.Dial{Host: "smtp.example.com", Addr: "192.0.2.1:587", Family: "ipv4", Duration: time.Millisecond}})
	s.add(session.Entry{Leg: session.Upstream, From: session.FromUpstream, Kind: session.KindGreeting, Phase: session.PhaseGreeting, Code: 220, Text: "220 smtp.example.com ESMTP ready"})
	return s.say("EHLO", "EHLO app.example.com", "250-smtp.example.com\n250-PIPELINING\n250-SIZE 35882577\n250-8BITMIME\n250 SMTPUTF8")
}

// delivered is a session whose message is accepted.
func delivered(id string, at time.Time, from, to, body string) []session.Record {
	s := newScript(id, at).hello()
	s.say("MAIL", "MAIL FROM:<"+from+"> SIZE=1000", "250 2.1.0 ok")
	s.say("RCPT", "RCPT TO:<"+to+">", "250 2.1.5 ok")
	s.say("DATA", "DATA", "354 go ahead")
	s.body(body).add(session.Entry{Kind: session.KindData, Phase: session.PhaseDot, Verb: ".", Bytes: int64(len(body))})
	s.reply(".", "250 2.0.0 queued as "+id)
	return s.say("QUIT", "QUIT", "221 2.0.0 bye").close()
}

// refused is a session whose recipient is refused.
func refused(id string, at time.Time, to, reply string) []session.Record {
	s := newScript(id, at).hello()
	s.say("MAIL", "MAIL FROM:<a@example.com>", "250 2.1.0 ok")
	s.say("RCPT", "RCPT TO:<"+to+">", reply)
	return s.say("QUIT", "QUIT", "221 2.0.0 bye").close()
}

// annotate finds a cause in every refusal.
func annotate(s *inspect.Session) []inspect.Finding {
	s.Upstream.Provider = "testers"
	for _, e := range s.Events {
		switch {
		case e.Odd == session.OddShutdown:
			return []inspect.Finding{{Cause: "proxy.shutting-down", Certainty: inspect.Certain, Evidence: []inspect.Evidence{{Event: e.Seq, Text: e.Text}}}}
		case e.Code >= 400:
			return []inspect.Finding{{Cause: "recipient.unknown", Certainty: inspect.Certain, Evidence: []inspect.Evidence{{Event: e.Seq, Text: e.Text}}}}
		}
	}
	return nil
}

func quiet() KeeperOptions { return KeeperOptions{Annotate: annotate, Log: zerolog.Nop()} }

// ids lists the sessions that a filter selects.
func ids(t testing.TB, s *Store, filter string, limit int) []string {
	t.Helper()
	f, err := inspect.ParseFilter(filter)
	if err != nil {
		t.Fatal(err)
	}
	list := []string{}
	err = s.Sessions(context.Background(), f, limit, func(v *inspect.Session) error {
		list = append(list, v.ID)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}
