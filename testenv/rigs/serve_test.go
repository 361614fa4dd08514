//go:build rigs

package rigs_test

import (
	"path/filepath"
	"testing"
)

// TestFailures has mail programs meet failures directly and through the proxy,
// which records each.
func TestFailures(t *testing.T) {
	k := newKit(t)
	letter := write(t, filepath.Join(k.scratch(t), "letter.eml"), head+"one line\r\n")
	r := recordFailures(t, k, letter)
	t.Run("directly", func(t *testing.T) {
		for _, f := range failures() {
			t.Run(f.name, func(t *testing.T) {
				t.Parallel()
				v := f.recorder().try(t, f.job(f.start(t), letter))
				if f.fine != (v.exit == 0) || len(v.said) == 0 || r.ids[f.name] == "" {
					t.Errorf("got exit code %d and %q, want success: %t", v.exit, v.said, f.fine)
				}
			})
		}
	})
}
