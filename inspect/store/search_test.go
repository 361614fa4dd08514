package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// various makes sessions that differ in all that a filter asks for. Many begin
// in the same second, some on other days.
type various struct {
	*rand.Rand
	n int
}

func (r *various) pick(list ...string) string { return list[r.IntN(len(list))] }

func (r *various) addr() string {
	return r.pick("bob", "Bob", "info", "a.b+c", "ünal", "x<y") + r.pick("@example.net", "@EXAMPLE.net", "@mail.example.org", "")
}

func (r *various) start() time.Time {
	days, seconds := r.IntN(4), r.IntN(3)*7
	return start.AddDate(0, 0, -days).Add(-time.Duration(seconds) * time.Second).Add(time.Duration(r.IntN(1000)) * time.Millisecond)
}

// recorded is a session as the keeper gets it.
func (r *various) recorded() []session.Record {
	r.n++
	s := newScript(fmt.Sprintf("01K%05d", r.n), r.start())
	s.info.Route, s.info.Upstream = r.pick("default", "ses"), r.pick("smtp.example.com:587", "Relay.example.org:25", "192.0.2.7:25")
	s.info.AppAddr = fmt.Sprintf("%s:%d", r.pick("127.0.0.1", "[::1]", "10.0.0.5"), 40000+r.n)
	s.hello()
	for range r.IntN(3) {
		s.say("MAIL", "MAIL FROM:<"+r.addr()+">", "250 2.1.0 ok")
		for range 1 + r.IntN(3)*r.IntN(2) + r.IntN(40)/39*70 {
			s.say("RCPT", "RCPT TO:<"+r.addr()+">", r.pick("250 2.1.5 ok", "250 ok", "550 5.1.1 no", "450 4.2.0 later", "451 5.7.1 odd", "552 full"))
		}
		s.say("RSET", "RSET", "250 ok")
	}
	return s.say("QUIT", "QUIT", "221 bye").close()
}

// imported is one of any content.
func (r *various) imported() *inspect.Session {
	r.n++
	at := r.start()
	v := &inspect.Session{ID: fmt.Sprintf("01G%05d", r.n), Started: at, Ended: at.Add(time.Second), Route: r.pick("default", "Büro"), Outcome: inspect.Outcome(r.pick("delivered", "rejected", "no-mail"))}
	v.Upstream = inspect.UpstreamLeg{Name: "[2001:db8::1]:25", Addr: r.pick("", "198.51.100.7:25"), Provider: r.pick("", "gmail", "ses")}
	v.App = inspect.AppLeg{Addr: "host", Helo: r.pick("", "App.Local", "[127.0.0.1]")}
	if r.IntN(2) == 0 {
		v.Upstream.TLS = &session.TLS{Version: r.pick("TLS 1.2", "TLS 1.3")}
		v.Auth = &inspect.Auth{Auth: session.Auth{Mechanism: "PLAIN", Username: r.pick("", "me", "Me@example.com")}}
	}
	v.Passthrough = r.IntN(5) == 0
	m := inspect.Message{From: r.pick("", "bob@example.net", "<odd@example.net", "line\nbreak@example.net"), Subject: "Hello"}
	for range r.IntN(3) {
		m.To = append(m.To, inspect.Recipient{Addr: r.pick("", r.addr())})
	}
	v.Messages = []inspect.Message{m}
	v.Findings = r.findings()
	return v
}

func (r *various) findings() (list []inspect.Finding) {
	for range r.IntN(3) {
		list = append(list, inspect.Finding{Cause: r.pick("tls.untrusted", "tls.expired", "rate.limited", "recipient.unknown"), Certainty: inspect.Likely})
	}
	return list
}

// filter is some words of the language.
func (r *various) filter() string {
	var words []string
	for range 1 + r.IntN(3) {
		words = append(words, r.pick("", "", "", "-")+r.word())
	}
	return strings.Join(words, " ")
}

