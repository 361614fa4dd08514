//go:build rigs

package rigs_test

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// head begins every message of the rigs. All programs send the same bytes.
const head = "From: Rig <rig@rig.test>\r\n" +
	"To: Mailbox <box@rig.test>\r\n" +
	"Subject: a message of the rigs\r\n" +
	"Message-ID: <one@rig.test>\r\n" +
	"Date: Fri, 20 Nov 2026 12:00:00 +0000\r\n" +
	"MIME-Version: 1.0\r\n" +
	"Content-Type: text/plain; charset=utf-8\r\n" +
	"Content-Transfer-Encoding: 8bit\r\n" +
	"\r\n"

// awkward is a body that relays have been known to change.
func awkward() string {
	return strings.Join([]string{
		".", "..", "...", ".leading dot", "a . alone", "",
		"trailing blanks  \t ", "\tleading tab", "",
		"Grüße, 世界, \U0001F4EE", "bytes that are no UTF-8: \xe4\xf6\xfc \xff\xfe \x80",
		"From the start of a line", ">From quoted",
		"QUIT", "RCPT TO:<someone@rig.test>", "MAIL FROM:<>", "BDAT 5 LAST",
		strings.Repeat("a line of 998 octets ", 48)[:998],
		strings.Repeat("a line of three thousand octets ", 94)[:3000],
		"", "", ".",
	}, "\r\n") + "\r\n"
}

// large is a body of n octets at least.
func large(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "%09d %s\r\n", i, strings.Repeat("x", 60))
		if i%1000 == 0 {
			b.WriteString(".\r\n..\r\n")
		}
	}
	return b.String()
}

// letters writes the messages into dir and returns the file of each.
func letters(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for name, body := range map[string]string{
		"short":   "one line\r\n",
		"awkward": awkward(),
		"20 MB":   large(20 << 20),
	} {
		files[name] = write(t, filepath.Join(dir, strings.ReplaceAll(name, " ", "")+".eml"), head+body)
	}
	return files
}

// received matches a header field that a server adds to each delivery: it
// holds the peer's address, the queue id and the time.
var received = regexp.MustCompile(`(?m)^(?:Received|Return-Path|Envelope-to|Delivery-date|Delivered-To|X-Original-To):.*\n(?:[ \t].*\n)*`)

// plainMessage is a stored message less what the server adds to each delivery.
func plainMessage(text []byte) string {
	header, body, _ := strings.Cut(string(text), "\n\n")
	return received.ReplaceAllString(header+"\n", "") + "\n" + body
}

// ids match what differs between two deliveries of the same message.
var (
	queueID = regexp.MustCompile(`(queued as |id=)[0-9A-Za-z-]+`)
	mailbox = regexp.MustCompile(`\bb\d+x(\d+)\b`)
	helo    = regexp.MustCompile(`\bj\d+\.app\.rig\.test\b`)
	spaces  = regexp.MustCompile(`\s+`)
)

// plainReply is a reply less what differs between two deliveries.
func plainReply(text string) string {
	text = queueID.ReplaceAllString(text, "${1}ID")
	text = mailbox.ReplaceAllString(text, "box$1")
	text = helo.ReplaceAllString(text, "APP")
	return strings.TrimSpace(spaces.ReplaceAllString(text, " "))
}
