package capture_test

import (
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"smtp-proxy/inspect/capture"
)

// FuzzReader wants what was read, written again and read again, to be the
// same: whatever a stranger wrote, it is a session or an error.
func FuzzReader(f *testing.F) {
	whole := written(f, recorded(), bodies{0: "Subject: x\r\n\r\n..\r\n", 2: ""}.open)
	f.Add(whole)
	f.Add(whole + whole)
	f.Add(strings.ReplaceAll(whole, `"exact":{`, `"exact":{"octets":{"/events/0/text":"/w=="},`))
	f.Add(`{"id":"` + id + `","started":"2026-01-01T00:00:00Z","ended":null,"outcome":"open","events":[{"seq":1},{"seq":2,"tls":{},"tls_ms":-1}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		file := openText(text)
		for {
			c, err := file.Next()
			if err != nil {
				if !errors.Is(err, io.EOF) && !strings.HasPrefix(err.Error(), "line ") {
					t.Errorf("got %v, want an error that names its line, of %q", err, text)
				}
				return
			}
			wantSame(t, c)
		}
	})
}

// wantSame writes a session that was read, and reads it again.
func wantSame(t *testing.T, c *capture.Capture) {
	t.Helper()
	again, err := openText(written(t, c.Session, c.Body)).Next()
	if err != nil {
		t.Fatalf("session %+v: got %v, want it to be read again", c.Session, err)
	}
	got, gotErr := again.Session.MarshalJSON()
	want, wantErr := c.Session.MarshalJSON()
	if string(got) != string(want) || gotErr != nil || wantErr != nil {
		t.Errorf("got\n%s %v, want\n%s %v", got, gotErr, want, wantErr)
	}
	for i := range c.Session.Events {
		if got, want := again.Session.Events[i], c.Session.Events[i]; !got.At.Equal(want.At) || got.Wait != want.Wait || got.Text != want.Text {
			t.Errorf("event %d: got %+v, want %+v", i, got, want)
		}
	}
	for message := range c.Session.Messages {
		got, _ := content(t, again, message)
		want, err := content(t, c, message)
		if got != want || err != nil && !errors.Is(err, capture.ErrNoBody) {
			t.Errorf("message %d: got %q, want %q (%v)", message, got, want, err)
		}
	}
}

// FuzzWriter wants back what was written, whatever octets it is made of.
func FuzzWriter(f *testing.F) {
	f.Add("250 \xe9\n\u2028", "\x00.\r\n", int64(1), int64(49_999), uint16(3))
	f.Add("\ufffd", "", int64(-1), int64(-50_000), uint16(0))
	f.Fuzz(func(t *testing.T, text, message string, at, wait int64, times uint16) {
		s := recorded()
		at, wait = at%int64(24*time.Hour), wait%int64(24*time.Hour)
		s.Events[2].Text, s.Events[2].At, s.Events[2].Wait = text, s.Started.Add(time.Duration(at)), time.Duration(wait)
		s.Messages[0].Subject, s.App.Helo = text, message
		sent := bodies{0: strings.Repeat(message, int(times)%1000), 2: text}
		c, err := openText(written(t, s, sent.open)).Next()
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(c.Session, s) {
			t.Errorf("got %+v, want %+v (UTF-8: %v)", c.Session, s, utf8.ValidString(text))
		}
		for n, want := range sent {
			if got, err := content(t, c, n); got != want || want != "" && err != nil {
				t.Errorf("message %d: got %q, %v, want %q", n, got, err, want)
			}
		}
	})
}