func (r *various) word() string {
	switch r.IntN(13) {
	case 0:
		return r.pick("since:", "before:") + r.start().Truncate(time.Duration(1+r.IntN(1e6))).Format(time.RFC3339Nano)
	case 1:
		return r.pick("since:", "before:") + r.pick("1d", "26h", "3d", "5s")
	case 2, 3:
		return r.pick("to:", "from:") + r.pick("bob", "BOB@example.net", "example.net", "mail.example.org", "*@example.net", "nobody", "b*", "ünal@mail.example.org", `"x<y"`, "*", "a.b+c@example.net", `"<odd"`, `"<odd@example.net"`)
	case 4:
		return "code:" + r.pick("550", "5.1.1", "5xx", "4xx", "4.2.0", "5*", "250", "2xx", "5.xx", "5.7.1", "599", "55x")
	case 5:
		return "cause:" + r.pick("tls.*", "tls.expired", "rate.*", "*", "recipient.unknown", "*.unknown", "nothing.here", "tls*", "t.*")
	case 6:
		return "outcome:" + r.pick("delivered", "rejected", "no-mail", "partial", "d*", "open")
	case 7:
		return "upstream:" + r.pick("smtp.example.com", "relay.example.org:25", "192.0.2.7", "192.0.2.1", "198.51.100.7:25", `"2001:db8::1"`, "smtp.*")
	case 8:
		return r.pick("provider:gmail", "provider:testers", "route:ses", "route:büro", "route:d*", "provider:*")
	case 9:
		return "app:" + r.pick("127.0.0.1", "10.0.0.5", `"::1"`, "app.example.com", "app.local", "[127.0.0.1]", "host", `"127.0.0.1:40003"`)
	case 10:
		return r.pick("user:me", "user:example.com", "user:*", "tls:1.3", `tls:"tls 1.2"`, "tls:passthrough", "subject:hell")
	case 11:
		return r.pick("hello", "smtp.example", `"no such"`, "5.7.1", "expired", "10.0.0.5", "*01*net")
	}
	return "id:" + r.pick("01g", "01K0000", "01K00007", "0*3")
}

// annotateAny finds something in some sessions, the same each time.
func annotateAny(v *inspect.Session) []inspect.Finding {
	r := &various{Rand: rand.New(rand.NewPCG(uint64(len(v.Events)), uint64(v.Started.UnixNano())))}
	if r.IntN(3) == 0 {
		v.Upstream.Provider = "testers"
	}
	return r.findings()
}

