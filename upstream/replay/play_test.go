package replay_test

import (
	"bufio"
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
	"smtp-proxy/upstream/replay"
)

// history writes a record down as an app would tell it: "-> LINE" and
// "<- REPLY".
func history(t *testing.T, lines ...string) (entries []session.Entry) {
	t.Helper()
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i, line := range lines {
		mark, text, _ := strings.Cut(line, " ")
		e := session.Entry{Seq: i + 1, At: at.Add(time.Duration(i) * time.Millisecond), Text: text}
		switch mark {
		case "->":
			e.Kind, e.Verb, e.Bytes = session.KindCommand, strings.ToUpper(strings.Fields(text + " ?")[0]), int64(len(text)+2)
			e.Phase = phases()[e.Verb]
		case "<-":
			e.Kind, e.Leg, e.From = session.KindReply, session.Upstream, session.FromUpstream
			r, _ := wire.ParseReply(text)
			e.Code, e.Enhanced = r.Code, r.Enhanced
		case "..":
			e.Kind, e.Verb, e.Phase, e.Bytes, e.Text = session.KindData, ".", session.PhaseDot, int64(len(text)), ""
		case "!":
			e.Kind = session.KindClose
		default:
			t.Fatalf("line %q: want ->, <-, .. or !", line)
		}
		entries = append(entries, e)
	}
	return entries
}

func phases() map[string]session.Phase {
	return map[string]session.Phase{
		"EHLO": session.PhaseHelo, "HELO": session.PhaseHelo, "MAIL": session.PhaseMail, "RCPT": session.PhaseRcpt,
		"DATA": session.PhaseData, "BDAT": session.PhaseDot, "QUIT": session.PhaseQuit, "STARTTLS": session.PhaseTLS,
	}
}

// smarthost answers each line by its verb and tells what it heard.
func smarthost(t *testing.T, answers map[string]string) (conn net.Conn, heard func() []string) {
	t.Helper()
	app, peer := net.Pipe()
	var lines []string
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer peer.Close()
		r := bufio.NewReader(peer)
		_, _ = peer.Write([]byte(answers[""] + "\r\n"))
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			line = strings.TrimRight(line, "\r\n")
			lines = append(lines, line)
			verb, _, _ := strings.Cut(line, " ")
			if answer, ok := answers[verb]; ok {
				_, _ = peer.Write([]byte(strings.ReplaceAll(answer, "{line}", line) + "\r\n"))
			}
			if verb == "QUIT" {
				return
			}
		}
	}()
	return app, func() []string { <-done; return lines }
}

func usual() map[string]string {
	return map[string]string{
		"": "220 mx ESMTP", "EHLO": "250 mx", "MAIL": "250 2.1.0 ok", "RCPT": "250 2.1.5 ok", "RSET": "250 2.0.0 reset",
		"DATA": "354 go on", ".": "250 2.0.0 queued", "QUIT": "221 2.0.0 bye",
	}
}

// echoing is a smarthost that says back what it got to AUTH.
func echoing(t *testing.T, reply string) (net.Conn, func() []string) {
	answers := usual()
	answers["AUTH"] = reply
	return smarthost(t, answers)
}

func plain(t *testing.T) replay.Recording {
	return replay.Recording{ID: "1", Entries: history(t, "<- 220 mx ESMTP", "-> EHLO me", "<- 250 mx",
		"-> MAIL FROM:<a@example.com>", "<- 250 2.1.0 ok", "-> RCPT TO:<b@example.net>", "<- 250 2.1.5 ok",
		"-> DATA", "<- 354 go on", ".. 0123456789", "<- 250 2.0.0 queued", "-> QUIT", "<- 221 2.0.0 bye")}
}

func TestADryRunEndsBehindRCPT(t *testing.T) {
	script, err := plain(t).Script(replay.Options{})
	if err != nil {
		t.Fatal(err)
	}
	conn, heard := smarthost(t, usual())
	got := script.Play(context.Background(), conn, replay.Options{})
	want := "EHLO me|MAIL FROM:<a@example.com>|RCPT TO:<b@example.net>|RSET|QUIT"
	if said := strings.Join(heard(), "|"); said != want {
		t.Errorf("said %q, want %q", said, want)
	}
	if !got.Identical() || got.Reached != session.PhaseRcpt || got.Recorded != session.PhaseRcpt || len(got.Steps) != 6 {
		t.Errorf("got %+v, want six identical steps up to RCPT", got)
	}
	if len(got.NotSent) != 1 || !strings.HasPrefix(got.NotSent[0], "DATA: ") {
		t.Errorf("not sent: %q, want DATA", got.NotSent)
	}
}

// What is not sent stands in the order in which the app said it, whether that
// was known from the start or came of a refusal.
func TestNotSentIsInOrder(t *testing.T) {
	script, err := plain(t).Script(replay.Options{})
	if err != nil {
		t.Fatal(err)
	}
	answers := usual()
	answers["EHLO"] = "421 4.3.2 come back later"
	conn, _ := smarthost(t, answers)
	got := script.Play(context.Background(), conn, replay.Options{})
	verbs := []string{}
	for _, text := range got.NotSent {
		verb, _, _ := strings.Cut(text, " ")
		verbs = append(verbs, strings.TrimSuffix(verb, ":"))
	}
	if said := strings.Join(verbs, " "); said != "MAIL RCPT DATA QUIT" {
		t.Errorf("not sent: got %q, want MAIL, RCPT, DATA and QUIT in this order", got.NotSent)
	}
}
