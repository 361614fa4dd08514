package replay_test

import (
	"slices"
	"testing"

	"smtp-proxy/upstream/replay"
)

const oneMail = `
<- 220 mx
-> EHLO app
<- 250-mx
<- 250-SIZE 1000
<- 250 AUTH PLAIN LOGIN
-> AUTH PLAIN AGFwcAByaWdodCBwYXNzd29yZA==
<- 235 2.7.0 welcome
-> MAIL FROM:<a@x.example>
<- 250 2.1.0 ok
-> RCPT TO:<full@y.example>
<- 452 4.2.2 <full@y.example> is full
-> RCPT TO:<full2@y.example>
<- 452 4.2.2 <full2@y.example> is full
-> RCPT TO:<bob@y.example>
<- 250 2.1.5 ok
-> DATA
<- 354 go
-> Hello
-> .
<- 250 2.0.0 queued
-> QUIT
<- 221 bye`

// What an app does in another way is answered as the recording lets one
// expect, and told.
func TestStageAnswersOtherApps(t *testing.T) {
	recording := recordTalk(t, oneMail)
	for name, c := range map[string]struct {
		app  string
		told []string
	}{
		"another recipient": {`
<- 220 mx
-> EHLO other
<- 250*
-> AUTH PLAIN AGFwcABvdGhlciBwYXNzd29yZA==
<- 235 2.7.0 welcome
-> MAIL FROM:<A@X.example> SIZE=5
<- 250 2.1.0 ok
-> RCPT TO:<eve@y.example>
<- 452 4.2.2 <eve@y.example> is full
-> RCPT TO:<bob@y.example>
<- 250 2.1.5 ok
-> DATA
<- 354 go
-> .
<- 250 2.0.0 queued`,
			[]string{"RCPT TO:<eve@y.example> was not recorded: answered 452 as most others"}},
		"another order": {`
<- 220 mx
-> MAIL FROM:<a@x.example>
<- 503 5.5.1 Send EHLO first
-> EHLO app
<- 250*
-> RCPT TO:<bob@y.example>
<- 503 5.5.1 Need MAIL first
-> DATA
<- 503 5.5.1 Need MAIL first
-> MAIL FROM:<a@x.example>
<- 250 2.1.0 ok
-> DATA
<- 554 5.5.1 No valid recipients`,
			[]string{
				"MAIL FROM:<a@x.example> was not recorded before EHLO: answered 503",
				"RCPT TO:<bob@y.example> was not recorded before MAIL: answered 503",
				"DATA was not recorded before MAIL: answered 503",
				"MAIL came without AUTH; the recording has it behind AUTH",
				"DATA was not recorded without an accepted RCPT: answered 554",
			}},
		"other commands": {`
<- 220 mx
-> HELO app
<- 250 mx
-> NOOP
<- 250 2.0.0 Ok
-> STARTTLS
<- 502 5.5.1 STARTTLS is not available
-> FROBNICATE
<- 502 5.5.2 Command not recognized
-> QUIT
<- 221 bye`,
			[]string{
				"HELO was not recorded: answered 250",
				"NOOP was not recorded: answered 250",
				"STARTTLS was not recorded: answered 502",
				"FROBNICATE was not recorded: answered 502",
			}},
		"another way to sign in": {`
<- 220 mx
-> EHLO app
<- 250*
-> AUTH LOGIN
<- 334 VXNlcm5hbWU6
-> YXBw
<- 334 UGFzc3dvcmQ6
-> c2VjcmV0IHdvcmRz
<- 235 2.7.0 welcome
-> QUIT
<- 221 bye`,
			[]string{`AUTH LOGIN as "app" was not recorded: answered 235 as most others`}},
		"a challenge that was not recorded": {`
<- 220 mx
-> EHLO app
<- 250*
-> AUTH LOGIN eve
<- 334 UGFzc3dvcmQ6
-> c2VjcmV0IHdvcmRz
<- 235 2.7.0 welcome`,
			[]string{`AUTH LOGIN as "" was not recorded: answered 235 as most others`}},
		"the same in two lines": {`
<- 220 mx
-> EHLO app
<- 250*
-> AUTH PLAIN
<= 334 \r\n
-> AGFwcAByaWdodCBwYXNzd29yZA==
<- 235 2.7.0 welcome`, nil},
		"thinks better of it": {`
<- 220 mx
-> EHLO app
<- 250*
-> AUTH PLAIN
<= 334 \r\n
-> *
<- 501 5.7.0 Cancelled
-> QUIT
<- 221 bye`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, replay.StageOptions{}, recording)
			if err := s.say(t, c.app); err != nil {
				t.Error(err)
			}
			if told := s.told(); !slices.Equal(told, c.told) {
				t.Errorf("got differences\n%q\nwant\n%q", told, c.told)
			}
		})
	}
}

// What decides about mail and was not recorded gets no answer that could be
// taken for the smarthost's.
func TestStageMakesUpNoVerdict(t *testing.T) {
	s := serve(t, replay.StageOptions{}, recordTalk(t, `
<- 220 mx
-> EHLO app
<- 250 mx
-> QUIT
<- 221 bye`))
	err := s.say(t, `
<- 220 mx
-> EHLO app
<- 250 mx
-> MAIL FROM:<a@x.example>
<- 421 4.3.0 smtp-proxy: the recording ends before MAIL
! eof`)
	if err != nil {
		t.Error(err)
	}
}
