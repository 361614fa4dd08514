package replay_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream/replay"
)

// slow is a record with three seconds before MAIL, and a minute before the
// reply to it.
func slow(t *testing.T) replay.Recording {
	entries := within(t, mail()...)
	for i := range entries {
		if i >= 3 {
			entries[i].At = entries[i].At.Add(3 * time.Second)
		}
		if i >= 4 {
			entries[i].At = entries[i].At.Add(time.Minute)
		}
	}
	return kept(entries)
}

// The app's pauses are kept when they are asked for; the smarthost's are its
// own.
func TestPace(t *testing.T) {
	for pace, want := range map[bool]time.Duration{false: 0, true: 3 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			o := replay.Options{Pace: pace}
			script, err := slow(t).Script(o)
			if err != nil {
				t.Fatal(err)
			}
			conn, heard := smarthost(t, usual())
			began := time.Now()
			got := script.Play(t.Context(), conn, o)
			if took := time.Since(began).Round(time.Second); took != want || !got.Identical() {
				t.Errorf("pace %v: took %v, want %v: %+v", pace, took, want, got)
			}
			if w := got.Steps[2].RecordedWait; w.Round(time.Second) != time.Minute || got.Steps[2].Wait != 0 {
				t.Errorf("pace %v: waited %v, then %v, want nothing, then a minute", pace, got.Steps[2].Wait, w)
			}
			heard()
		})
	}
}

// A smarthost that says nothing is waited for as long as the options say.
func TestTimeout(t *testing.T) {
	for timeout, want := range map[time.Duration]time.Duration{0: 5 * time.Minute, 7 * time.Second: 7 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			answers := usual()
			delete(answers, "MAIL")
			conn, heard := smarthost(t, answers)
			o := replay.Options{Timeout: timeout}
			script, err := plain(t).Script(o)
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			got := script.Play(t.Context(), conn, o)
			if took := time.Since(began); took != want {
				t.Errorf("took %v, want %v", took, want)
			}
			phase, short := got.Short()
			if got.Err == nil || !strings.Contains(got.Err.Error(), "waiting for the reply to MAIL") || phase != session.PhaseMail || !short {
				t.Errorf("got %v in phase %s, want that MAIL had no reply", got.Err, phase)
			}
			if last := got.Steps[len(got.Steps)-1]; last.Command != "MAIL FROM:<a@example.com>" || last.Same || last.Why != "no reply came now: none within "+want.String() {
				t.Errorf("got %+v as the last step, want MAIL without a reply within %v", last, want)
			}
			heard()
		})
	}
}

// Who ends the context ends the session, and learns that it was he.
func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers := usual()
		delete(answers, "MAIL")
		conn, heard := smarthost(t, answers)
		script, err := plain(t).Script(replay.Options{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		got := script.Play(ctx, conn, replay.Options{})
		if !errors.Is(got.Err, context.DeadlineExceeded) || len(got.NotSent) != 3 {
			t.Errorf("got %v and %q not sent, want the context's end and all behind MAIL", got.Err, got.NotSent)
		}
		heard()
	})
}

// writes keeps what leaves in one piece.
type writes struct {
	net.Conn
	all []string
}

func (w *writes) Write(b []byte) (int, error) {
	w.all = append(w.all, string(b))
	return w.Conn.Write(b)
}

// What left together leaves together again, and what waited waits.
func TestAGroupIsOneWrite(t *testing.T) {
	entries := history(t, "<- 220 mx ESMTP", "-> EHLO me", "<- 250 mx",
		"-> MAIL FROM:<a@example.com>", "-> RCPT TO:<b@example.net>", "-> RCPT TO:<c@example.net>", "-> DATA",
		"<- 250 2.1.0 ok", "<- 250 2.1.5 ok", "<- 250 2.1.5 ok", "<- 354 go on", ".. hello\r\n", "<- 250 2.0.0 queued", "-> QUIT", "<- 221 2.0.0 bye")
	conn, heard := smarthost(t, usual())
	w := &writes{Conn: conn}
	script, err := kept(entries, "hello\r\n").Script(replay.Options{Deliver: true})
	if err != nil {
		t.Fatal(err)
	}
	got := script.Play(t.Context(), w, replay.Options{})
	heard()
	want := []string{"EHLO me\r\n", "MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.net>\r\nRCPT TO:<c@example.net>\r\nDATA\r\n", "hello\r\n.\r\n", "QUIT\r\n"}
	if !slices.Equal(w.all, want) || !got.Identical() || got.Delivered != 1 {
		t.Errorf("wrote %q, want %q: %+v", w.all, want, got)
	}
}
