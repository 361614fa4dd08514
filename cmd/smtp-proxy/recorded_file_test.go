package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	captures "smtp-proxy/inspect/capture"
)

func TestCaptureNamed(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"ticket", "latest", "01JD", "odd#name", "plain.txt"} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	record := captureName{}
	for arg, want := range map[string]captureName{
		"latest":              record,
		"latest-failed":       record,
		"01JD":                record,
		"01jd":                record,
		"ZZ":                  record,
		"nothing":             record,
		"nothing.txt":         record,
		"":                    record,
		"#":                   record,
		"-":                   {path: "-"},
		"-#01JD":              {"-", "01JD"},
		"./01JD":              {path: "./01JD"},
		"./latest":            {path: "./latest"},
		"ticket":              {path: "ticket"},
		"ticket#01JD":         {"ticket", "01JD"},
		"plain.txt#01JD":      {"plain.txt", "01JD"},
		"odd#name":            {path: "odd#name"},
		"odd#name#01JD":       {"odd#name", "01JD"},
		"missing.json":        {path: "missing.json"},
		"missing.JSONL#01":    {"missing.JSONL", "01"},
		"a/b":                 {path: "a/b"},
		"a/missing.ndjson#01": {"a/missing.ndjson", "01"},
	} {
		got, ok := captureNamed(arg)
		if ok != (want != record) || ok && got != want {
			t.Errorf("captureNamed(%q): got %+v, %v, want %+v", arg, got, ok, want)
		}
	}
}

// TestSpoolIsPrivate wants what came through a pipe to be for this user alone
// while it is there, and gone behind it.
func TestSpoolIsPrivate(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	t.Setenv("TMP", temp)
	s, _ := poisoned(-1)
	s.ID = "01J00000000000000000000000"
	var file bytes.Buffer
	body := func() io.ReadCloser { return io.NopCloser(strings.NewReader("the message")) }
	err := captures.NewWriter(&file, "").Write(t.Context(), s, func(context.Context, int) (io.ReadCloser, error) { return body(), nil })
	if err != nil {
		t.Fatal(err)
	}
	p := newProgram()
	p.stdin = &file
	p.now = func() time.Time { return hostileNow }
	found, err := p.find(t.Context(), "-")
	if err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(temp, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range left { // where a file that is open cannot lose its name
		if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 && filepath.Separator == '/' {
			t.Errorf("%s: got %v, %v, want it for this user alone", path, info.Mode(), err)
		}
	}
	in, err := found.body(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(in); string(got) != "the message" || err != nil {
		t.Errorf("got %q, %v, want the message", got, err)
	}
	in.Close()
	if err := found.close(); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(temp, "*")); len(left) > 0 {
		t.Errorf("got %q left, want nothing", left)
	}
}
