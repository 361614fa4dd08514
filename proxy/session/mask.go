package session

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"

	"smtp-proxy/proxy/wire"
)

// masked stands where a secret stood.
const masked = "***"

// keepSecret remembers octets that no text may show. They stay in memory until
// the session ends and are held nowhere else.
func (m *Machine) keepSecret(s []byte) {
	if len(s) == 0 || len(m.secrets) >= 64 || wire.Known(strings.ToUpper(string(s))) {
		return // a verb of SMTP is nobody's secret, and its masking would blind the record
	}
	m.secrets = append(m.secrets, append([]byte(nil), s...))
}

// keepEncoded remembers a blob that is probably base64, and what is in it.
func (m *Machine) keepEncoded(blob []byte) {
	m.keepSecret(blob)
	raw, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(blob)))
	if err != nil {
		return
	}
	m.keepSecret(raw)
	for _, part := range bytes.FieldsFunc(raw, func(r rune) bool { return r < ' ' }) {
		if len(part) < 4 {
			continue // it would mask half of any text
		}
		m.keepSecret(part)
		m.keepSecret([]byte(base64.StdEncoding.EncodeToString(part)))
	}
}

// mask takes every known secret out of a text: a server may echo what it was
// given. Secrets of one to three octets are masked as whole words only, since
// they would riddle any text.
func (m *Machine) mask(text string) string {
	for _, s := range m.secrets {
		switch {
		case len(s) >= 4:
			text = strings.ReplaceAll(text, string(s), masked)
		case strings.Contains(text, string(s)):
			text = maskWord(text, string(s))
		}
	}
	return text
}

func maskWord(text, word string) string {
	fields := strings.Split(text, " ")
	for i, f := range fields {
		if strings.Trim(f, `"'<>()[]:;,.`) == word {
			fields[i] = masked
		}
	}
	return strings.Join(fields, " ")
}

// authInside finds an AUTH command that hides in the text of another line,
// behind a bare newline or at a place where no parser looks for it.
var authInside = regexp.MustCompile(`(?i)\bAUTH[ \t]+[A-Z0-9_-]{1,20}[ \t]+([^\s]+)`)

// maskCommand returns a command's text as it may be recorded. Behind an AUTH, a
// line that is no known command may be a secret that has lost its place.
func (m *Machine) maskCommand(c wire.Command, text string) string {
	if m.auth != nil && !wire.Known(c.Verb) && text != "" {
		m.keepEncoded([]byte(text))
		return fmt.Sprintf("%s (%d octets that are no command)", masked, len(text))
	}
	if mentionsAuth(text) { // a regular expression costs as much as the rest of a command
		for _, found := range authInside.FindAllStringSubmatch(text, -1) {
			m.keepEncoded([]byte(found[1]))
		}
	}
	return m.mask(text)
}

// mentionsAuth reports whether the word AUTH stands in a text, in any case.
func mentionsAuth(text string) bool {
	for i := 0; i+len("AUTH") <= len(text); i++ {
		if text[i]|0x20 == 'a' && strings.EqualFold(text[i:i+len("AUTH")], "AUTH") {
			return true
		}
	}
	return false
}

// safeVerb returns a verb as it may be recorded: what is none that is known
// may be anything.
func (m *Machine) safeVerb(verb string) string {
	if wire.Known(verb) {
		return verb
	}
	if m.auth != nil || len(verb) > 16 || strings.Trim(verb, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "" {
		return "?"
	}
	return verb
}
