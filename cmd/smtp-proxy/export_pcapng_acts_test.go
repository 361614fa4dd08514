package main

import (
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// partly names transcripts of which the record does not hold every octet, and
// what it lacks. What was made of them must be on the wire in one piece.
func partly() map[string]string {
	const unread = "what passes unread"
	return map[string]string{
		"app_leaves_opaque":       unread,
		"app_speaks_tls":          unread,
		"bare_newlines":           "that a line ended with LF alone",
		"bdat_error":              unread,
		"long_greeting":           "a reply that does not end",
		"long_reply_line":         unread,
		"not_smtp":                "lines that are no replies",
		"unknown_354":             unread,
		"upstream_resets_in_body": "content that a reset cut off",
		"upstream_speaks_tls":     "lines that are no replies",
	}
}

// TestActs makes acts of what the core recorded in its transcripts, and
// compares them with what it wrote to each side.
func TestActs(t *testing.T) {
	names, err := filepath.Glob("../../proxy/session/testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, name := range names {
		text := string(read(t, name))
		if strings.Contains(text, "***") || strings.Contains(text, "config passthrough") {
			continue // masked words are not those of the wire; under TLS there are none
		}
		compared++
		name = strings.TrimSuffix(filepath.Base(name), ".txt")
		t.Run(name, func(t *testing.T) { compareActs(t, readTranscript(t, text), partly()[name]) })
	}
	if compared < 40 {
		t.Errorf("got %d transcripts to compare, want 40 at least", compared)
	}
}

func compareActs(t *testing.T, w *witnessed, lacks string) {
	t.Helper()
	got := w.acted()
	for _, side := range []session.Side{session.App, session.Upstream} {
		want := w.wrote[side].String()
		if lacks == "" && got[side] != want {
			t.Errorf("to the %s: got\n%q, want\n%q", side, got[side], want)
		}
		lf := strings.NewReplacer("\r\n", "\n")
		if lacks != "" && !strings.Contains(lf.Replace(want), lf.Replace(got[side])) {
			t.Errorf("to the %s, less %s: got\n%q, want it within\n%q", side, lacks, got[side], want)
		}
	}
}

// witnessed is a transcript of the core: what it wrote, and its record.
type witnessed struct {
	wrote   [2]strings.Builder
	content strings.Builder // of all messages
	events  []session.Entry
}

var recordLine = regexp.MustCompile(`^  record (\w+)/(\w+) (\w+) (\w+)((?: (?:own|secure|edit|odd=\S+|[A-Z.?*]\S*|\.|\d{3}|\d\.\d+\.\d+))*)(?: ("(?:[^"\\]|\\.)*"))?(?: (\d+) octets)?`)

func readTranscript(t *testing.T, text string) *witnessed {
	t.Helper()
	w := &witnessed{}
	w.add(session.Entry{Leg: session.App, Kind: session.KindOpen})
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "connected"):
			w.add(session.Entry{Leg: session.Upstream, From: session.FromProxy, Kind: session.KindOpen, Dial: &session.Dial{}})
		case strings.HasPrefix(line, "  -> "):
			w.written(t, strings.TrimPrefix(line, "  -> "))
		case strings.HasPrefix(line, "  record "):
			w.recorded(t, line)
		}
	}
	return w
}

func (w *witnessed) add(e session.Entry) {
	e.Seq = len(w.events) + 1
	e.At = time.Unix(int64(e.Seq), 0)
	w.events = append(w.events, e)
}

func (w *witnessed) written(t *testing.T, line string) {
	t.Helper()
	to, quoted, _ := strings.Cut(line, " ")
	content := strings.HasPrefix(quoted, "body ")
	text, err := strconv.Unquote(strings.TrimPrefix(quoted, "body "))
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	w.wrote[sideOf(to)].WriteString(text)
	if content {
		w.content.WriteString(text)
	}
}

func sideOf(name string) session.Side {
	if name == session.Upstream.String() {
		return session.Upstream
	}
	return session.App
}

func (w *witnessed) recorded(t *testing.T, line string) {
	t.Helper()
	m := recordLine.FindStringSubmatch(line)
	if m == nil {
		t.Fatalf("cannot be read as a record: %s", line)
	}
	e := session.Entry{Leg: sideOf(m[1]), Phase: session.Phase(m[3]), Kind: session.Kind(m[4])}
	e.From = map[string]session.Origin{"app": session.FromApp, "upstream": session.FromUpstream, "proxy": session.FromProxy}[m[2]]
	for _, word := range strings.Fields(m[5]) {
		marked(&e, word)
	}
	if m[6] != "" {
		var err error
		if e.Text, err = strconv.Unquote(m[6]); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
	}
	if m[7] != "" {
		e.Bytes, _ = strconv.ParseInt(m[7], 10, 64)
	}
	if e.Kind == session.KindTLS && strings.Contains(e.Text, "failed") {
		e.Fault = &session.Fault{}
	}
	w.add(e)
}

// marked sets what one word of a record says.
func marked(e *session.Entry, word string) {
	odd, isOdd := strings.CutPrefix(word, "odd=")
	code, err := strconv.Atoi(word)
	switch {
	case word == "own":
		e.Own = true
	case word == "secure":
		e.Secure = true
	case word == "edit":
		e.Edit = true
	case isOdd:
		e.Odd = session.Oddity(odd)
	case err == nil:
		e.Code = code
	case word[0] > '9' || word == ".":
		e.Verb = word
	}
}

// acted is what the proxy said to each side by the acts.
func (w *witnessed) acted() (to [2]string) {
	content := w.content.String()
	for _, a := range actsOf(&inspect.Session{Events: w.events}) {
		switch {
		case a.kind == actSay && a.up == (a.leg == session.Upstream):
			to[a.leg] += a.text
		case a.kind == actBody:
			n := min(int(a.content.size), len(content))
			to[session.Upstream] += content[:n] + a.content.tail
			content = content[n:]
		}
	}
	return to
}
