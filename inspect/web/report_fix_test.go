package web

import (
	"strings"
	"testing"
)

// marked writes a step with its code in backquotes, with a + behind what can
// be copied.
func marked(step fixStep) string {
	var b strings.Builder
	for _, part := range step {
		switch {
		case part.ID != "":
			b.WriteString("`" + part.Text + "`+")
		case part.Code:
			b.WriteString("`" + part.Text + "`")
		default:
			b.WriteString(part.Text)
		}
	}
	return b.String()
}

func TestFixStep(t *testing.T) {
	for text, want := range map[string]string{
		"Compare the address.": "Compare the address.",
		"Look it up with the same resolver: dig smtp.gmial.com A; dig smtp.gmial.com AAAA.":          "Look it up with the same resolver: `dig smtp.gmial.com A`+; `dig smtp.gmial.com AAAA`+.",
		"Try from this machine: nc -vz {host} 587. If another port answers, use that one.":           "Try from this machine: `nc -vz {host} 587`. If another port answers, use that one.",
		"Try from this machine: nc -vz 192.0.2.1 587. If another port answers, use it.":              "Try from this machine: `nc -vz 192.0.2.1 587`+. If another port answers, use it.",
		"For a test only: --upstream-insecure.":                                                      "For a test only: `--upstream-insecure`+.",
		"Set --upstream-tls to auto or starttls, so that the way is upgraded.":                       "Set `--upstream-tls`+ to auto or starttls, so that the way is upgraded.",
		"Set TLS from the first byte: --upstream-tls implicit, or smtps://a.example:465.":            "Set TLS from the first byte: `--upstream-tls implicit`+, or `smtps://a.example:465`+.",
		"On your own Postfix ask the table: postmap -q a@b.example hash:/etc/x (or the map)":         "On your own Postfix ask the table: `postmap -q a@b.example hash:/etc/x`+ (or the map)",
		"Set the clock: timedatectl set-ntp true, or chronyc makestep; in a container, on its host.": "Set the clock: `timedatectl set-ntp true`+, or `chronyc makestep`+; in a container, on its host.",
		"Ask: dig $(reboot).example": "Ask: `dig $`(reboot).example",
		"Ask: dig a`reboot`":         "Ask: `dig a`reboot``",
		"the wire said it or it did": "the wire said it or it did",
	} {
		if got := marked(fixStepOf(text, true, 1, 1)); got != want {
			t.Errorf("%q:\n got %q\nwant %q", text, got, want)
		}
	}
}

// FuzzFixStep wants a step to say what it said, and nothing to be copied that
// a shell would take for more than words.
func FuzzFixStep(f *testing.F) {
	f.Add("Try: nc -vz a 25; dig a --upstream-tls none smtps://x:465.")
	f.Add(": dig a\n;rm -rf /")
	f.Fuzz(func(t *testing.T, text string) {
		said := ""
		for _, part := range fixStepOf(text, true, 1, 1) {
			said += part.Text
			if part.ID != "" && strings.ContainsAny(part.Text, "\n\r;&|<>$`\"'()\\*?!#~{}") {
				t.Errorf("%q: %q can be copied", text, part.Text)
			}
		}
		if said != text {
			t.Errorf("got %q, want %q", said, text)
		}
	})
}
