package rules_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"smtp-proxy/inspect/rules"
)

func writeRule(t *testing.T, family, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), family, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// A file that is in the set already takes the place of itself; when it stops
// keeping an example from another, that is told.
func TestCheckFilesReplaces(t *testing.T) {
	text, err := os.ReadFile("yahoo/policy.toml")
	if err != nil {
		t.Fatal(err)
	}
	if err := rules.CheckFile(writeRule(t, "yahoo", "policy.toml", string(text))); err != nil {
		t.Errorf("a copy of yahoo/policy: got %v, want no error", err)
	}
	greedy := strings.Replace(string(text), `not = ['\[au\d\d\]']`, "", 1)
	err = rules.CheckFile(writeRule(t, "yahoo", "policy.toml", greedy))
	for _, want := range []string{"yahoo/policy: wins", "yahoo/authentication: loses"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("yahoo/policy without its exception: got %v, want %q in it", err, want)
		}
	}
}

// Files that are checked together meet each other, and each is told its own
// mistakes.
func TestCheckFilesTogether(t *testing.T) {
	rival := strings.Replace(goodRule, "recipient.unknown", "recipient.disabled", 1)
	checked, err := rules.CheckFiles(
		writeRule(t, "zoo", "zebra.toml", goodRule), writeRule(t, "park", "zebra.toml", rival),
		writeRule(t, "zoo", "broken.toml", "cause ="), writeRule(t, "zoo", "notes.txt", goodRule))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"zoo/zebra: ", "park/zebra: ties with zoo/zebra", "zoo/broken: toml: ", "a rule stands in FAMILY/NAME.toml"} {
		if c := checked[i]; c.Err == nil || !strings.Contains(c.Err.Error(), want) {
			t.Errorf("%s: got %v, want %q in it", c.File, c.Err, want)
		}
	}
}
