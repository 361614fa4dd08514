package capture_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/capture"
)

// readAll returns the ids of the sessions of a text that are whole, and the
// error behind them.
func readAll(text string) (ids []string, err error) {
	file := openText(text)
	for {
		c, err := file.Next()
		if err != nil {
			return ids, err
		}
		ids = append(ids, c.Session.ID)
	}
}

// TestReaderRefuses damages a capture of two sessions in one place each time.
// The error must name the line.
func TestReaderRefuses(t *testing.T) {
	two := *recorded()
	two.ID = "01J00000000000000000000001"
	one := written(t, recorded(), bodies{0: strings.Repeat("x", 100_000), 2: "y"}.open) // 5 lines
	whole := one + written(t, &two, nil)
	if ids, err := readAll(whole); len(ids) != 2 || !errors.Is(err, io.EOF) {
		t.Fatalf("got %q, %v, want two sessions", ids, err)
	}
	for _, test := range []struct{ what, old, new, want string }{
		{"a newer version", `"version":1`, `"version":2`, `line 1: the capture is of version 2, and this smtp-proxy reads version 1`},
		{"no JSON", `{"id"`, `<html>{"id"`, "line 1: it is no object of a capture, or was damaged"},
		{"an indented object", `,"started"`, ",\n\"started\"", "a capture has one JSON object a line"},
		{"a list", whole, "[]", "line 1: it is no object of a capture"},
		{"another object", whole, `{"reply":"250 ok"}`, "line 1: it is no session"},
		{"no beginning", whole[:strings.Index(whole, "\n")+1], "", "line 1: it belongs to a session that is not in front of it"},
		{"no end", whole[strings.Index(whole, `{"end"`):], "", "line 5: the file ends in the middle of session " + id},
		{"an end too few", whole[strings.Index(whole, `{"end"`):][:strings.Index(whole[strings.Index(whole, `{"end"`):], "\n")+1], "", "line 5: a session begins here"},
		{"cut in a line", whole[len(whole)-30:], "", "line 7: it is no object of a capture"},
		{"an octet changed", `"data":"eQ=="`, `"data":"eg=="`, "line 5: the messages of session " + id + " are not those that were written"},
		{"octets missing", `"offset":65536`, `"offset":65537`, "line 3: message 0 goes on at octet 65537, and 65536 came before"},
		{"another session's octets", `{"body":{"session":"` + id + `","message":2`, `{"body":{"session":"x","message":2`, "line 4: it has octets of another session"},
		{"another session's end", `{"end":{"session":"` + id, `{"end":{"session":"x`, "line 5: it ends another session"},
		{"a message that is not there", `"message":2,"offset"`, `"message":3,"offset"`, "line 4: it has octets of message 3"},
		{"messages in disorder", `"message":0,"offset":0`, `"message":2,"offset":0`, "line 3: message 0 stands behind message 2"},
		{"no base64", `"eQ=="`, `"e!=="`, "line 4: it is no object of a capture"},
		{"too much in a line", `"eQ=="`, `"` + strings.Repeat("AAAA", 22_000) + `"`, "line 4: it has 66000 octets of a message"},
		{"neither session nor part", `{"end":`, `{"fin":`, "line 5: it is neither a session nor a part of one"},
		{"no id", id, "", "line 1: it is no session"},
		{"an id that is a path", `{"id":"` + id, `{"id":"../../../../../etc/passwd`, "line 1: session \"../../../../../etc/passwd\": its id is no ULID"},
		{"an id in markup", `{"id":"` + id, `{"id":"\u001b[31m<script>`, `line 1: session "\x1b[31m<script>": its id is no ULID`},
		{"a link that is none", `,"app":`, `,"linked":"<a>","app":`, "the session that it is linked to is no ULID"},
		{"an outcome that is none", `"outcome":"rejected"`, `"outcome":"\u001b[31m"`, `its outcome is none that there is: "\x1b[31m"`},
		{"an end and still open", `"outcome":"rejected"`, `"outcome":"open"`, `its outcome is "open", which does not go with its end`},
		{"no end and not open", `"ended":"2026-02-28T23:00:00.935Z"`, `"ended":null`, `its outcome is "rejected", which does not go with its end`},
		{"a start before computers", `"started":"2026`, `"started":"1926`, "it began at 1926-02-28"},
		{"a start to come", `"started":"2026-02`, `"started":"2026-04`, "it began at 2026-04-28"},
		{"an end years later", `"ended":"2026`, `"ended":"2036`, "it ended at 2036-02-28"},
		{"an event years later", `"at_ms":0.1`, `"at_ms":99999999999.0`, "its event 7 lies a year or more from its start"},
		{"a time that overflows", `"at_ms":0.1`, `"at_ms":1e300`, "its event 7 lies a year or more from its start"},
		{"events in disorder", `{"seq":7`, `{"seq":4`, "its event 4 has the number 4"},
		{"a number of an event that is none", `{"seq":1,`, `{"seq":0,`, "its event 1 has the number 0"},
		{"a word that is none", `"kind":"error"`, `"kind":"\u001b]0;x"`, `/events/3/kind is no word that is used there: "\x1b]0;x"`},
		{"a count that is none", `"bytes":1099511627776`, `"bytes":9223372036854775807`, "/events/2/bytes is a number that cannot be"},
		{"messages without end", `,"app":`, `,"omitted_messages":1000000000,"app":`, "it has more than 1000000 messages"},
		{"a number for a text", `"route":"default"`, `"route":1`, "line 1: it is no object of a capture"},
	} {
		text := strings.Replace(whole, test.old, test.new, 1)
		if text == whole {
			t.Fatalf("%s: %q is not in\n%.3000s", test.what, test.old, whole)
		}
		ids, err := readAll(text)
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "line ") {
			t.Errorf("%s: got %q and %v, want an error with %q", test.what, ids, err, test.want)
		}
	}
}

