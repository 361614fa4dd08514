//go:build rigs

package rigs_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net"
	"net/textproto"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// burst is what an app sends in one write, and how many replies it gets.
type burst struct {
	text    string
	replies int
}

// dialogues are sessions whose every reply is compared. @BOX@ is a mailbox,
// @PLAIN@ the account's answer to AUTH PLAIN.
func dialogues() map[string][]burst {
	return map[string][]burst{
		"every verb": {
			{"EHLO app.rig.test", 1}, {"NOOP anything", 1}, {"noop", 1}, {"VRFY @BOX@", 1}, {"EXPN staff", 1},
			{"HELP", 1}, {"ETRN rig.test", 1}, {"FOO bar", 1}, {"HELO app.rig.test", 1}, {"RSET", 1},
			{"mail from:<rig@rig.test>", 1}, {"rcpt to:<@BOX@>", 1}, {"Rset", 1}, {"QUIT", 1},
		},
		"out of order": {
			{"EHLO app.rig.test", 1}, {"DATA", 1}, {"RCPT TO:<@BOX@>", 1}, {"MAIL", 1}, {"MAIL FROM:<rig@rig.test", 1},
			{"MAIL FROM:<rig@rig.test> SIZE=999999999999", 1}, {"MAIL FROM:<rig@rig.test> NONSENSE=1", 1},
			{"MAIL FROM:<rig@rig.test>", 1}, {"MAIL FROM:<rig@rig.test>", 1}, {"DATA", 1}, {"EHLO again.rig.test", 1},
			{"RCPT TO:<@BOX@>", 1}, {"QUIT", 1},
		},
		"pipelined": {
			{"EHLO app.rig.test", 1},
			{"MAIL FROM:<rig@rig.test>\r\nRCPT TO:<@BOX@>\r\nRCPT TO:<nobody@rig.test>\r\nRCPT TO:<x@elsewhere.test>\r\nDATA", 5},
			{"Subject: one\r\n\r\n..one\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<@BOX@>\r\nDATA", 4},
			{"Subject: two\r\n\r\ntwo\r\n.\r\nRSET\r\nNOOP", 3},
			{"QUIT", 1},
		},
		"nobody accepts": {
			{"EHLO app.rig.test", 1},
			{"MAIL FROM:<rig@rig.test>\r\nRCPT TO:<nobody@rig.test>\r\nRCPT TO:<nobody2@rig.test>\r\nDATA", 4},
			{"RSET\r\nQUIT", 2},
		},
		"parameters": {
			{"EHLO app.rig.test", 1}, {"MAIL FROM:<rig@rig.test> SIZE=1000 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=rig+20one", 1},
			{"RSET", 1}, {"MAIL FROM:<gr\u00fc\u00dfe@rig.test> SMTPUTF8", 1}, {"RCPT TO:<@BOX@> NOTIFY=NEVER ORCPT=rfc822;someone@rig.test", 1},
			{"RCPT TO:<\u90ae\u4ef6@rig.test>", 1}, {"QUIT", 1},
		},
		"sign-ins": {
			{"EHLO app.rig.test", 1}, {"AUTH NONSENSE", 1}, {"AUTH PLAIN =", 1}, {"AUTH PLAIN", 1}, {"*", 1}, {"AUTH PLAIN not!base64", 1},
			{"AUTH PLAIN @PLAIN@", 1}, {"AUTH PLAIN @PLAIN@", 1}, {"MAIL FROM:<rig@rig.test> AUTH=<>", 1}, {"QUIT", 1},
		},
		"chunks": {
			{"EHLO app.rig.test", 1}, {"BDAT 5\r\nhel", 1}, {"MAIL FROM:<rig@rig.test>\r\nRCPT TO:<@BOX@>", 2},
			{"BDAT 15\r\nSubject: BDAT\r\nBDAT 11 LAST\r\n\r\nQUIT\r\n.", 2}, {"BDAT 0 LAST", 1}, {"QUIT", 1},
		},
	}
}

// TestDialogue holds the same dialogue with each server directly and through
// the proxy, and wants the same replies, word for word. With TLS on both legs
// the proxy changes nothing at all; with none the STARTTLS of the server is
// not for the app.
func TestDialogue(t *testing.T) {
	k := newKit(t)
	for _, s := range servers() {
		m := s.start(t, k)
		for _, l := range []legs{{clear, clear}, {implicit, implicit}} {
			p := newProxy(t, k, m, l)
			p.run(t)
			for name, bursts := range dialogues() {
				t.Run(s.name+" "+l.app+" "+name, func(t *testing.T) {
					box := m.mailboxes(t, 1)[0]
					want := converse(t, m.direct(l.app), protection(t, l.app, m.ca), bursts, box)
					got := converse(t, p.addr, protection(t, l.app, p.data+"/ca.pem"), bursts, box)
					if slices.Contains(want, end) {
						t.Errorf("the server left before the end of the dialogue: %q", want)
					}
					compareReplies(t, got, want)
				})
			}
			p.finish(t)
		}
	}
}

func compareReplies(t *testing.T, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		if g, w := at(got, i), at(want, i); g != w {
			t.Errorf("reply %d: got %q, want %q", i, g, w)
		}
	}
}

func at(all []string, i int) string {
	if i < len(all) {
		return all[i]
	}
	return "none"
}

// protection is the TLS configuration for a leg, nil for a clear one.
func protection(t *testing.T, leg, ca string) *tls.Config {
	t.Helper()
	if leg == clear {
		return nil
	}
	text, err := os.ReadFile(ca)
	must(t, err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	return &tls.Config{RootCAs: roots, ServerName: "localhost"}
}

// converse says the bursts, and returns the greeting and the replies until the
// server leaves, less what differs between two sessions.
func converse(t *testing.T, addr string, config *tls.Config, bursts []burst, box string) []string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	must(t, err)
	defer conn.Close()
	must(t, conn.SetDeadline(time.Now().Add(patience/3)))
	if config != nil {
		conn = tls.Client(conn, config)
	}
	fill := strings.NewReplacer("@BOX@", box, "@PLAIN@", base64.StdEncoding.EncodeToString([]byte("\x00"+account+"\x00"+password)))
	c := textproto.NewConn(conn)
	replies := hear(c, 1, nil)
	for _, b := range bursts {
		// A write that fails shows in the reply that does not come.
		_, _ = conn.Write([]byte(fill.Replace(b.text) + "\r\n"))
		if replies = hear(c, b.replies, replies); replies[len(replies)-1] == end {
			return replies
		}
	}
	return replies
}

// end stands for the reply that a server did not give before it left, and for
// the 421 with which the proxy says so.
const end = "the end"

// hear reads n replies and adds them to what was heard before.
func hear(c *textproto.Conn, n int, before []string) []string {
	for range n {
		code, text, err := c.ReadResponse(0)
		if err != nil || strings.HasPrefix(text, "4.4.2 smtp-proxy:") {
			return append(before, end)
		}
		before = append(before, plainReply(withoutOwn(fmt.Sprintf("%d %s", code, text))))
	}
	return before
}

// date matches the time in Exim's greeting.
var date = regexp.MustCompile(`\w{3}, \d+ \w{3} \d{4} [\d:]+ [+-]\d{4}`)

// withoutOwn removes what is a session's own: the offer of STARTTLS and the
// time.
func withoutOwn(text string) string {
	return date.ReplaceAllString(strings.ReplaceAll(text, "\nSTARTTLS", ""), "DATE")
}
