package probe_test

import (
	"fmt"
	"strings"
	"testing"

	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

// TestLongLines has the DNS and the smarthost say as much as they may: a person
// reads a few lines of it, none longer than a screen.
func TestLongLines(t *testing.T) {
	var tags, words, mechanisms strings.Builder
	for i := range 700 {
		fmt.Fprintf(&tags, "; t%d=1", i)
		fmt.Fprintf(&words, "; %d", i)
		fmt.Fprintf(&mechanisms, " X-%d", i)
	}
	w := newWorld(t, settings{})
	w.dns.TXT("_dmarc.own.example", "v=DMARC1; p=reject"+tags.String())
	w.dns.TXT("mail._domainkey.own.example", "v=DKIM1; p="+words.String())
	for step, some := range map[string]string{"dmarc": "t0= means nothing", "dkim": `"0" is no tag=value`} {
		lines, answer := w.takes(t, step, probe.Known{}, "me@own.example")
		few(t, step, lines, some)
		for _, found := range answer.Probe.Found {
			few(t, step+" found", []string{found.Text}, "")
		}
	}
	l := listen(t, map[string]string{"EHLO": "250-" + host + "\r\n250 AUTH" + mechanisms.String()})
	parts, _ := examine(t.Context(), newProber(t, nil, probe.Options{}), target(l.Addr().String(), upstream.ModeNone), probe.Script{User: "me", Password: secret})
	few(t, "auth", []string{parts["auth"].Text}, "on offer: X-0, X-1")
}

func few(t *testing.T, what string, lines []string, some string) {
	t.Helper()
	all := strings.Join(lines, "\n")
	if len(lines) > 12 || !strings.Contains(all, some) {
		t.Errorf("%s: got %d lines, want 12 at most, with %q: %.300q", what, len(lines), some, all)
	}
	for _, line := range lines {
		if len(line) > 1100 {
			t.Errorf("%s: got a line of %d octets: %.80q", what, len(line), line)
			return
		}
	}
}
