package rules_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"smtp-proxy/inspect/rules"
)

const goodRule = `
cause = "recipient.unknown"

[when]
text = ['no zebra of that name']

[explain]
what = "There is no {rcpt} here."

[[must_match]]
reply = '550 sorry, no zebra of that name lives here'
`

// What CheckFile says of a contributor's file: nothing when it is sound, all
// mistakes when it is not.
func TestCheckFile(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(string) string
		want   []string
	}{
		"sound":          {func(s string) string { return s }, nil},
		"unknown key":    {func(s string) string { return strings.Replace(s, "[when]", "[when]\ncolour = \"red\"", 1) }, []string{"unknown key when.colour"}},
		"no such cause":  {func(s string) string { return strings.Replace(s, "recipient.unknown", "recipient.zebra", 1) }, []string{`no cause "recipient.zebra"`}},
		"no example":     {func(s string) string { return s[:strings.Index(s, "[[must_match]]")] }, []string{"no [[must_match]] example"}},
		"misses example": {func(s string) string { return strings.Replace(s, "zebra of that name lives", "horse lives", 1) }, []string{"does not match its own example"}},
		"loses example": {func(s string) string {
			return strings.NewReplacer("lives here", "- greylisted", "550 sorry", "450 sorry", "[when]", "[when]\nvague = true").Replace(s)
		}, []string{"loses its own example"}},
		"bad expression": {func(s string) string { return strings.Replace(s, "no zebra", "no (zebra", 1) }, []string{"missing closing )"}},
		"upper case":     {func(s string) string { return strings.Replace(s, "['no zebra", "['no Zebra", 1) }, []string{"upper-case"}},
		"several mistakes": {func(s string) string {
			return strings.NewReplacer("{rcpt}", "{zebra}", "[when]", "[when]\nenhanced = [\"5.1\"]\ncode = [\"55\"]").Replace(s)
		}, []string{"unknown placeholder {zebra}", `enhanced "5.1"`, `code "55"`}},
		"other advice": {func(s string) string {
			return strings.NewReplacer("recipient.unknown", "auth.required", "[explain]", "[explain]\nretry = \"busy\"").Replace(s)
		}, []string{"a rule may change the pace only"}},
		"takes another's": {func(s string) string {
			return strings.Replace(s, "['no zebra of that name']", "['no zebra of that name', 'greylisted, please try again in \\d+ seconds or much later than that']", 1) + "\n[[must_match]]\nreply = '550 greylisted, please try again in 5 seconds or much later than that'\n"
		}, nil},
	} {
		file := filepath.Join(t.TempDir(), "zoo", "zebra.toml")
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(tt.change(goodRule)), 0o600); err != nil {
			t.Fatal(err)
		}
		err := rules.CheckFile(file)
		if len(tt.want) == 0 {
			if err != nil {
				t.Errorf("%s: got %v, want no error", name, err)
			}
			continue
		}
		for _, want := range tt.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v, want %q in it", name, err, want)
			}
		}
	}
	if err := rules.CheckFile("no/such/file.toml"); err == nil {
		t.Error("a missing file: got no error")
	}
}

// A new rule that takes an example from an old one is told so.
func TestCheckFileGuardsTheOthers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "zoo", "greedy.toml")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	greedy := `
cause = "message.spam"

[when]
enhanced = ["x.7.25"]
text = ['.*reverse dns validation failed.*', 'zebra']

[explain]

[[must_match]]
reply = '550 5.7.25 zebra'
`
	if err := os.WriteFile(file, []byte(greedy), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := rules.CheckFile(file); err == nil || !strings.Contains(err.Error(), "with this rule added: generic/") {
		t.Errorf("got %v, want an error that names the rule it takes from", err)
	}
}
