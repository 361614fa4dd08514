package inspect

import (
	"reflect"
	"testing"
	"time"

	"smtp-proxy/proxy/session"
)

// fill puts something into every field, however deep, of whatever kind it is:
// different words, the given one among them, and numbers.
func fill(v reflect.Value, word string, n *int) {
	*n++
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), word, n)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(int64(*n)*86400, int64(*n)*1_234_567).UTC()))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), word, n)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), word, n)
		}
	case reflect.String:
		v.SetString(word + string(rune('a'+*n%26)))
	case reflect.Bool:
		v.SetBool(*n%2 == 0)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Uint8:
		v.SetUint(uint64(*n % 256))
	}
}

// sameAsJSON wants AppendSummary to write what MarshalJSON writes.
func sameAsJSON(t *testing.T, s *Session) {
	t.Helper()
	s.Events = nil
	want, wantErr := s.MarshalJSON()
	got, err := s.AppendSummary([]byte("before"))
	if (err != nil) != (wantErr != nil) {
		t.Fatalf("got error %v, want %v", err, wantErr)
	}
	if err == nil && string(got) != "before"+string(want) {
		t.Errorf("got\n%s\nwant\n%s\nbehind \"before\"", got, want)
	}
}

// FuzzAppendSummary compares the two ways to write a session, with every field
// in use, with none, and with the words of a peer in those that come from one.
func FuzzAppendSummary(f *testing.F) {
	f.Add("", "", int64(0), true)
	f.Add("plain", "250 2.0.0 ok", int64(1500), false)
	f.Add(`"quoted" \ <a&b>`, "tab\t nul\x00 del\x7f", int64(-1), true)
	f.Add("é\u2028 \xff", "ü😀", int64(1)<<50, false)
	f.Fuzz(func(t *testing.T, word, other string, took int64, full bool) {
		s := &Session{}
		if n := 0; full {
			fill(reflect.ValueOf(s).Elem(), word, &n)
		}
		s.Started = time.Unix(1_763_000_000, 123_456_789)
		if took != 0 {
			s.Ended = s.Started.Add(time.Duration(took) % (1000 * time.Hour))
		}
		s.App.Helo, s.Upstream.Provider = word, other
		s.Messages = append(s.Messages, Message{From: other, Size: took, Subject: word, Text: other, Captured: word})
		sameAsJSON(t, s)
		s.Messages[len(s.Messages)-1].To = []Recipient{{Addr: word, Code: int(took % 1000), Text: other}, {}}
		s.Codes, s.Edits = []string{word}, []string{other, word}
		s.App.TLS = &session.TLS{ServerName: other}
		sameAsJSON(t, s)
	})
}
