package replay_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream/replay"
)

// oneRecipient is a session with one recipient and the reply to it.
func oneRecipient(to, reply string) string {
	talk := "<- 220 mx\n-> EHLO app\n<- 250 mx\n-> MAIL FROM:<a@x.example>\n<- 250 ok\n-> RCPT TO:<" + to + ">\n<- " + reply + "\n"
	if strings.HasPrefix(reply, "2") {
		talk += "-> DATA\n<- 354 go\n-> .\n<- 250 queued\n"
	}
	return talk + "-> QUIT\n<- 221 bye"
}

// later moves a recording in time.
func later(r replay.Recording, d time.Duration) replay.Recording {
	r.Entries = slices.Clone(r.Entries)
	for i := range r.Entries {
		r.Entries[i].At = r.Entries[i].At.Add(d)
	}
	return r
}

// Several sessions make one smarthost: what the newest says of a recipient
// counts, and what only an older one says stays so.
func TestStageOfSeveralSessions(t *testing.T) {
	full := recordTalk(t, oneRecipient("full@y.example", "452 4.2.2 full"))
	moved := recordTalk(t, oneRecipient("bob@y.example", "550 5.1.6 moved"))
	back := recordTalk(t, oneRecipient("bob@y.example", "250 back again"))
	s := serve(t, replay.StageOptions{}, moved, later(back, 2*time.Hour), later(full, time.Hour))
	for _, talk := range []string{
		oneRecipient("full@y.example", "452 4.2.2 full"), oneRecipient("bob@y.example", "250 back again"),
		oneRecipient("full@y.example", "452 4.2.2 full"),
	} {
		if err := s.say(t, talk); err != nil {
			t.Error(err)
		}
	}
	if told := s.told(); len(told) > 0 {
		t.Errorf("got differences %q, want none", told)
	}
}

// A greylist takes a recipient after the time that it took in the recordings.
func TestStageKeepsTheGreylist(t *testing.T) {
	start := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	grey := begun(recordTalk(t, oneRecipient("bob@y.example", "451 4.7.1 Greylisted, come back")), start)
	taken := recordTalk(t, oneRecipient("bob@y.example", "250 ok"))
	for _, c := range []struct {
		delay time.Duration
		fast  bool
		want  string // to the second try
	}{{time.Hour, false, "451 4.7.1 Greylisted, come back"}, {time.Hour, true, "250 ok"}, {time.Microsecond, false, "250 ok"}} {
		t.Run(fmt.Sprint(c.delay, c.fast), func(t *testing.T) {
			s := serve(t, replay.StageOptions{Fast: c.fast}, grey, begun(taken, start.Add(c.delay)))
			if err := s.say(t, oneRecipient("bob@y.example", "451 4.7.1 Greylisted, come back")); err != nil {
				t.Error("first try:", err)
			}
			if err := s.say(t, oneRecipient("bob@y.example", c.want)); err != nil {
				t.Error("second try:", err)
			}
		})
	}
}

// begun gives a recording a beginning, and its entries times that depend on
// nothing but their order.
func begun(r replay.Recording, at time.Time) replay.Recording {
	r.Entries = slices.Clone(r.Entries)
	for i := range r.Entries {
		r.Entries[i].At = at.Add(time.Duration(i) * time.Millisecond)
	}
	return r
}

// Two apps at once do not hear each other's answers.
func TestStagePlaysToSeveralApps(t *testing.T) {
	talk := talks["two transactions"]
	s := serve(t, replay.StageOptions{}, recordTalk(t, talk))
	var apps sync.WaitGroup
	for range 8 {
		apps.Go(func() {
			for range 3 {
				if err := s.say(t, talk); err != nil {
					t.Error(err)
				}
			}
		})
	}
	apps.Wait()
	if got := s.stage.Played().Sessions; got != 24 {
		t.Errorf("got %d sessions, want 24", got)
	}
}

// The recorded time passes, or it does not.
func TestStageKeepsTime(t *testing.T) {
	recording := recordTalk(t, strings.Replace(oneRecipient("bob@y.example", "250 ok"), "<- 250 queued", "! pause 1ms\n<- 250 queued", 1))
	for i, e := range recording.Entries {
		if e.Kind == session.KindReply && e.Verb == "." {
			recording.Entries[i].Wait = 400 * time.Millisecond
		}
	}
	took := func(fast bool) time.Duration {
		s := serve(t, replay.StageOptions{Fast: fast}, recording)
		began := time.Now()
		if err := s.say(t, oneRecipient("bob@y.example", "250 ok")); err != nil {
			t.Error(err)
		}
		return time.Since(began)
	}
	if fast, real := took(true), took(false); real < 400*time.Millisecond || fast > real {
		t.Errorf("a reply after 400 ms: got the session in %v, and without the recorded waits in %v", real, fast)
	}
}

// What the smarthost does to a silent app happens when the app is silent, and
// only then.
func TestStageTiresOfSilence(t *testing.T) {
	recording := recordTalk(t, `
<- 220 mx
-> EHLO app
<- 250 mx
! pause 200ms
<- 421 4.4.2 too slow
! close`)
	s := serve(t, replay.StageOptions{Fast: true}, recording)
	if err := s.say(t, "<- 220 mx\n-> EHLO app\n<- 250 mx\n<- 421 4.4.2 too slow\n! eof"); err != nil {
		t.Error("a silent app:", err)
	}
	if err := s.say(t, "<- 220 mx\n-> EHLO app\n<- 250 mx\n-> QUIT\n<- 221*"); err != nil {
		t.Error("a quick app:", err)
	}
}
