package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"smtp-proxy/inspect/web"
	"smtp-proxy/policy"
	"smtp-proxy/testenv"
)

// practicePage starts a plant with a page whose one route leads to its sandbox.
func practicePage(t *testing.T) *running {
	t.Helper()
	c := policy.Defaults()
	c.Upstream, c.Probe = sandboxUpstream, "off"
	return startPage(t, c, "")
}

// A check from the page goes as far as one on the command line, and means the
// same. What has been typed as a password is in no answer, log, metric or file.
func TestWebCheck(t *testing.T) {
	r := practicePage(t)
	const password = "Tr0ub4dor-and-3"
	for _, test := range []struct {
		name, to   string
		want, lack []string
	}{
		{"healthy", "bob@example.net", []string{"235 2.0.0", "nothing failed in the steps that were taken", "exit code 0"}, []string{"recipient.unknown"}},
		{"a recipient is refused", "550_5.1.1@example.net", []string{"235 2.0.0", "does not take this mail", "exit code 24", "recipient.unknown", "password-file -"}, nil},
	} {
		code, _, body := r.post(t, "/check", url.Values{
			"target": {"sandbox"}, "user": {"me@example.com"}, "password": {password}, "from": {"me@example.com"}, "to": {test.to},
			"steps": {"greeting, ehlo tls auth mail rcpt"},
		})
		if code != 200 {
			t.Errorf("%s: got %d, want 200:\n%s", test.name, code, body)
		}
		for _, text := range test.want {
			if !strings.Contains(body, text) {
				t.Errorf("%s: got no %q in\n%s", test.name, text, body)
			}
		}
		for _, text := range append(test.lack, password) {
			if strings.Contains(body, text) {
				t.Errorf("%s: got %q in\n%s", test.name, text, body)
			}
		}
	}
	if n := len(r.sandbox.Messages()); n != 0 {
		t.Errorf("got %d messages delivered by a check, want none", n)
	}
	_, _, metrics := r.get(t, "/metrics")
	r.end()
	for where, text := range map[string]string{"metrics": metrics, "log": r.said.String(), "record": filesIn(t, r.dir)} {
		for _, secret := range []string{password, "VHIwdWI0ZG9yLWFuZC0z"} {
			if strings.Contains(text, secret) {
				t.Errorf("the password is in the %s", where)
			}
		}
	}
}

// filesIn is all that the files below a directory hold.
func filesIn(t *testing.T, dir string) string {
	t.Helper()
	var all bytes.Buffer
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		all.Write(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// What cannot be checked is said in the form, which keeps all but the password.
func TestWebCheckRefuses(t *testing.T) {
	r := practicePage(t)
	for target, want := range map[string]string{
		"":                          "no smarthost is named",
		"host:99999":                "port",
		"user:pw@host:25":           "must not hold a user name or password",
		"<script>alert(1)</script>": "&lt;script&gt;",
	} {
		code, _, body := r.post(t, "/check", url.Values{"target": {target}, "user": {"kept@example.com"}, "password": {"gone-for-good"}})
		if code != 400 || !strings.Contains(body, want) || !strings.Contains(body, `role="alert"`) || !strings.Contains(body, `value="kept@example.com"`) {
			t.Errorf("%q: got %d, want 400 with %q and the user in\n%s", target, code, want, body)
		}
		if strings.Contains(body, "gone-for-good") || strings.Contains(body, "<script>alert") {
			t.Errorf("%q: got what must not be in\n%s", target, body)
		}
	}
	for field, want := range map[string]string{"steps": "no step", "to": "to needs from", "user": "without a password", "password": "without a user", "from": "control character"} {
		code, _, body := r.post(t, "/check", url.Values{"target": {"sandbox"}, field: {"x y\r\nz"}})
		if code != 400 || !strings.Contains(body, want) {
			t.Errorf("%s: got %d, want 400 with %q in\n%s", field, code, want, body)
		}
	}
}

// Two checks go on at once, and no third.
func TestWebCheckBound(t *testing.T) {
	r := practicePage(t)
	silent := silentHost(t)
	checker := r.newWebChecker()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	begun, ended := make(chan struct{}, webChecks), make(chan error, webChecks)
	for range webChecks {
		go func() {
			var told bool
			_, err := checker.Check(ctx, web.CheckRequest{Target: silent, Steps: []string{"connect", "greeting"}}, func(web.CheckStep) {
				if !told {
					told = true
					begun <- struct{}{}
				}
			})
			ended <- err
		}()
	}
	for range webChecks {
		<-begun
	}
	if _, err := checker.Check(ctx, web.CheckRequest{Target: silent}, func(web.CheckStep) {}); !errors.Is(err, web.ErrBusy) {
		t.Errorf("a check beyond %d: got %v, want %v", webChecks, err, web.ErrBusy)
	}
	cancel()
	for range webChecks {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("a check whose reader has left: got %v, want %v", err, context.Canceled)
		}
	}
}

// The settings of a route hold for its smarthost, and for no other.
func TestWebCheckOfARoute(t *testing.T) {
	box, _, file := served(t, leafFor127)
	c := policy.Defaults()
	c.Upstream, c.UpstreamCA, c.Probe = box.Addr(), file, "off"
	r := startPage(t, c, "")
	other, _, _ := served(t, leafFor127)
	for target, exit := range map[string]int{box.Addr(): 0, "smtp://" + box.Addr(): 0, other.Addr(): 29} {
		got, err := r.newWebChecker().Check(t.Context(), web.CheckRequest{Target: target, Steps: []string{"certificate"}}, func(web.CheckStep) {})
		if err != nil || got.Exit != exit {
			t.Errorf("%s: got exit code %d and %v, want %d: %+v", target, got.Exit, err, exit, got)
		}
		if has := strings.Contains(got.Command, file); has != (exit == 0) {
			t.Errorf("%s: got the command %q, want the route's roots in it: %t", target, got.Command, exit == 0)
		}
	}
}

func leafFor127(ca *testenv.CA) (tls.Certificate, error) { return ca.Leaf("127.0.0.1") }
