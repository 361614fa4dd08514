package store

import (
	"reflect"
	"testing"
	"time"

	"smtp-proxy/proxy/session"
)

// TestHandshakes writes handshakes that are alike but not the same: what comes
// back is what went in, however many were remembered.
func TestHandshakes(t *testing.T) {
	var in, out handshakes
	for i := range 20 {
		want := chain()
		want.Duration = time.Duration(i)
		want.Resumed = i%3 == 0
		want.Chain[0].Names = []string{"a", "b", "c"}[:i%3+1]
		want.Hello = &session.Hello{SNI: string(rune('a' + i%5))}
		text, err := in.marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := out.unmarshal(text)
		want.Duration = 0
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("handshake %d: got %+v, %v\nwant %+v", i, got, err, want)
		}
	}
	if text, err := in.marshal(nil); text != nil || err != nil {
		t.Errorf("no handshake gives %q, %v", text, err)
	}
	if _, err := out.unmarshal([]byte("{")); err == nil {
		t.Error("a damaged handshake is read")
	}
}
