package replay_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"smtp-proxy/upstream/replay"
)

func dialStage(t *testing.T, s *served) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	return c
}

// A line without end is refused in bounded memory.
func TestStageRefusesEndlessLines(t *testing.T) {
	s := serve(t, replay.StageOptions{}, recordTalk(t, oneMail))
	c := dialStage(t, s)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	chunk := bytes.Repeat([]byte("x"), 32<<10)
	var err error
	for sent := 0; err == nil && sent < 64<<20; sent += len(chunk) {
		_, err = c.Write(chunk)
	}
	runtime.ReadMemStats(&after)
	if err == nil {
		t.Error("got 64 MiB of one line taken, want the connection ended")
	}
	if grown := int64(after.TotalAlloc) - int64(before.TotalAlloc); grown > 16<<20 {
		t.Errorf("got %d octets of memory for one line, want less than 16 MiB", grown)
	}
}

// An app that makes up commands is not told of each for ever.
func TestStageBoundsItsReports(t *testing.T) {
	s := serve(t, replay.StageOptions{}, recordTalk(t, oneMail))
	c := dialStage(t, s)
	read := make(chan struct{})
	go func() { defer close(read); _, _ = io.Copy(io.Discard, c) }()
	var all strings.Builder
	for i := range 2000 {
		all.WriteString("X" + strings.Repeat("A", i%10) + strings.Repeat("B", i/10%10) + strings.Repeat("C", i/100) + "\r\n")
	}
	if _, err := io.WriteString(c, all.String()+"QUIT\r\n"); err != nil {
		t.Fatal(err)
	}
	<-read
	if got := len(s.told()); got < 100 || got > 200 {
		t.Errorf("got %d differences of 2000 made-up commands, want from 100 to 200", got)
	}
}

// More apps than there is room for wait, and are served when others have left.
func TestStageBoundsItsSessions(t *testing.T) {
	s := serve(t, replay.StageOptions{}, recordTalk(t, oneMail))
	var held []net.Conn
	greeted := make(chan bool, 200)
	for range 80 {
		c := dialStage(t, s)
		held = append(held, c)
		go func() {
			_, err := io.ReadFull(c, make([]byte, len("220 mx\r\n")))
			greeted <- err == nil
		}()
	}
	for range 64 {
		if !<-greeted {
			t.Fatal("an app was not greeted")
		}
	}
	if got := s.stage.Played().Sessions; got != 64 {
		t.Errorf("got %d sessions at once, want 64", got)
	}
	for _, c := range held[:64] {
		c.Close()
	}
	for _, c := range held[64:] {
		defer c.Close()
	}
	for range 16 {
		<-greeted
	}
}

// A stage ends after as many sessions as were asked for, and when it is told
// to whatever its apps do.
func TestStageEnds(t *testing.T) {
	for name, sessions := range map[string]int{"when told": 0, "after two": 2} {
		t.Run(name, func(t *testing.T) {
			stage, err := replay.Learn(recordTalk(t, oneMail)).Stage(replay.StageOptions{Sessions: sessions})
			if err != nil {
				t.Fatal(err)
			}
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			ended := make(chan error, 1)
			go func() { ended <- stage.Serve(ctx, ln) }()
			for range 2 {
				c, err := net.Dial("tcp", ln.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				_, _ = io.ReadFull(c, make([]byte, 8))
				defer c.Close()
				if sessions > 0 {
					c.Close()
				}
			}
			if sessions == 0 {
				stop()
			}
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
}

// What nobody wants to read is counted and not held.
func TestStageHoldsNoUnreadMessages(t *testing.T) {
	var got replay.Taken
	s := serve(t, replay.StageOptions{Unread: true, Keep: func(m replay.Taken) error { got = m; return nil }}, recordTalk(t, oneMail))
	if err := s.say(t, strings.Split(oneMail, "-> Hello")[0]+"-> Hello\n-> .\n<- 250 2.0.0 queued"); err != nil {
		t.Error(err)
	}
	if got.Octets != int64(len("Hello\r\n")) || len(got.Data) > 0 {
		t.Errorf("got %d octets, and %q of them, want 7 and none", got.Octets, got.Data)
	}
}

// Messages are kept whole, dots undone; one that cannot be kept is refused.
func TestStageKeepsMessages(t *testing.T) {
	var got replay.Taken
	refuse := error(nil)
	s := serve(t, replay.StageOptions{Keep: func(m replay.Taken) error { got = m; return refuse }}, recordTalk(t, oneMail))
	upToData := strings.Split(oneMail, "-> Hello")[0]
	if err := s.say(t, upToData+"-> ..Hello\n->\n-> .\n<- 250 2.0.0 queued"); err != nil {
		t.Error(err)
	}
	if want := ".Hello\r\n\r\n"; string(got.Data) != want || got.Octets != int64(len(want)) || got.From != "a@x.example" || got.User != "app" || len(got.To) != 1 {
		t.Errorf("got %+v with %q, want %q from a@x.example by app to one recipient", got, got.Data, want)
	}
	refuse = errors.New("the disk is full")
	if err := s.say(t, upToData+"-> .\n<- 452 4.3.1 smtp-proxy: the message could not be kept"); err != nil {
		t.Error(err)
	}
}