func fill(t *testing.T, r *various, s *Store, dir string) {
	t.Helper()
	opt := quiet()
	opt.Annotate = annotateAny
	q, done := make(queue), make(chan error, 1)
	k := hasty(s, opt)
	go func() { done <- k.Run(t.Context(), q) }()
	for range 100 {
		all := r.recorded()
		cut := r.IntN(len(all))
		q <- all[:cut]
		q <- all[cut:]
	}
	q <- nil
	q <- nil
	close(q)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	g := openGuest(t, dir)
	for range 30 {
		if err := g.Import(t.Context(), r.imported(), nil); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 14 {
		if err := k.Revise(t.Context(), fmt.Sprintf("01K%05d", 1+7*i), nil, r.findings()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSearch holds pages and tallies against what the filter itself says of
// each session, whatever way there is to find it.
func TestSearch(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	r := &various{Rand: rand.New(rand.NewPCG(seed, 1))}
	dir, now := newDir(t), start.Add(time.Minute)
	s := openStore(t, dir, Options{Now: func() time.Time { return now }})
	fill(t, r, s, dir)
	for _, stage := range []struct {
		name   string
		change func() error
	}{
		{"new", func() error { return nil }},
		{"after a clean-up", func() error { return s.Retain(context.Background(), 50*time.Hour, 0) }},
		{"from before there were words", func() error { return withoutWords(s) }},
	} {
		if err := stage.change(); err != nil {
			t.Fatal(err)
		}
		all := everySession(t, s)
		if len(all) < 50 {
			t.Fatalf("seed %d, %s: %d sessions are left", seed, stage.name, len(all))
		}
		for range 15 {
			text := r.filter()
			if err := compareSearch(s, all, text, 3+r.IntN(40)); err != nil {
				t.Errorf("seed %d, %s, filter %s: %v", seed, stage.name, text, err)
			}
		}
	}
}

// withoutWords makes the record what one of schema 3 is when it is brought up
// to date.
func withoutWords(s *Store) error {
	script, err := migrations.ReadFile("migrations/0004.sql")
	if err != nil {
		return err
	}
	_, err = s.writer.Exec(`DROP TABLE words; UPDATE sessions SET mail = ltrim(replace(mail, char(10) || '<', char(10)), '<'); ` + string(script))
	return err
}

func everySession(t *testing.T, s *Store) (all []*inspect.Session) {
	t.Helper()
	err := s.Sessions(t.Context(), inspect.Filter{}, 0, func(v *inspect.Session) error {
		all = append(all, v)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func compareSearch(s *Store, all []*inspect.Session, text string, limit int) error {
	f, err := inspect.ParseFilter(text)
	if err != nil {
		return err
	}
	want, tally := []string{}, Tally{Outcomes: map[inspect.Outcome]int{}}
	causes := map[string]int{}
	at := f.At(s.now())
	for _, v := range all {
		if !at.Match(v) {
			continue
		}
		want = append(want, v.ID)
		tally.All++
		tally.Outcomes[v.Outcome]++
		once := map[string]bool{}
		for _, f := range v.Findings {
			once[f.Cause] = true
		}
		for cause := range once {
			causes[cause]++
		}
	}
	tally.Causes = ranked(causes)
	if got, err := s.Tally(context.Background(), f, 0); err != nil || !reflect.DeepEqual(got, tally) {
		return fmt.Errorf("tally: got %v, %v; want %v", got, err, tally)
	}
	return comparePages(s, f, want, limit)
}

// comparePages goes from the newest page to the oldest and back.
func comparePages(s *Store, f inspect.Filter, want []string, limit int) error {
	got, q := []string{}, PageQuery{Limit: limit}
	for {
		p, err := s.Page(context.Background(), f, q)
		if err != nil || len(p.Sessions) > limit || p.Newer != (q.Before != "") || !p.Reached.IsZero() {
			return fmt.Errorf("page before %q: got %+v, %v", q.Before, p, err)
		}
		for _, v := range p.Sessions {
			got = append(got, v.ID)
		}
		if !p.Older {
			break
		}
		q.Before = got[len(got)-1]
	}
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("pages of %d: got %q, want %q", limit, got, want)
	}
	for at := len(want) - 1; at > 0; {
		p, err := s.Page(context.Background(), f, PageQuery{Limit: limit, After: want[at]})
		first := max(0, at-limit)
		if err != nil || len(p.Sessions) != at-first || p.Newer != (first > 0) || !p.Older {
			return fmt.Errorf("page after %s: got %+v, %v; want %q", want[at], p, err, want[first:at])
		}
		for i, v := range p.Sessions {
			if v.ID != want[first+i] {
				return fmt.Errorf("page after %s: got %s as number %d, want %q", want[at], v.ID, i, want[first:at])
			}
		}
		at = first
	}
	return nil
}

// TestSearchOlderRecord reads a record of schema 3 as it is, and when it has
// been brought up to date and goes on.
func TestSearchOlderRecord(t *testing.T) {
	dir := newDir(t)
	s := openStore(t, dir, Options{})
	feed(t, s, quiet(), refused("01A", start, "bob@example.net", "550 5.1.1 no"), delivered("01B", start.Add(time.Hour), "a@b", "bob@example.net", "x"))
	if _, err := s.writer.Exec(`DROP TABLE words; DROP TABLE tallies; DROP TABLE waits; PRAGMA user_version = 3`); err != nil {
		t.Fatal(err)
	}
	s.Close()
	filters := []string{"to:bob@example.net", "cause:recipient.unknown", "code:550", "to:nobody", "since:9999d"}
	check := func(s *Store) {
		t.Helper()
		all := everySession(t, s)
		for _, text := range filters {
			if err := compareSearch(s, all, text, 1); err != nil {
				t.Errorf("%d sessions, filter %s: %v", len(all), text, err)
			}
		}
	}
	old := openStore(t, dir, Options{ReadOnly: true})
	check(old)
	s = openStore(t, dir, Options{})
	check(s)
	feed(t, s, quiet(), refused("01C", start.Add(time.Second), "bob@example.net", "550 5.1.1 no"), delivered("01D", start.AddDate(0, 0, 2), "a@b", "bob@example.net", "x"))
	check(s)
	if got, want := ids(t, s, "to:bob", 0), []string{"01D", "01B", "01C", "01A"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestSearchWithin stops a search when its time is up, and goes on from there.
func TestSearchWithin(t *testing.T) {
	s := openStore(t, newDir(t), Options{})
	const n = firstWindow + 20
	var batch []session.Record
	for i := range n {
		batch = append(batch, delivered(fmt.Sprintf("01%04d", i), start.Add(time.Duration(i)*time.Microsecond), "a@b", "c@d", "x")...)
	}
	feed(t, s, quiet(), batch)
	text, err := inspect.ParseFilter("queued-as-010000 010000")
	if err != nil {
		t.Fatal(err)
	}
	f := text
	last := start.Add(n * time.Microsecond)
	for looks := 0; ; looks++ {
		p, err := s.Page(t.Context(), f, PageQuery{Within: 1})
		if err != nil || len(p.Sessions) != 0 || looks > n {
			t.Fatalf("look %d: got %+v, %v; want nothing", looks, p, err)
		}
		if !p.Older && p.Reached.IsZero() {
			break
		}
		if !p.Older || !p.Reached.Before(last) {
			t.Fatalf("look %d: got %+v, want it to have come further back than %v", looks, p, last)
		}
		last = p.Reached
		on, err := inspect.ParseFilter("before:" + last.Format(time.RFC3339Nano))
		if err != nil {
			t.Fatal(err)
		}
		f = text.With(on)
	}
	if want := start.Add(50 * time.Microsecond); last.After(want) {
		t.Errorf("searched back to %v, want before %v", last, want)
	}
}
