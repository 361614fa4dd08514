package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"smtp-proxy/proxy/session"
)

// dialogueOf records a session of a command and its reply each: "MAIL
// FROM:<a@x>" and "250 ok". A message is ".", and "." with a text behind it
// keeps that text.
func dialogueOf(t *testing.T, lines ...string) *recordOf {
	t.Helper()
	r := newRecord(t)
	r.info.Upstream = "mx.test:25"
	r.begin()
	r.entry(session.Entry{Leg: session.Upstream, From: session.FromUpstream, Kind: session.KindGreeting, Phase: session.PhaseGreeting, Code: 220, Text: "220 mx"})
	for i := 0; i+1 < len(lines); i += 2 {
		command, reply := lines[i], lines[i+1]
		verb, _, _ := strings.Cut(command, " ")
		if verb == "." {
			r.content(".", strings.TrimPrefix(command, ". "), "")
		} else {
			r.entry(session.Entry{Leg: session.App, From: session.FromApp, Kind: session.KindCommand, Verb: verb, Text: command, Phase: stageOfVerb(verb)})
		}
		if reply != "" {
			r.upstream(verb, reply)
		}
	}
	return r
}

func stageOfVerb(verb string) session.Phase {
	return map[string]session.Phase{
		"EHLO": session.PhaseHelo, "HELO": session.PhaseHelo, "MAIL": session.PhaseMail, "RCPT": session.PhaseRcpt,
		"DATA": session.PhaseData, "BDAT": session.PhaseDot, "QUIT": session.PhaseQuit,
	}[verb]
}

// calledIn returns the dialogue of an exported program in Python.
func calledIn(t *testing.T, program string) string {
	t.Helper()
	_, calls, ok := strings.Cut(program, "s = Session()\n")
	if !ok {
		t.Fatalf("got no session in\n%s", program)
	}
	return strings.ReplaceAll(strings.TrimSpace(calls), "s.", "")
}

// TestReproduceStops shows how far a reproduction goes, and that it sends no
// message that the recorded failure does not need.
func TestReproduceStops(t *testing.T) {
	first := []string{"EHLO app", "250 mx", "MAIL FROM:<a@x>", "250 ok", "RCPT TO:<b@y>", "250 ok", "DATA", "354 go", ". text\r\n", "250 queued"}
	for name, test := range map[string]struct {
		lines []string
		args  []string
		want  string
		never string
	}{
		"delivered":        {first, nil, `say("RCPT", b"RCPT TO:<b@y>")` + "\nend()", "data("},
		"delivered, again": {first, []string{"--deliver"}, `say("DATA", b"DATA")` + "\ndata(message)\nend()", ""},
		"quit is no end":   {append(first[:len(first):len(first)], "QUIT", "221 bye"), nil, `b"RCPT TO:<b@y>")` + "\nend()", "QUIT"},
		"second refused":   {append(first[:len(first):len(first)], "MAIL FROM:<c@x>", "452 later"), nil, `say("HELO", b"EHLO app")` + "\n" + `say("MAIL", b"MAIL FROM:<c@x>")` + "\nend()", "a@x"},
		"all, as far":      {append(first[:len(first):len(first)], "MAIL FROM:<c@x>", "452 later"), []string{"--deliver"}, "data(message)\n" + `say("MAIL", b"MAIL FROM:<c@x>")` + "\nend()", ""},
		"the first of two": {append(first[:len(first):len(first)], "MAIL FROM:<c@x>", "452 later"), []string{"--message", "1"}, `say("RCPT", b"RCPT TO:<b@y>")` + "\nend()", "c@x"},
		"refused on the way": {
			[]string{"EHLO app", "502 no", "HELO app", "250 mx", "MAIL FROM:<a@x> SIZE=9", "550 5.7.1 no"}, nil,
			"tolerate()\n" + `say("HELO", b"EHLO app")` + "\n" + `say("HELO", b"HELO app")` + "\n" + `say("MAIL", b"MAIL FROM:<a@x> SIZE=9")` + "\nend()", "",
		},
		"refused DATA":    {append(first[:6:6], "DATA", "451 later"), nil, `say("DATA", b"DATA")` + "\ndrop()", "data("},
		"refused verdict": {append(first[:8:8], ". text\r\n", "550 spam"), nil, "data(message)\nend()", ""},
		"a command after it all": {
			append(first[:6:6], "RCPT TO:<c@y>", "550 no", "DATA", "354 go", ". text\r\n", "250 queued", "VRFY b", "502 no"), nil,
			"tolerate()\n" + `say("RCPT", b"RCPT TO:<c@y>")` + "\n" + `say("", b"VRFY b")` + "\nend()", "data(",
		},
	} {
		r := dialogueOf(t, test.lines...)
		r.keep("full")
		out, errs, code := r.export(append([]string{"--format", "python"}, test.args...)...)
		if code != 0 {
			t.Errorf("%s: got code %d and %s", name, code, errs)
			continue
		}
		got := calledIn(t, string(out))
		if !strings.HasSuffix(got, test.want) || test.never != "" && strings.Contains(got, test.never) {
			t.Errorf("%s: got\n%s\nwant it to end with\n%s\nand not to have %q", name, got, test.want, test.never)
		}
	}
}

