package replay_test

import (
	"testing"

	"smtp-proxy/upstream/replay"
)

// Normalising twice changes nothing more, and a text does not grow beyond what
// a placeholder is longer than the shortest thing that it stands for.
func FuzzNormal(f *testing.F) {
	for _, file := range []string{"testdata/variants.txt", "testdata/distinct.txt"} {
		for _, block := range blocks(f, file) {
			for _, reply := range block {
				f.Add(reply)
			}
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		once := replay.Normal(text)
		if twice := replay.Normal(once); twice != once {
			t.Errorf("Normal(%q)\n once %q\ntwice %q", text, once, twice)
		}
		if len(once) > 3*len(text)+8 {
			t.Errorf("Normal(%q): %d octets made of %d: %q", text, len(once), len(text), once)
		}
	})
}
