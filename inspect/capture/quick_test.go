package capture

import (
	"encoding/json"
	"reflect"
	"testing"
)

// FuzzQuick wants from a line of octets what encoding/json makes of it.
func FuzzQuick(f *testing.F) {
	const line = `{"body":{"session":"01J00000000000000000000000","message":0,"offset":65536,"data":"eHk="}}`
	f.Add(line)
	f.Add(line + "\r\n")
	f.Add(line[:len(line)-5] + "\r" + line[len(line)-5:])
	f.Add(`{"body":{"session":"01J00000000000000000000000","message":00,"offset":-1,"data":"eH\/="}}`)
	f.Add(`{"body":{"session":"01J00000000000000000000000","message":1,"offset":2,"data":""},"data":"x"}}`)
	f.Fuzz(func(t *testing.T, line string) {
		got, ok := quick([]byte(line), nil)
		if !ok {
			return
		}
		var want anyLine
		err := json.Unmarshal([]byte(line), &want)
		if len(got.Data) == 0 {
			got.Data = []byte{}
		}
		if err != nil || !reflect.DeepEqual(&got, want.Body) {
			t.Errorf("of %q: got %+v, want %+v, %v", line, got, want.Body, err)
		}
	})
}

// TestQuick wants the lines of a large message to take the quick way.
func TestQuick(t *testing.T) {
	b, ok := quick([]byte(`{"body":{"session":"01J00000000000000000000000","message":3,"offset":65536,"data":"eHk="}}`+"\n"), nil)
	if !ok || b.Message != 3 || b.Offset != 65536 || string(b.Data) != "xy" {
		t.Errorf("got %+v, %v, want the octets xy of message 3 at 65536", b, ok)
	}
}
