package store

import (
	"fmt"
	"testing"
	"time"

	"smtp-proxy/proxy/session"
)

// TestRowsOfManyKinds inserts, in one batch, sessions in turn that share
// nothing with their neighbours, and enough of each kind for every size of
// statement.
func TestRowsOfManyKinds(t *testing.T) {
	const each = 64 + 8 + 2
	kinds := []struct {
		route, upstream, filter string
		refused                 bool
	}{
		{"one", "smtp.example.com:587", "route:one upstream:smtp.example.com outcome:delivered", false},
		{"two", "smtp.example.com:587", "route:two upstream:smtp.example.com outcome:delivered", false},
		{"one", "mx.example.net:25", "route:one upstream:mx.example.net outcome:rejected code:550 cause:recipient.unknown", true},
	}
	var batch []session.Record
	var want [3][]string
	for i := range each * len(kinds) {
		kind := kinds[i%len(kinds)]
		id, at := fmt.Sprintf("01J%06d", i), start.Add(time.Duration(i)*time.Millisecond)
		records := delivered(id, at, "a@example.com", id+"@example.net", "Subject: x\r\n\r\n")
		if kind.refused {
			records = refused(id, at, id+"@example.net", "550 5.1.1 unknown")
		}
		records[0].Session.Route, records[0].Session.Upstream = kind.route, kind.upstream
		batch = append(batch, records...)
		want[i%len(kinds)] = append(want[i%len(kinds)], id)
	}
	s := openStore(t, newDir(t), Options{})
	feed(t, s, quiet(), batch)
	for i, kind := range kinds {
		if got := ids(t, s, kind.filter, 0); !sameSet(got, want[i]) {
			t.Errorf("%q selects %d sessions: %v, want %d: %v", kind.filter, len(got), got, len(want[i]), want[i])
		}
	}
	if got := ids(t, s, "to:01J000100@example.net", 0); !sameSet(got, []string{"01J000100"}) {
		t.Errorf("the recipient of one session selects %v", got)
	}
}

func sameSet(got, want []string) bool {
	seen := map[string]bool{}
	for _, id := range got {
		seen[id] = true
	}
	for _, id := range want {
		if !seen[id] {
			return false
		}
	}
	return len(got) == len(want) && len(seen) == len(want)
}
