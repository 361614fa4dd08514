package store

import (
	"encoding/json"
	"reflect"
	"testing"

	"smtp-proxy/proxy/session"
)

// filled returns a value none of whose fields is zero.
func filled[T any](t *testing.T) *T {
	t.Helper()
	v := new(T)
	s := reflect.ValueOf(v).Elem()
	for i := range s.NumField() {
		switch f := s.Field(i); f.Kind() {
		case reflect.String:
			f.SetString(s.Type().Field(i).Name)
		case reflect.Int, reflect.Int64:
			f.SetInt(int64(i+1) * 1_000_003)
		default:
			t.Fatalf("%s.%s is a %s: facts.go does not know how to write it", s.Type(), s.Type().Field(i).Name, f.Kind())
		}
	}
	return v
}

// TestFacts writes and reads every field of the facts that every session has,
// each by itself and all together: a field that is added must be written, too.
func TestFacts(t *testing.T) {
	all := facts{Dial: filled[session.Dial](t), TCP: filled[session.TCP](t), Silent: filled[session.Silent](t)}
	for _, f := range []facts{{}, {Dial: all.Dial}, {TCP: all.TCP}, {Silent: all.Silent}, all, {TCP: all.TCP, Fault: &session.Fault{Op: "read", Text: "gone"}}} {
		b, err := f.append(nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := readFacts(b); err != nil || !reflect.DeepEqual(got, f) {
			t.Errorf("got %+v, %v from %q, want %+v", got, err, b, f)
		}
	}
}

// TestFactsAsJSON reads what versions before the shorter form have written.
func TestFactsAsJSON(t *testing.T) {
	want := facts{Dial: filled[session.Dial](t), TCP: filled[session.TCP](t)}
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := readFacts(b); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v from %s, want %+v", got, err, b, want)
	}
}

// FuzzFacts reads anything: what is read is written and read the same again.
func FuzzFacts(f *testing.F) {
	f.Add([]byte{0})
	f.Add([]byte{factSilent, 2, 4})
	f.Add([]byte(`{"dial":{"host":"a","addr":"b","family":"ipv4","duration":7}}`))
	f.Add([]byte{factDial | factTCP, 1, 'h'})
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := readFacts(b)
		if err != nil {
			return
		}
		again, err := got.append(nil)
		if err != nil {
			t.Fatalf("%q was read and cannot be written: %v", b, err)
		}
		if read, err := readFacts(again); err != nil || !reflect.DeepEqual(read, got) {
			t.Errorf("got %+v, %v, want %+v from %q", read, err, got, b)
		}
	})
}
