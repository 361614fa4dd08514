package replay

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
)

// learned is a model of a session that went well, from entries as the core
// makes them.
func learned() *Model {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	entries := []session.Entry{{Kind: session.KindOpen, Leg: session.Upstream, At: at}}
	reply := func(verb, text string) {
		code, _, _, _ := wire.ReplyLine([]byte(text))
		entries = append(entries, session.Entry{At: at, Leg: session.Upstream, From: session.FromUpstream, Kind: session.KindReply, Verb: verb, Code: code, Text: text})
	}
	ask := func(kind session.Kind, verb, text, answer string) {
		e := session.Entry{At: at, Kind: kind, Verb: verb, Text: text}
		if kind == session.KindAuth {
			e.Auth = &session.Auth{Mechanism: "PLAIN", Username: "app"}
		}
		entries = append(entries, e)
		reply(verb, answer)
	}
	reply("", "220 mx")
	ask(session.KindCommand, "EHLO", "EHLO app", "250-mx\n250-CHUNKING\n250 AUTH PLAIN LOGIN")
	ask(session.KindAuth, "AUTH", "AUTH PLAIN ***", "235 2.7.0 ok")
	ask(session.KindCommand, "MAIL", "MAIL FROM:<a@x.example>", "250 ok")
	ask(session.KindCommand, "RCPT", "RCPT TO:<b@y.example>", "250 ok")
	ask(session.KindCommand, "DATA", "DATA", "354 go")
	ask(session.KindData, ".", "", "250 queued")
	ask(session.KindCommand, "QUIT", "QUIT", "221 bye")
	return Learn(Recording{Entries: entries})
}

// FuzzStage lets an app say anything. The stage must end when the app has, what
// it says must be whole replies, and no more of them than the app could have
// asked for; a password is in none of them, nor in a report.
func FuzzStage(f *testing.F) {
	for _, said := range []string{
		"EHLO app\r\nAUTH PLAIN AGFwcABzZWNyZXQtd29yZA==\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<b@y.example>\r\nDATA\r\n..a\r\n.\r\nQUIT\r\n",
		"EHLO app\r\nAUTH LOGIN\r\nYXBw\r\nc2VjcmV0LXdvcmQ=\r\nAUTH CRAM-MD5\r\n*\r\nAUTH X\r\nAUTH\r\n",
		"EHLO app\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:b\r\nBDAT 3\r\nabcBDAT 0 LAST\r\nBDAT 99999999999999999999\r\n",
		"HELO\r\nMAIL\r\nRCPT\r\n\r\nVRFY x\r\n\x00\xff\r\nSTARTTLS\r\n",
		"secret-word\r\nX-secret-word y\r\nRSET secret-word\r\nNOOP\nNOOP\r\n",
	} {
		f.Add([]byte(said))
	}
	model := learned()
	f.Fuzz(func(t *testing.T, said []byte) {
		var reports bytes.Buffer
		stage, err := model.Stage(StageOptions{Fast: true, Report: func(d Deviation) { reports.WriteString(d.Text + "\n") }})
		if err != nil {
			t.Fatal(err)
		}
		heard := converseWith(t, stage, said)
		if !strings.HasPrefix(heard, "220 mx\r\n") {
			t.Fatalf("got %q, want the greeting first; the app said %q", heard, said)
		}
		replies := 0
		for line := range strings.Lines(heard) {
			_, more, _, ok := wire.ReplyLine([]byte(line))
			if !ok || !strings.HasSuffix(line, "\r\n") {
				t.Fatalf("got the line %q, want a reply; the app said %q", line, said)
			}
			if !more {
				replies++
			}
		}
		if most := 2 + bytes.Count(said, []byte("\n")); replies > most {
			t.Errorf("got %d replies, want at most %d; the app said %q", replies, most, said)
		}
		if bytes.Contains(said, []byte("AUTH PLAIN AGFwcABzZWNyZXQtd29yZA==\r\n")) && strings.Contains(heard+reports.String(), "AGFwcABzZWNyZXQtd29yZA") {
			t.Errorf("a password is in %q or %q", heard, reports.String())
		}
	})
}

// converseWith says everything, and returns what it heard.
func converseWith(t *testing.T, stage *Stage, said []byte) string {
	t.Helper()
	app, upstream := net.Pipe()
	deadline := time.Now().Add(10 * time.Second)
	_ = app.SetDeadline(deadline)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer upstream.Close()
		k := &talk{stage: stage, session: 1, raw: upstream, told: map[string]bool{}, said: map[*exchange]int{}}
		k.use(upstream)
		k.run(context.Background())
	}()
	heard := make(chan string)
	go func() {
		all, _ := io.ReadAll(bufio.NewReader(app))
		heard <- string(all)
	}()
	_, _ = app.Write(said)
	// A pipe has no half-close: this ends the app's own direction. What the stage
	// still says meets a closed pipe.
	_, _ = app.Write([]byte("\r\n"))
	app.Close()
	<-ended
	if time.Now().After(deadline) {
		t.Fatalf("the stage did not end; the app said %q", said)
	}
	return <-heard
}