// TestReaderTolerates reads what is not quite what is written.
func TestReaderTolerates(t *testing.T) {
	whole := written(t, recorded(), bodies{0: "x"}.open)
	for what, text := range map[string]string{
		"blank lines and CRLF": "\r\n  \n" + strings.ReplaceAll(whole, "\n", "\r\n"),
		"no last line end":     strings.TrimSuffix(whole, "\n"),
		"members not known":    strings.ReplaceAll(strings.ReplaceAll(whole, `{"id":`, `{"later":[{"x":1}],"id":`), `"offset":`, `"later":null,"offset":`),
		"a kind not known":     strings.Replace(whole, `"kind":"open"`, `"kind":"later"`, 1),
	} {
		if ids, err := readAll(text); len(ids) != 1 || !errors.Is(err, io.EOF) {
			t.Errorf("%s: got %q, %v, want one session", what, ids, err)
		}
	}
}

// TestReaderPlain takes objects as sessions --json and show --json print them.
func TestReaderPlain(t *testing.T) {
	object, err := recorded().MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	file := openText(string(object) + "\n" + string(object))
	for range 2 {
		c, err := file.Next()
		if err != nil {
			t.Fatal(err)
		}
		if got, want := len(c.Session.Events), len(recorded().Events); got != want || c.Contents != nil {
			t.Errorf("got %d events and %v, want %d and no messages", got, c.Contents, want)
		}
		if _, err := c.Body(t.Context(), 0); !errors.Is(err, capture.ErrNoBody) {
			t.Errorf("its message: got %v, want %v", err, capture.ErrNoBody)
		}
	}
	if _, err := file.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want %v", err, io.EOF)
	}
}

// TestExactAgrees has a person change what the shape shows: that counts, and
// not what the capture has beside it.
func TestExactAgrees(t *testing.T) {
	text := written(t, recorded(), nil)
	text = strings.Replace(text, `"wait_ms":0.0`, `"wait_ms":700.0`, 1)
	text = strings.Replace(text, `"verb":"EH\ufffdLO"`, `"verb":"NO\ufffdOP"`, 1)
	c, err := openText(text).Next()
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Session.Events[2]; got.Wait != 700*time.Millisecond || got.Verb != "NO\ufffdOP" {
		t.Errorf("got a wait of %v for %q, want 700ms for %q", got.Wait, got.Verb, "NO\ufffdOP")
	}
}

// TestBodyOfChangedFile changes a file behind its reader's back.
func TestBodyOfChangedFile(t *testing.T) {
	text := []byte(written(t, recorded(), bodies{0: strings.Repeat("x", 200_000)}.open))
	file := capture.NewFile(bytes.NewReader(bytes.Clone(text)), bytes.NewReader(text), now)
	c, err := file.Next()
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.LastIndex(text, []byte(`"data":"`)) + 20
	text[at] ^= 1
	if got, err := content(t, c, 0); err == nil || !strings.Contains(err.Error(), "the file has changed") {
		t.Errorf("got %d octets, %v, want an error that says so", len(got), err)
	}
}

// TestLongLines reads lines that have no end.
func TestLongLines(t *testing.T) {
	for what, in := range map[string]io.Reader{
		"a line":  endless(`{"id":"` + strings.Repeat("x", 1<<20)),
		"members": io.LimitReader(endless(strings.Repeat("0,", 1<<20)), 10<<20),
		"nesting": io.LimitReader(endless(strings.Repeat("[", 1<<20)), 3<<20),
	} {
		_, err := capture.NewReader(in, now).Next()
		if err == nil || !strings.HasPrefix(err.Error(), "line 1: it ") {
			t.Errorf("%s without end: got %v, want an error that names line 1", what, err)
		}
	}
}

// endless repeats a text.
func endless(text string) io.Reader { return &repeat{text: text} }

type repeat struct {
	text string
	at   int
}

func (r *repeat) Read(b []byte) (int, error) {
	n := copy(b, r.text[r.at:])
	r.at = (r.at + n) % len(r.text)
	return n, nil
}

func TestWriterRefuses(t *testing.T) {
	broken := errors.New("the disk fails")
	fails := func(err error) capture.Body {
		return func(context.Context, int) (io.ReadCloser, error) { return nil, err }
	}
	if err := capture.NewWriter(io.Discard, "").Write(t.Context(), recorded(), fails(broken)); !errors.Is(err, broken) {
		t.Errorf("a message that cannot be read: got %v, want %v", err, broken)
	}
	if err := capture.NewWriter(&full{}, "").Write(t.Context(), recorded(), nil); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("a file that cannot be written: got %v, want %v", err, io.ErrShortWrite)
	}
	large := recorded()
	large.Messages = make([]inspect.Message, 550_000)
	if err := capture.NewWriter(io.Discard, "").Write(t.Context(), large, nil); err == nil || !strings.Contains(err.Error(), "too large for a capture") {
		t.Errorf("a session of 550,000 messages: got %v, want an error that says so", err)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }
