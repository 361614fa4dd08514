package testenv

import (
	"strings"
	"testing"
)

func TestParseScriptSaysWhichLineIsWrong(t *testing.T) {
	tests := map[string]string{
		"250 ok":               "none of",
		"<- ok\n! sing":        "line 2",
		"! pause":              "pause takes 1 words",
		"! pause soon":         "duration",
		"! call":               "call takes 1 words",
		"! close now":          "close takes 0 words",
		"!":                    "directive is missing",
		`<- \q`:                "no such escape",
		`<- \x4`:               "two hex digits",
		`<- \xzz`:              "two hex digits",
		`<- at the end \`:      "lone",
		"-> EHLO*\n\n<- ok\n?": "line 4",
	}
	for text, want := range tests {
		_, err := ParseScript(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseScript(%q): got error %v, want one with %q", text, err, want)
		}
	}
}

func TestParseScriptReadsEveryMark(t *testing.T) {
	text := `
		# a comment
		<- 220 hello
		-> EHLO*
		<= 250 a\r\n
		=> \x00\\\t
		! data
		---
		! pause 20ms
		! call hook
	`
	want := "<- 220 hello\n-> EHLO*\n<= 250 a\\r\\n\n=> \\x00\\\\\\x09\n! data\n---\n! pause 20ms\n! call hook\n"
	script, err := ParseScript(text)
	if err != nil {
		t.Fatal(err)
	}
	if got := script.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// What a script says is what is written when it is printed.
func FuzzParseScript(f *testing.F) {
	f.Add("<- 220 hello\n-> EHLO*\n! tls\n---\n<= \\x00\n")
	f.Add("! pause 1h2m\n\n#x\n=>  two blanks \\\\")
	f.Fuzz(func(t *testing.T, text string) {
		first, err := ParseScript(text)
		if err != nil {
			return
		}
		again, err := ParseScript(first.String())
		if err != nil {
			t.Fatalf("ParseScript(%q): %v, printed from %q", first.String(), err, text)
		}
		if got, want := again.String(), first.String(); got != want {
			t.Errorf("got %q, want %q, from %q", got, want, text)
		}
	})
}
