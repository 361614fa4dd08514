package rules

import (
	"regexp"
	"strings"

	"smtp-proxy/proxy/wire"
)

// The events that a symptom can be.
const (
	EventReply = "reply" // an SMTP reply
	EventError = "error" // the words of a client, a library or a log
)

// Symptom is what rules are held against: one reply, or the words of an
// error, with what is known of the session it stands in. An empty field is
// unknown, and a condition on it does not hold.
type Symptom struct {
	Event     string // EventReply when empty
	Provider  string // id of the smarthost's provider or software
	Phase     string
	Verb      string
	Code      int
	Enhanced  string
	Text      string // the lines without their codes
	Auth      string // none, accepted, refused
	Mechanism string
	TLS       string // on, off

	said  string // the provider that the words themselves betray
	words string // Text as conditions see it

	present []bool // which of the index's literals the words contain; nil to try without
}

// FromReply returns the symptom of a reply. An enhanced code that stands
// elsewhere than at the head of the text, as in "sorry (#5.1.1)", counts too.
func FromReply(r wire.Reply) Symptom {
	s := Symptom{Event: EventReply, Code: r.Code, Enhanced: r.Enhanced, Text: r.Text()}
	if s.Enhanced == "" {
		s.Enhanced = strayEnhanced(s.Code, s.Text)
	}
	return s
}

// strayCode finds an enhanced code in brackets, behind a number sign, or at
// the head of the text though its class is not the reply's.
var strayCode = regexp.MustCompile(`(?:^|[(\[#]|\bdsn=?:? ?)([245]\.\d{1,3}\.\d{1,3})(?:$|[\s)\],;:])`)

func strayEnhanced(code int, text string) string {
	m := strayCode.FindStringSubmatch(text)
	if m == nil || (code != 0 && code/100 == 2) {
		return ""
	}
	return m[1]
}

// leadingCode is the code that each line of a reply may repeat.
var leadingCode = regexp.MustCompile(`^(?:[2-5]\d{2}[ -])?\s*#?[245]\.\d{1,3}\.\d{1,3}\b[:\s]*`)

// Words returns a text as the conditions of rules see it: lower case, without
// the codes at the head of lines, all white space single blanks, typographic
// quotes plain.
func Words(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = leadingCode.ReplaceAllString(strings.TrimSpace(line), "")
	}
	text = strings.ToLower(strings.Join(lines, " "))
	text = strings.NewReplacer("’", "'", "‘", "'", "“", `"`, "”", `"`, "\u00a0", " ").Replace(text)
	return strings.Join(strings.Fields(text), " ")
}

// leadingHost is the server's own name, which many put before what they say.
// Its labels ("mail", "relay") would be taken for words.
var leadingHost = regexp.MustCompile(`^[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}:? `)

// replyWords returns the words of a reply, less the server's name.
func replyWords(text string) string { return leadingHost.ReplaceAllString(Words(text), "") }