// TestReproduceStandIn sends something where the message was not kept.
func TestReproduceStandIn(t *testing.T) {
	r := dialogueOf(t, "EHLO app", "250 mx", "MAIL FROM:<a@x>", "250 ok", "RCPT TO:<b@y>", "250 ok", "DATA", "354 go", ". Subject: one\r\n\r\ntext\r\n", "550 spam")
	r.keep("headers")
	out, _, _ := r.export("--format", "python")
	if !strings.Contains(string(out), `message = b"From: a@x\r\nSubject: one\r\n`) || strings.Contains(string(out), "message.eml") {
		t.Errorf("got no stand-in in\n%s", out)
	}
	out, _, _ = r.export("--format", "swaks")
	if !strings.Contains(string(out), "'Subject: one'") || !strings.Contains(string(out), ">message.eml") {
		t.Errorf("got no stand-in in\n%s", out)
	}
}

// TestReproduceConnect tries the connection where none came about.
func TestReproduceConnect(t *testing.T) {
	r := newRecord(t)
	r.info.Upstream = "mx.test:25"
	r.entry(session.Entry{Leg: session.App, Kind: session.KindOpen})
	r.entry(session.Entry{
		Leg: session.Upstream, From: session.FromProxy, Kind: session.KindError, Phase: session.PhaseConnect, Text: "connect to 192.0.2.10:25: connection refused",
		Dial: &session.Dial{Addr: "192.0.2.10:25"}, Fault: &session.Fault{Class: session.FaultRefused},
	})
	r.keep("full")
	for _, format := range []string{"swaks", "curl", "openssl", "python", "node", "go"} {
		out, errs, code := r.export("--format", format)
		if code != 0 || !strings.Contains(string(out), "recorded CONNECT: refused: connect to 192.0.2.10:25") {
			t.Errorf("%s: got code %d, %s and\n%.600s", format, code, errs, out)
		}
	}
}

// TestReproduceNamesAnother says which format can do what one cannot.
func TestReproduceNamesAnother(t *testing.T) {
	mail := []string{"EHLO app", "250 mx", "MAIL FROM:<a@x>", "250 ok"}
	for _, test := range []struct {
		lines  []string
		format string
		says   string
	}{
		{mail, "openssl", "--format python"},
		{append(mail[:4:4], "RCPT TO:<\"b,c\"@y>", "550 no"), "swaks", "--format python"},
		{append(mail[:4:4], "RCPT TO:<b\x00c@y>", "550 no"), "swaks", "NUL"},
		{append(mail[:4:4], "RCPT TO:<b\x00c@y>", "550 no"), "curl", "NUL"},
		{append(mail[:4:4], "VRFY b", "502 no"), "swaks", "--format python"},
	} {
		r := dialogueOf(t, test.lines...)
		r.keep("full")
		if _, errs, code := r.export("--format", test.format); code == 0 || !strings.Contains(string(errs), test.says) {
			t.Errorf("%s of %q: got code %d and %s, want %q", test.format, test.lines, code, errs, test.says)
		}
	}
}

// TestReproduceHostile lets a shell run the scripts of a session whose names
// would do harm, and looks at what the tool is told.
func TestReproduceHostile(t *testing.T) {
	bin := t.TempDir()
	tool := "#!/bin/sh\nprintf '%s\\0' \"$@\" >told\n"
	for _, name := range []string{"swaks", "curl"} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(tool), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, value := range hostileValues() {
		if strings.ContainsAny(value, "<>\"\\ \t,") {
			continue // another address, or none, by the grammar of commands
		}
		r := dialogueOf(t, "EHLO "+value+"app", "250 mx", "MAIL FROM:<"+value+"@x>", "250 ok", "RCPT TO:<"+value+"@y>", "550 5.1.1 "+value)
		r.keep("full")
		if got := toolTold(t, r, bin, "swaks"); !slices.Contains(got, value+"@x") && !slices.Contains(got, "--from="+value+"@x") {
			t.Errorf("swaks is told %q, want the sender %q", got, value+"@x")
		}
		if got := toolTold(t, r, bin, "curl"); !slices.Contains(got, "RCPT TO:<"+value+"@y>") {
			t.Errorf("curl is told %q, want the recipient %q", got, value+"@y")
		}
	}
}

// toolTold runs a script with a tool that writes its arguments down, and wants
// nothing else to happen.
func toolTold(t *testing.T, r *recordOf, bin, format string) []string {
	t.Helper()
	script, errs, code := r.export("--format", format, "--deliver") // which lets bare newlines pass
	if code != 0 {
		t.Fatalf("%s: got code %d and %s", format, code, errs)
	}
	dir := t.TempDir()
	run := exec.Command("/bin/sh", "-c", string(script))
	run.Dir, run.Env = dir, []string{"PATH=" + bin + ":/usr/bin:/bin"}
	if out, err := run.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s\n%s", format, err, out, script)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 1 {
		t.Errorf("%s leaves %q (%v), want told alone\n%s", format, files, err, script)
	}
	all, err := os.ReadFile(filepath.Join(dir, "told"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(all), "\x00")
}
