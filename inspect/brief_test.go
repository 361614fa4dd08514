package inspect

import (
	"reflect"
	"testing"

	"smtp-proxy/proxy/session"
)

// TestBrief makes entries brief and whole again, with every field in use and
// with none: a field that is added must not be forgotten.
func TestBrief(t *testing.T) {
	var n int
	full := session.Entry{}
	fill(reflect.ValueOf(&full).Elem(), "word", &n)
	flags := session.Entry{Own: true, Secure: true, Edit: true}
	for _, want := range []session.Entry{full, flags, {}} {
		b := briefOf(&want)
		if got := b.entry(); !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

// TestRest lets sessions rest at any point: what is told of them is the same as
// without.
func TestRest(t *testing.T) {
	for _, n := range []int{1, 7, 8, 9, 600, 1100} {
		awake, rested := NewAssembler(&session.Info{}), NewAssembler(&session.Info{})
		for i := range n {
			e := &session.Entry{Seq: i + 1, Kind: session.KindReply, Code: 250, Verb: "NOOP"}
			awake.Add(e)
			rested.Add(e)
			if i%3 == 0 {
				rested.Rest()
			}
		}
		if got, want := rested.Session(), awake.Session(); !reflect.DeepEqual(got, want) || rested.Last() != n {
			t.Errorf("%d entries: got %d events, want the %d of one that did not rest", n, len(got.Events), len(want.Events))
		}
	}
}
