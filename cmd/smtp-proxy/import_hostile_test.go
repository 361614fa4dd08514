package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
	captures "smtp-proxy/inspect/capture"
)

// poison would change a terminal's title, and hide what stands behind it.
const poison = "\x1b]0;owned\a\x1b[8m\u202e"

// TestImportHostile takes captures from a stranger who has put an escape
// sequence into one text each time. It reaches no terminal.
func TestImportHostile(t *testing.T) {
	dir := t.TempDir()
	one, all := filepath.Join(dir, "one.json"), filepath.Join(dir, "all.json")
	var taken bytes.Buffer
	for n := 0; ; n++ {
		s, place := poisoned(n)
		if place == "" {
			break
		}
		s.ID = fmt.Sprintf("01J%023d", n)
		var file bytes.Buffer
		if err := captures.NewWriter(&file, "").Write(t.Context(), s, nil); err != nil {
			t.Fatal(err)
		}
		save(t, one, file.Bytes())
		if harmless(t, place, "show", one) {
			taken.Write(file.Bytes())
		}
	}
	save(t, all, taken.Bytes())
	if n := bytes.Count(taken.Bytes(), []byte(`{"end"`)); n < 100 {
		t.Errorf("got %d captures shown, want all in which the poison stands in a text", n)
	}
	data := filepath.Join(dir, "data")
	harmless(t, "each text", "import", all, "--data", data)
	harmless(t, "each text", "sessions", "--data", data)
	harmless(t, "each text", "sessions", "--color", "always", "--data", data)
}

func save(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// harmless runs a command, looks for the poison in what it says, and reports
// whether it did its work.
func harmless(t *testing.T, place string, args ...string) bool {
	t.Helper()
	var out bytes.Buffer
	p := newProgram()
	p.stdin, p.stdout, p.stderr = strings.NewReader(""), &out, &out
	p.now = func() time.Time { return hostileNow }
	code := p.run(args)
	if text := out.String(); strings.Contains(text, "\x1b]") || strings.ContainsAny(text, "\a\u202e") {
		t.Errorf("%s poisoned, %s: got the poison in %q", place, args, text)
	}
	return code == 0
}

var hostileNow = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// poisoned returns a session in which nothing is empty, with the poison in its
// nth text, and where that is; nothing when it has fewer.
func poisoned(n int) (*inspect.Session, string) {
	s := new(inspect.Session)
	c := contagion{left: n}
	c.fill(reflect.ValueOf(s).Elem(), "session")
	s.Started, s.Ended = hostileNow.Add(-time.Hour), hostileNow
	for i := range s.Events {
		s.Events[i].At = s.Started
	}
	if s.Outcome == "x" {
		s.Outcome = inspect.Rejected
	}
	s.Linked = ""
	return s, c.at
}

// contagion fills values.
type contagion struct {
	left int
	at   string
}

func (c *contagion) fill(v reflect.Value, at string) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		c.fill(v.Elem(), at)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(hostileNow))
			return
		}
		for i := range v.NumField() {
			c.fill(v.Field(i), at+"."+v.Type().Field(i).Name)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		c.fill(v.Index(0), at)
	case reflect.String:
		v.SetString("x")
		if c.left == 0 {
			v.SetString(poison)
			c.at = at
		}
		c.left--
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	}
}
