package testenv_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"smtp-proxy/testenv"
	"smtp-proxy/upstream/replay"
)

// exact are talks whose octets are the point: what the app says and what a tape
// answers. The tape takes the recorded and the repeated session alike.
func exact() map[string][2]string {
	greet := "<- 220 mx ESMTP\n-> EHLO*\n<- 250-mx\n<- 250 CHUNKING\n"
	take := "-> MAIL*\n<- 250 ok\n-> RCPT*\n<- 250 ok\n-> DATA\n<- 354 go\n! data\n<- 250 queued\n"
	end := "-> QUIT\n<- 221 bye\n"
	talk := func(text string) string {
		return "<- 220*\n" + hello + envelope + "-> DATA\n<- 354*\n=> " + text + ".\\r\\n\n<- 250*\n" + bye
	}
	return map[string][2]string{
		"dots":         {talk(`..\r\n...x\r\n..\r\n`), greet + take + end},
		"empty":        {talk(``), greet + take + end},
		"bare newline": {talk(`one\ntwo\rthree\r\n`), greet + take + end},
		"NUL and high": {talk(`\0\x01\xff\xfe\r\n`), greet + take + end},
		"long line":    {talk(strings.Repeat("x", 5000) + `\r\n`), greet + take + end},
		"lines of all kinds": {
			"<- 220*\n-> EHLO  two blanks \n<- 250*\n=> noop \\xff\\0\\t\\r\\n\n<- 250*\n=>  NOOP\\r\\n\n<- 250*\n=> NOOP a\\rb\\nc\\r\\n\n<- 250*\n-> FROB X\n<- 500*\n" + bye,
			"<- 220 mx ESMTP\n-> EHLO*\n<- 250 mx\n" + "=> noop \\xff\\0\\t\\r\\n\n<- 250 ok\n=>  NOOP\\r\\n\n<- 250 ok\n=> NOOP a\\rb\\nc\\r\\n\n<- 250 ok\n-> FROB*\n<- 500 what\n" + end,
		},
		"chunks": {
			"<- 220*\n" + hello + envelope + "=> BDAT 4\\r\\n\\r\\n.\\r\n<- 250*\n=> bdat 3 last\\r\\nQUI\n<- 250*\n" + bye,
			greet + "-> MAIL*\n<- 250 ok\n-> RCPT*\n<- 250 ok\n=> BDAT 4\\r\\n\\r\\n.\\r\n<- 250 ok\n=> bdat 3 last\\r\\nQUI\n<- 250 ok\n" + end,
		},
		"everything in one write": {
			"<- 220*\n" + hello + "=> MAIL FROM:<a@example.com>\\r\\nRCPT TO:<b@example.net>\\r\\nDATA\\r\\n\n<- 250*\n<- 250*\n<- 354*\n=> x\\r\\n.\\r\\nMAIL FROM:<a@example.com>\\r\\nRCPT TO:<c@example.net>\\r\\nRSET\\r\\nQUIT\\r\\n\n<- 250*\n<- 250*\n<- 250*\n<- 250*\n<- 221*\n",
			greet + "-> MAIL*\n-> RCPT*\n-> DATA\n<- 250 ok\n<- 250 ok\n<- 354 go\n! data\n-> MAIL*\n-> RCPT*\n-> RSET\n-> QUIT\n<- 250 ok\n<- 250 ok\n<- 250 ok\n<- 250 ok\n<- 221 bye\n",
		},
		"EHLO refused, HELO taken": {
			"<- 220*\n-> EHLO me\n<- 502*\n-> HELO me\n<- 250*\n" + envelope + message + bye,
			"<- 220 mx\n-> EHLO*\n<- 502 what\n-> HELO*\n<- 250 mx\n" + take + end,
		},
		"AUTH PLAIN": {
			"<- 220*\n" + hello + "-> AUTH PLAIN AGFwcABhYmNkZWZnaGlqa2xtbm9w\n<- 235*\n" + bye,
			greet + "-> AUTH*\n<- 235 ok\n" + end,
		},
		"AUTH PLAIN in two lines": {
			"<- 220*\n" + hello + "-> AUTH PLAIN\n<- 334*\n-> AGFwcABhYmNkZWZnaGlqa2xtbm9w\n<- 235*\n" + bye,
			greet + "-> AUTH*\n<= 334 \\r\\n\n-> *\n<- 235 ok\n" + end,
		},
		"AUTH LOGIN": {
			"<- 220*\n" + hello + "-> AUTH LOGIN\n<- 334*\n-> YXBw\n<- 334*\n-> YWJjZGVmZ2hpamtsbW5vcA==\n<- 235*\n" + bye,
			greet + "-> AUTH*\n<- 334 VXNlcm5hbWU6\n-> *\n<- 334 UGFzc3dvcmQ6\n-> *\n<- 235 ok\n" + end,
		},
		"refused within the message": {
			"<- 220*\n" + hello + envelope + "-> DATA\n<- 354*\n=> one\\r\\n\n<- 552*\n=> two\\r\\n.\\r\\n\n" + bye,
			greet + "-> MAIL*\n<- 250 ok\n-> RCPT*\n<- 250 ok\n-> DATA\n<- 354 go\n=> one\\r\\n\n<- 552 5.3.4 too much\n! data\n" + end,
		},
		"closed within the message": {
			"<- 220*\n" + hello + envelope + "-> DATA\n<- 354*\n=> one\\r\\n\n<- 421*\n! eof\n",
			greet + "-> MAIL*\n<- 250 ok\n-> RCPT*\n<- 250 ok\n-> DATA\n<- 354 go\n=> one\\r\\n\n! close\n",
		},
	}
}

// What is delivered again is what was delivered, octet by octet, lines and all.
func TestTheSmarthostHearsTheSameOctets(t *testing.T) {
	t.Parallel()
	var names []string
	for name := range exact() {
		names = append(names, name)
	}
	slices.Sort(names)
	eachAtOnce(t, names, func(t *testing.T, name string) {
		talk := exact()[name]
		tape := newTape(t, talk[1], testenv.TapeOptions{})
		f := &testenv.Fault{Upstream: tape.Addr()}
		f.Relay.UpstreamTLS = "none"
		c := rerunCase{name: name, app: testenv.App{Script: talk[0]}}
		s := c.record(t, f)
		got := startRerun(t, f).play(t, s.recording(), replay.Options{Deliver: true, Auth: right()})
		if name == "closed within the message" {
			if !got.Identical() || len(got.NotSent) != 1 {
				t.Errorf("got a difference, want the message alone not sent:\n%s", told(got, s))
			}
			return
		}
		if err := tape.Wait(within(t), 2); err != nil {
			t.Errorf("the tape: %v", err)
		}
		if !got.Identical() || len(got.NotSent) > 0 {
			t.Errorf("got a difference:\n%s", told(got, s))
		}
		if then, now := tape.Received(0), tape.Received(1); !bytes.Equal(then, now) {
			t.Errorf("the smarthost heard\n%q, then\n%q", now, then)
		}
	})
}
