package store

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

func TestRoundTrip(t *testing.T) {
	dir := newDir(t)
	s := openStore(t, dir, Options{})
	body := "Subject: hello\r\n\r\nworld\r\n"
	records := delivered("01A", start, "a@example.com", "b@example.net", body)
	var ended []*inspect.Session
	opt := quiet()
	opt.Ended = func(v *inspect.Session) { ended = append(ended, v) }
	feed(t, s, opt, records, refused("01B", start.Add(time.Second), "nobody@example.net", "550 5.1.1 no such user"))

	got, err := s.Session(context.Background(), "01a")
	if err != nil {
		t.Fatal(err)
	}
	var want []session.Entry
	for _, r := range records {
		if r.Entry != nil {
			want = append(want, *r.Entry)
		}
	}
	if !reflect.DeepEqual(got.Events, want) {
		t.Errorf("events\ngot  %+v\nwant %+v", got.Events, want)
	}
	if got.Outcome != inspect.Delivered || got.Messages[0].Subject != "hello" || got.Upstream.Provider != "testers" || !got.Started.Equal(start) {
		t.Errorf("session = %+v", got)
	}
	if len(ended) != 2 || ended[0].ID != "01A" || ended[1].Findings[0].Cause != "recipient.unknown" {
		t.Errorf("Ended was called with %+v", ended)
	}
	if text := readBody(t, s, "01A", 0); text != body {
		t.Errorf("body = %q, want %q", text, body)
	}
	for id, want := range map[string]string{"latest": "01B", "latest-failed": "01B", "01B": "01B"} {
		if v, err := s.Session(context.Background(), id); err != nil || v.ID != want {
			t.Errorf("Session(%q) = %v, %v, want %s", id, v, err, want)
		}
	}
	if _, err := s.Session(context.Background(), "01"); !errors.Is(err, ErrAmbiguous) {
		t.Errorf("Session(01): %v, want ErrAmbiguous", err)
	}
	if _, err := s.Session(context.Background(), "02"); !errors.Is(err, ErrNotFound) {
		t.Errorf("Session(02): %v, want ErrNotFound", err)
	}
	if _, err := s.Body(context.Background(), "01B", 0); !errors.Is(err, ErrNoBody) {
		t.Errorf("Body(01B): %v, want ErrNoBody", err)
	}
}

