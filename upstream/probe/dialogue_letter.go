package probe

import (
	"crypto/rand"
	"strings"
	"time"
)

// letter is the test message, its lines ended. It says what it is, and that
// nobody need answer (RFC 3834, section 5).
func (a *caller) letter() string {
	id := rand.Text() + "@" + strings.Trim(a.name, "[]")
	return strings.Join([]string{
		"From: <" + a.script.From + ">",
		"To: <" + a.script.To + ">",
		"Subject: Test message through " + a.upstream,
		"Date: " + time.Now().Format(time.RFC1123Z),
		"Message-ID: <" + strings.ReplaceAll(id, ":", ".") + ">",
		"Auto-Submitted: auto-generated",
		"MIME-Version: 1.0",
		"Content-Type: text/plain; charset=us-ascii",
		"",
		"This is a test message. Somebody who looks after " + a.upstream,
		"sent it to this address with smtp-proxy check, to see whether mail",
		"arrives. If you are reading it, it does. Nothing needs to be done.",
		"",
	}, "\r\n")
}
