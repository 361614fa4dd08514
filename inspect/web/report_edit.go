package web

import (
	"strings"

	"smtp-proxy/proxy/session"
)

// edits are the proxy's own words for an edit, by their beginning, with what
// each side got. They stand in proxy/session; one that is not here is shown
// without.
func edits() []struct{ begins, app, upstream string } {
	return []struct{ begins, app, upstream string }{
		{"added STARTTLS to the EHLO reply", "the reply with STARTTLS", "sent it without"},
		{"removed STARTTLS from the EHLO reply", "the reply without STARTTLS", "sent it with STARTTLS"},
		{"removed ", "the EHLO reply without it", "sent it"},
		{"the proxy said ", "nothing: it waits for the reply to its EHLO", "a command that the app did not send"},
		{"the reply ", "a reply that the upstream did not send", "nothing of it"},
		{"the proxy answered the app's STARTTLS", "a reply that the upstream did not send", "nothing: its leg is not concerned"},
		{"the EHLO after STARTTLS", "the upstream's last EHLO reply, again", "nothing: it did not see this EHLO"},
		{"the upstream refused a second EHLO", "the upstream's last good EHLO reply", "sent a refusal"},
		{"added a line to the reply", "the reply with a line more", "sent it without that line"},
		{"discarded ", "nothing of it", "nothing of it"},
	}
}

// sidesOf says what each side got where the bytes differ.
func sidesOf(e *session.Entry) []fact {
	for _, k := range edits() {
		if strings.HasPrefix(e.Text, k.begins) {
			return []fact{{Name: "App", Text: k.app}, {Name: "Upstream", Text: k.upstream}}
		}
	}
	return nil
}
