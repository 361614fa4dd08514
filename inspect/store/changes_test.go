package store

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

// changed lists what changed after a block: "01A delivered".
func changed(t *testing.T, s *Store, after int64, most int) (string, Changes) {
	t.Helper()
	c, err := s.Changes(context.Background(), after, most)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	last := int64(0)
	for _, v := range c.List {
		if v.Block < last || v.Block > c.Last {
			t.Errorf("%s stands in block %d, want one from %d to %d", v.Session.ID, v.Block, last, c.Last)
		}
		last = v.Block
		list = append(list, v.Session.ID+" "+string(v.Session.Outcome))
	}
	return strings.Join(list, ", "), c
}

func TestChanges(t *testing.T) {
	s := openStore(t, newDir(t), Options{})
	if got, c := changed(t, s, -1, 10); got != "" || c.Last != 0 {
		t.Errorf("of an empty record: got %q up to %d, want nothing up to 0", got, c.Last)
	}
	open := newScript("01B", start.Add(time.Second)).hello()
	feed(t, s, quiet(), delivered("01A", start, "a@b", "c@d", "x"), open.cut(), open.close(), refused("01C", start, "x@y", "550 no"))
	want := "01A delivered, 01B no-mail, 01C rejected"
	got, all := changed(t, s, 0, 10)
	if got != want || all.Skipped != 0 {
		t.Errorf("got %q, %d skipped; want %q: each session once, as it stands last", got, all.Skipped, want)
	}
	if got, c := changed(t, s, all.Last-1, 10); got != "01C rejected" || c.Last != all.Last {
		t.Errorf("after block %d: got %q up to %d, want what the last block has", all.Last-1, got, c.Last)
	}
	if got, c := changed(t, s, all.Last, 10); got != "" || c.Last != all.Last {
		t.Errorf("after the last block: got %q up to %d, want nothing", got, c.Last)
	}
	if got, c := changed(t, s, 0, 2); got != "01B no-mail, 01C rejected" || c.Skipped != 1 {
		t.Errorf("two at most: got %q and %d skipped, want the latest two and 1", got, c.Skipped)
	}
	if got, _ := changed(t, s, 1000, 10); got != want {
		t.Errorf("after a block that is to come: got %q, want %q: another database stands there", got, want)
	}
}

// TestChangesFarBehind asks after a block long ago: the work is bounded, and
// what was left out is counted.
func TestChangesFarBehind(t *testing.T) {
	s := openStore(t, newDir(t), Options{})
	const n = changedBlocks + 5
	for i := range n {
		feed(t, s, quiet(), delivered(fmt.Sprintf("01%03d", i), start.Add(time.Duration(i)*time.Second), "a@b", "c@d", "x"))
	}
	_, c := changed(t, s, 0, 1000)
	if len(c.List) != changedBlocks || c.Skipped != 5 || c.Last != n {
		t.Errorf("after block 0 of %d: got %d changes, %d skipped, up to %d; want %d, 5 and %d", n, len(c.List), c.Skipped, c.Last, changedBlocks, n)
	}
	if got := c.List[len(c.List)-1].Session.ID; got != "01020" {
		t.Errorf("the last change is of %s, want 01020, the newest", got)
	}
}
