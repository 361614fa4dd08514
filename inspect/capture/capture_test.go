package capture_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/capture"
	"smtp-proxy/proxy/session"
)

var now = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

const id = "01J00000000000000000000000"

// recorded is a session with what a JSON object cannot hold: times below its
// tenths of a millisecond, and texts that are not UTF-8.
func recorded() *inspect.Session {
	began := now.Add(-time.Hour + 123456789)
	tls := &session.TLS{Version: "TLS 1.3", Chain: []session.Certificate{{Subject: "CN=mx\xff", NotBefore: began.Truncate(time.Second), Names: []string{}}}}
	shaken := *tls
	shaken.Duration = 49 * time.Microsecond
	return &inspect.Session{
		ID: id, Started: began, Ended: began.Add(812499999), Route: "default", Outcome: inspect.Rejected, Phase: session.PhaseRcpt,
		App:      inspect.AppLeg{Addr: "127.0.0.1:1", Helo: "app\xe9"},
		Upstream: inspect.UpstreamLeg{Name: "mx.test:25", TLS: tls},
		Messages: []inspect.Message{
			{From: "<a>@example.com", To: []inspect.Recipient{{Addr: "b@example.net", Code: 550, Enhanced: "5.1.1", Text: "550 5.1.1 <b> unknown"}}, Captured: "full"},
			{From: "second@example.com", To: []inspect.Recipient{}},
			{From: "third@example.com", To: []inspect.Recipient{}, Captured: "full"},
		},
		Edits: []string{}, Findings: []inspect.Finding{{
			Cause: "recipient.unknown", Certainty: inspect.Certain, Evidence: []inspect.Evidence{{Event: 7, Text: "550 \x80"}},
			Fix: []string{"a~/b"}, Refs: []string{}, Retry: inspect.Retry{Schedule: []int{}},
		}},
		Codes: []string{"550 5.1.1"},
		Events: []session.Entry{
			{Seq: 1, At: began, Kind: session.KindOpen, Phase: session.PhaseConnect},
			{Seq: 2, At: began.Add(-3 * time.Millisecond), Leg: session.Upstream, From: session.FromProxy, Kind: session.KindTLS, TLS: &shaken},
			{Seq: 4, At: began.Add(41234567), Leg: session.Upstream, From: session.FromUpstream, Kind: session.KindReply, Verb: "EH\xffLO",
				Code: 250, Text: "250-h\xe9llo\n250 \u2028 \ufffd & <x>", Bytes: 1 << 40, Wait: 20 * time.Microsecond},
			{Seq: 7, At: began.Add(99999), Kind: session.KindError, Odd: session.OddLongLine, Wait: 1,
				Fault: &session.Fault{Op: "read", Class: session.FaultReset, First: []byte{0, 255}, Text: "reset"}},
		},
	}
}

// bodies are the messages of a session, by their numbers.
type bodies map[int]string

func (b bodies) open(_ context.Context, message int) (io.ReadCloser, error) {
	text, ok := b[message]
	if !ok {
		return nil, capture.ErrNoBody
	}
	return io.NopCloser(iotest.HalfReader(strings.NewReader(text))), nil
}

func written(t testing.TB, s *inspect.Session, b capture.Body) string {
	t.Helper()
	var out bytes.Buffer
	if err := capture.NewWriter(&out, "smtp-proxy test").Write(t.Context(), s, b); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// openText reads a text as a file.
func openText(text string) *capture.File {
	return capture.NewFile(strings.NewReader(text), strings.NewReader(text), now)
}

func content(t testing.TB, c *capture.Capture, message int) (string, error) {
	t.Helper()
	in, err := c.Body(t.Context(), message)
	if err != nil {
		return "", err
	}
	defer in.Close()
	b, err := io.ReadAll(in)
	return string(b), err
}

// TestRoundTrip wants each session back as it was, and its messages.
func TestRoundTrip(t *testing.T) {
	first, second := recorded(), recorded()
	second.ID = "01J00000000000000000000001"
	second.Events = nil
	sent := bodies{0: strings.Repeat("..dots\r\n", 30_000), 2: "\x00\xff"}
	file := openText(written(t, first, sent.open) + "\n" + written(t, second, nil))
	for _, want := range []*inspect.Session{first, second} {
		c, err := file.Next()
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(c.Session, want) {
			t.Errorf("session %s: got\n%+v, want\n%+v", want.ID, c.Session, want)
		}
		for message := range want.Messages {
			got, err := content(t, c, message)
			text, ok := sent[message]
			if want == second || !ok {
				if !errors.Is(err, capture.ErrNoBody) {
					t.Errorf("session %s, message %d: got %d octets, %v, want %v", want.ID, message, len(got), err, capture.ErrNoBody)
				}
				continue
			}
			if got != text || err != nil {
				t.Errorf("session %s, message %d: got %d octets, %v, want %d", want.ID, message, len(got), err, len(text))
			}
		}
	}
	if _, err := file.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("behind the last session: got %v, want %v", err, io.EOF)
	}
}
