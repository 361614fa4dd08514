package store

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// FuzzEntries checks that what goes in comes out.
func FuzzEntries(f *testing.F) {
	f.Add(1, int64(1), uint8(0), "reply", "RCPT", "550 5.1.1 no", 550, "5.1.1", int64(12), int64(99), "odd", "mail.test")
	f.Add(1<<40, int64(-5), uint8(255), "", "\x00\xff", "a\nb", 0, "", int64(-1), int64(-1), "", "")
	f.Fuzz(func(t *testing.T, seq int, at int64, flags uint8, kind, verb, text string, code int, enhanced string, size, wait int64, odd, fact string) {
		if seq < 0 || code < 0 {
			return
		}
		e := session.Entry{
			Seq: seq, At: time.Unix(0, at).UTC(), Leg: session.Side(flags & 1), From: session.Origin(flags >> 1 & 3 % 3),
			Own: flags&8 != 0, Secure: flags&16 != 0, Edit: flags&32 != 0, Kind: session.Kind(kind), Phase: session.Phase(odd), Verb: verb,
			Text: text, Code: code, Enhanced: enhanced, Bytes: size, Wait: time.Duration(wait), Odd: session.Oddity(odd),
		}
		fact = strings.ToValidUTF8(fact, "")
		if fact != "" {
			e.TLS = &session.TLS{Version: fact, Duration: time.Duration(wait), Chain: []session.Certificate{{Subject: fact}}}
			e.Fault = &session.Fault{First: []byte(fact)}
		}
		other := session.Entry{Seq: 2, At: time.Unix(0, 7).UTC(), Kind: "note", Text: text}
		want := []session.Entry{e, other, e}
		c := newEntryCodec()
		got, err := c.decode(c.encode(t, want))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %+v, %v\nwant %+v", got, err, want)
		}
	})
}

func (c *entryCodec) encode(t *testing.T, list []session.Entry) []byte {
	t.Helper()
	var b []byte
	var last int64
	for i := range list {
		var err error
		if b, err = c.append(b, &list[i], last); err != nil {
			t.Fatal(err)
		}
		last = list[i].At.UnixNano()
	}
	return b
}

func (c *entryCodec) decode(b []byte) (list []session.Entry, err error) {
	err = c.read(b, func(e *session.Entry) error {
		list = append(list, *e)
		return nil
	})
	return list, err
}

// FuzzDamagedEntries checks that arbitrary bytes give entries or an error, and
// no more entries than there are bytes.
func FuzzDamagedEntries(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3})
	f.Add([]byte{flagFacts, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 2, '{', '}'})
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := newEntryCodec().decode(b)
		if len(list) > len(b) {
			t.Errorf("%d entries of %d bytes", len(list), len(b))
		}
		if err != nil && !errors.Is(err, errCoding) {
			t.Errorf("error %v, want errCoding", err)
		}
	})
}

// FuzzSection checks that pieces come back as they were packed, and that
// damage shows.
func FuzzSection(f *testing.F) {
	f.Add([]byte("hello"), []byte("\x28\xb5\x2f\xfd"), int64(5), 3)
	p, err := newPacker()
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(p.close)
	f.Fuzz(func(t *testing.T, data, damaged []byte, key int64, message int) {
		if key < 0 || message < 0 {
			return
		}
		want := []piece{{key, message, data}, {1, 0, nil}, {key, message, data}}
		var section []byte
		for _, w := range want {
			section = appendPiece(section, w, true)
		}
		plain, err := p.unpack(p.pack(nil, section))
		if err != nil {
			t.Fatal(err)
		}
		i := 0
		err = eachPiece(plain, true, func(got piece) error {
			if got.key != want[i].key || got.message != want[i].message || !bytes.Equal(got.data, want[i].data) {
				t.Errorf("piece %d = %+v, want %+v", i, got, want[i])
			}
			i++
			return nil
		})
		if err != nil || i != len(want) {
			t.Errorf("%d pieces, %v", i, err)
		}
		if plain, err := p.unpack(append([]byte{codingZstd}, damaged...)); err == nil {
			eachPiece(plain, false, func(piece) error { return nil })
		}
	})
}

func TestSummary(t *testing.T) {
	at := time.Date(2026, 11, 20, 1, 2, 3, 123456789, time.UTC)
	want := &inspect.Session{ID: "1", Started: at, Ended: at.Add(1), Outcome: inspect.Failed, Upstream: inspect.UpstreamLeg{TLS: chain()}, Messages: []inspect.Message{}, Edits: []string{}, Findings: []inspect.Finding{}}
	var h handshakes
	b, err := h.appendSummary(nil, want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := new(handshakes).readSummary(b)
	want.Upstream.TLS.Duration = 0 // it stands in the history only
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
	if _, err := new(handshakes).readSummary(b[:5]); !errors.Is(err, errCoding) {
		t.Errorf("half a summary: %v, want errCoding", err)
	}
}
