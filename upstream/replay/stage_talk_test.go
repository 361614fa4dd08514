package replay_test

import (
	"testing"

	"smtp-proxy/upstream/replay"
)

// talks are whole sessions. Played again by the same app each must sound the
// same, word for word.
var talks = map[string]string{
	"several lines": `
<- 220-mx.example.com ESMTP
<- 220 be brief
-> EHLO app
<- 250-mx.example.com greets app
<- 250-PIPELINING
<- 250 SIZE 1000
-> QUIT
<- 221 2.0.0 bye`,

	"pipelined": `
<- 220 mx
-> EHLO app
<- 250-mx
<- 250 PIPELINING
=> MAIL FROM:<a@x.example> SIZE=9\r\nRCPT TO:<b@y.example>\r\nRCPT TO:<c@y.example>\r\nDATA\r\n
<- 250 2.1.0 sender
<- 250 2.1.5 b
<- 550 5.1.1 no such c
<- 354 go on
-> Subject: x
->
-> ..dots
-> .
<- 250 2.0.0 queued as 4711
-> QUIT
<- 221 bye`,

	"two transactions": `
<- 220 mx
-> EHLO app
<- 250 mx
-> MAIL FROM:<a@x.example>
<- 250 first
-> RCPT TO:<b@y.example>
<- 451 4.7.1 later
-> RSET
<- 250 reset
-> MAIL FROM:<a@x.example>
<- 250 second
-> RCPT TO:<b@y.example>
<- 250 now
-> DATA
<- 354 go
-> .
<- 554 5.7.1 spam
-> QUIT
<- 221 bye`,

	"out of order": `
<- 220 mx
-> MAIL FROM:<a@x.example>
<- 503 5.5.1 say hello
-> HELO app
<- 250 mx
-> RCPT TO:<b@y.example>
<- 503 5.5.1 sender first
-> DATA
<- 503 5.5.1 sender first, too
-> MAIL FROM:<a@x.example>
<- 250 ok
-> MAIL FROM:<a@x.example>
<- 503 5.5.1 nested
-> DATA
<- 554 5.5.1 nobody to send to
-> RCPT TO:<b@y.example>
<- 250 ok
-> QUIT
<- 221 bye`,

	"chunks": `
<- 220 mx
-> EHLO app
<- 250-mx
<- 250 CHUNKING
-> MAIL FROM:<a@x.example> BODY=BINARYMIME
<- 250 ok
-> RCPT TO:<b@y.example>
<- 250 ok
=> BDAT 5\r\na\nb\r\n
<- 250 5 octets
=> BDAT 3 LAST\r\n.\r\n
<- 552 5.3.4 too much
-> QUIT
<- 221 bye`,

	"login": `
<- 220 mx
-> EHLO app
<- 250-mx
<- 250 AUTH LOGIN PLAIN CRAM-MD5
-> AUTH LOGIN
<- 334 VXNlcm5hbWU6
-> YXBw
<- 334 UGFzc3dvcmQ6
-> d3JvbmcgcGFzc3dvcmQ=
<- 535-5.7.8 not that one
<- 535 5.7.8 try again
-> AUTH PLAIN AGFwcAByaWdodCBwYXNzd29yZA==
<- 235 2.7.0 welcome
-> MAIL FROM:<a@x.example>
<- 250 ok
-> QUIT
<- 221 bye`,

	"challenge": `
<- 220 mx
-> EHLO app
<- 250-mx
<- 250 AUTH CRAM-MD5 XOAUTH2
-> AUTH CRAM-MD5
<- 334 PDEyQG14LmV4YW1wbGU+
-> YXBwIDAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVm
<- 454 4.7.0 later
-> AUTH XOAUTH2 dXNlcj1tZUBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnRva2VuLXRva2VuLXRva2VuAQE=
<- 334 eyJzdGF0dXMiOiI0MDAifQ==
->
<- 535 5.7.8 token
-> AUTH GSSAPI
<- 504 5.5.4 none of mine
-> QUIT
<- 221 bye`,

	"sign in first": `
<- 220 mx
-> EHLO app
<- 250-mx
<- 250 AUTH PLAIN
-> MAIL FROM:<a@x.example>
<- 530 5.7.0 sign in
-> AUTH PLAIN AGFwcAByaWdodCBwYXNzd29yZA==
<- 235 2.7.0 welcome
-> MAIL FROM:<a@x.example>
<- 250 ok
-> QUIT
<- 221 bye`,

	"odd commands": `
<- 220 mx
-> EHLO app
<- 250 mx
-> NOOP
<- 250 nothing done
-> VRFY bob
<- 252 maybe
-> FROBNICATE now
<- 500 5.5.2 what?
-> HELP
<- 214-read
<- 214 RFC 5321
-> QUIT
<- 221 bye`,

	"words that are no reply": `
<- 220 mx
-> EHLO app
<- 250 mx
-> MAIL FROM:<a@x.example>
<- fine with me
<- 250 that is
-> QUIT
<- 221 bye`,

	"one reply too many": `
<- 220 mx
-> EHLO app
<- 250 mx
-> MAIL FROM:<a@x.example>
<- 250 ok
<- 250 ok again
-> RCPT TO:<b@y.example>
<- 250 ok
-> QUIT
<- 221 bye`,
}

func TestStageRepeatsTalks(t *testing.T) {
	for name, script := range talks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, replay.StageOptions{}, recordTalk(t, script))
			for range 2 {
				if err := s.say(t, script); err != nil {
					t.Errorf("the same app: %v", err)
				}
			}
			if told := s.told(); len(told) > 0 {
				t.Errorf("got differences %q, want none", told)
			}
		})
	}
}
