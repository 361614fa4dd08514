//go:build rigs

package rigs_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// wantReproduced exports the failure in each format and runs what comes, as it
// is, against the smarthost that it was recorded with: it must come as far and
// meet the same.
func (f failure) wantReproduced(t *testing.T, r failureRecord) {
	ran := 0
	before := r.at[f.name].taken()
	for _, as := range formats() {
		script := r.reproduction(t, f, as)
		if script == "" {
			continue
		}
		ran++
		want := promised(script)
		exit, out := r.runReproduction(t, f, as, script)
		if as.name == "curl" && want.met == "not-smtp" {
			want.met = "closed"
		}
		if got := as.read(exit, out); got != want || want.stage == "" {
			t.Errorf("%s: got %q with exit code %d, want %q\n%s\nof\n%s", as, got, exit, want, out, script)
		}
	}
	if ran < 3 {
		t.Errorf("got %d formats that can show it, want 3 at least", ran)
	}
	if after := r.at[f.name].taken(); after != before {
		t.Errorf("the smarthost took %d messages from exports that were to deliver none", after-before)
	}
}

// otherFormat is how an export says which format can do what it cannot.
var otherFormat = regexp.MustCompile(`--format \w+`)

// reproduction exports the session; it returns nothing when the format cannot
// show it and names one that can.
func (r failureRecord) reproduction(t *testing.T, f failure, as format) string {
	t.Helper()
	out, errs, exit := execute(t, job{}, r.binary, "export", r.ids[f.name], "--format", as.name, "--data", r.data)
	switch {
	case exit == 0:
		seek(t, needles(), as.String(), out)
		return string(out)
	case otherFormat.Match(errs):
		t.Logf("%s: %s", as, errs)
	default:
		t.Errorf("%s: got exit code %d and no other format: %s", as, exit, errs)
	}
	return ""
}

// message is the command by which the script's message is written.
var message = regexp.MustCompile(`(?m)^\W*(smtp-proxy export .*)$`)

// runReproduction runs the script in a directory of its own, with what it asks
// for in the environment.
func (r failureRecord) runReproduction(t *testing.T, f failure, as format, script string) (exit int, out string) {
	t.Helper()
	dir := t.TempDir()
	if m := message.FindStringSubmatch(script); m != nil {
		if exit, out := r.runIn(t, f, dir, "sh", "-c", m[1]); exit != 0 {
			t.Fatalf("%s: got exit code %d: %s", m[1], exit, out)
		}
	}
	return r.runIn(t, f, dir, as.interpreter, write(t, filepath.Join(dir, "reproduction"+as.ending), script))
}

func (r failureRecord) runIn(t *testing.T, f failure, dir, name string, args ...string) (exit int, out string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(),
		"PATH="+filepath.Dir(r.binary)+":"+os.Getenv("PATH"), "SMTP_PROXY_DATA="+r.data,
		"NODE_PATH="+filepath.Join(newKit(t).peers, "node_modules"), "PYTHONDONTWRITEBYTECODE=1",
		"SMTP_PASSWORD="+password, "SMTP_CA="+r.at[f.name].ca)
	var text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, &text
	err := cmd.Run()
	if failed := (*exec.ExitError)(nil); err != nil && !errors.As(err, &failed) {
		t.Fatalf("%s: %v", name, err)
	}
	if ctx.Err() != nil {
		t.Fatalf("%s %s: got no end within %s\n%s", name, strings.Join(args, " "), patience, text.Bytes())
	}
	return cmd.ProcessState.ExitCode(), text.String()
}