func readBody(t *testing.T, s *Store, id string, message int) string {
	t.Helper()
	r, err := s.Body(context.Background(), id, message)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestLongSession spreads a session over many batches and blocks.
func TestLongSession(t *testing.T) {
	s := openStore(t, newDir(t), Options{})
	long := newScript("01L", start).hello().say("MAIL", "MAIL FROM:<a@b>", "250 ok").say("RCPT", "RCPT TO:<c@d>", "250 ok").say("DATA", "DATA", "354 go")
	batches := [][]session.Record{long.cut()}
	want := bytes.Buffer{}
	for i := range 40 {
		part := strings.Repeat(string(rune('a'+i%26))+"0123456789\r\n", 3000)
		want.WriteString(part)
		batches = append(batches, append(long.body(part).cut(), delivered("02"+string(rune('A'+i)), start.Add(time.Hour), "x@y", "y@z", "other")...))
	}
	long.add(session.Entry{Kind: session.KindData, Verb: ".", Bytes: int64(want.Len())}).reply(".", "250 ok")
	batches = append(batches, long.close())
	feed(t, s, quiet(), batches...)

	if got := readBody(t, s, "01L", 0); got != want.String() {
		t.Errorf("body of %d octets differs from the %d sent", len(got), want.Len())
	}
	v, err := s.Session(context.Background(), "01L")
	if err != nil || len(v.Events) != long.seq || v.Outcome != inspect.Delivered || v.Messages[0].Size != int64(want.Len()) {
		t.Errorf("session = %+v, %v; want %d events", v, err, long.seq)
	}
	for i, e := range v.Events {
		if e.Seq != i+1 {
			t.Fatalf("event %d has Seq %d", i, e.Seq)
		}
	}
}

func TestFilters(t *testing.T) {
	s := openStore(t, newDir(t), Options{Now: func() time.Time { return start.Add(time.Hour) }})
	feed(t, s, quiet(),
		delivered("01A", start, "Me@Example.com", "bob@example.net", "Subject: one\r\n\r\n"),
		delivered("01B", start.Add(time.Minute), "you@example.org", "100%_sure@example.net", "Subject: two\r\n\r\n"),
		refused("01C", start.Add(2*time.Minute), "bob@example.net", "550 5.1.1 no such user"),
		newScript("01D", start.Add(3*time.Minute)).hello().cut(),
	)
	for filter, want := range map[string]string{
		"":                                 "01D 01C 01B 01A",
		"outcome:delivered":                "01B 01A",
		"-outcome:delivered":               "01D 01C",
		"to:bob@example.net":               "01C 01A",
		"to:bob":                           "01C 01A",
		"to:100%_sure":                     "01B",
		"from:*@example.com":               "01C 01A",
		"from:me@EXAMPLE.com":              "01A",
		"cause:recipient.*":                "01C",
		"cause:tls.*":                      "",
		"-cause:recipient.*":               "01D 01B 01A",
		"code:550":                         "01C",
		"code:5xx":                         "01C",
		"code:5.1.1":                       "01C",
		"code:250":                         "01B 01A",
		"upstream:smtp.example.com":        "01D 01C 01B 01A",
		"upstream:192.0.2.1":               "01D 01C 01B 01A",
		"upstream:elsewhere":               "",
		"provider:testers outcome:no-mail": "",
		"subject:two":                      "01B",
		"since:58m30s":                     "01D 01C",
		"before:58m30s":                    "01B 01A",
		"id:01b":                           "01B",
		`"no such user"`:                   "01C",
		"app.example.com":                  "01D 01C 01B 01A",
	} {
		if got := strings.Join(ids(t, s, filter, 0), " "); got != want {
			t.Errorf("%q selects %q, want %q", filter, got, want)
		}
	}
	if got := ids(t, s, "", 2); len(got) != 2 || got[0] != "01D" {
		t.Errorf("limit 2 gives %q", got)
	}
	all, failed, err := s.Count(context.Background())
	if err != nil || all != 4 || failed != 2 {
		t.Errorf("Count = %d, %d, %v; want 4 and 2", all, failed, err)
	}
}

func TestMissingStore(t *testing.T) {
	dir := newDir(t)
	s := openStore(t, dir, Options{ReadOnly: true})
	if got := ids(t, s, "", 0); len(got) != 0 {
		t.Errorf("a missing store yields %q", got)
	}
	if _, err := s.Session(context.Background(), "latest"); !errors.Is(err, ErrNotFound) {
		t.Errorf("Session of a missing store: %v", err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("reading made %s", dir)
	}
}

// TestReadOnlyCreatesNothing reads a store that no process writes.
func TestReadOnlyCreatesNothing(t *testing.T) {
	dir := newDir(t)
	s := openStore(t, dir, Options{})
	feed(t, s, quiet(), delivered("01A", start, "a@b", "c@d", "x"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	before := files(t, dir)
	r := openStore(t, dir, Options{ReadOnly: true})
	if got := ids(t, r, "", 0); len(got) != 1 {
		t.Errorf("got %q, want one session", got)
	}
	if after := files(t, dir); !reflect.DeepEqual(after, before) {
		t.Errorf("reading changed the files from %q to %q", before, after)
	}
	if err := r.Retain(context.Background(), time.Hour, 0); err == nil {
		t.Error("Retain of a store that is open for reading only gives no error")
	}
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestGaps(t *testing.T) {
	s := openStore(t, newDir(t), Options{})
	script := newScript("01G", start).hello()
	script.seq += 7
	script.say("MAIL", "MAIL FROM:<a@b>", "250 ok").say("DATA", "DATA", "354 go").body("Subject: x\r\n\r\n").body("more")
	list := script.close()
	for i := range list {
		switch {
		case list[i].Entry != nil && list[i].Entry.Verb == "MAIL" && list[i].Entry.Kind == session.KindCommand:
			list[i].Dropped = 7
		case string(list[i].Body) == "more":
			list[i].Dropped = 100
		}
	}
	feed(t, s, quiet(), list)
	v, err := s.Session(context.Background(), "01G")
	if err != nil {
		t.Fatal(err)
	}
	if v.Dropped != 7 || v.Messages[0].Captured != "cut" {
		t.Errorf("dropped %d, captured %q; want 7 and cut", v.Dropped, v.Messages[0].Captured)
	}
	var notes int
	for _, e := range v.Events {
		if e.Odd == session.OddGap {
			notes++
			if e.Bytes != 7 || e.Seq != 5 {
				t.Errorf("gap note = %+v, want Seq 5 with 7 entries", e)
			}
		}
	}
	if notes != 1 {
		t.Errorf("%d gap notes, want 1", notes)
	}
}

func TestCapture(t *testing.T) {
	for mode, want := range map[string]string{"full": "A: b\r\n\r\nbody", "headers": "A: b\r\n\r\n", "none": ""} {
		s := openStore(t, newDir(t), Options{})
		script := newScript("01C", start).hello().say("MAIL", "MAIL FROM:<a@b>", "250 ok").say("DATA", "DATA", "354 go")
		script.body("A: b\r\n\r", "\nbo", "dy")
		opt := quiet()
		opt.Routes = map[string]string{"default": mode}
		feed(t, s, opt, script.close())
		r, err := s.Body(context.Background(), "01C", 0)
		got := ""
		if err == nil {
			b, _ := io.ReadAll(r)
			got = string(b)
			r.Close()
		}
		if got != want || want == "" && !errors.Is(err, ErrNoBody) {
			t.Errorf("capture %s keeps %q (%v), want %q", mode, got, err, want)
		}
		if v, err := s.Session(context.Background(), "01C"); err != nil || v.Messages[0].Captured != mode {
			t.Errorf("captured = %+v, want %s", v.Messages, mode)
		}
	}
}

func TestWithoutStore(t *testing.T) {
	var got []*inspect.Session
	opt := quiet()
	opt.Ended = func(v *inspect.Session) { got = append(got, v) }
	k := feed(t, nil, opt, refused("01A", start, "x@y", "550 5.1.1 no"))
	if len(got) != 1 || got[0].Outcome != inspect.Rejected || len(got[0].Findings) != 1 || k.Healthy() != nil {
		t.Errorf("without a store: %+v, %v", got, k.Healthy())
	}
}

func TestPanickingAnnotator(t *testing.T) {
	s := openStore(t, newDir(t), Options{})
	opt := quiet()
	opt.Annotate = func(*inspect.Session) []inspect.Finding { panic("a rule") }
	feed(t, s, opt, refused("01A", start, "x@y", "550 5.1.1 no"))
	if got := ids(t, s, "outcome:rejected", 0); len(got) != 1 {
		t.Errorf("stored %q, want the session all the same", got)
	}
}
