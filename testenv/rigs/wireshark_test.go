//go:build rigs

package rigs_test

import (
	"encoding/base64"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestWiresharkReadsExports exports sessions of all kinds and has tshark
// dissect them without being told anything.
func TestWiresharkReadsExports(t *testing.T) {
	k := newKit(t)
	m := startPostfix(t, k)
	letters := letters(t, k.scratch(t))
	for _, l := range []legs{{clear, starttls}, {starttls, clear}, {implicit, implicit}} {
		t.Run(l.app+" "+l.upstream, func(t *testing.T) {
			p := newProxy(t, k, m, l)
			p.overIPv6(t)
			p.run(t)
			sendAll(t, m, p, l, letters)
			p.finish(t)
			all := p.sessions(t)
			if len(all) < 4 {
				t.Fatalf("got %d sessions, want one for each job", len(all))
			}
			for _, s := range all {
				p.checkExport(t, s.ID)
			}
		})
	}
}

// overIPv6 moves the proxy's port to ::1.
func (p *proxy) overIPv6(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", "[::1]:0")
	must(t, err)
	addr := l.Addr().String()
	must(t, l.Close())
	p.args[slices.Index(p.args, p.addr)] = addr
	p.addr = addr
}

// sendAll signs in by each mechanism, once in vain, and sends a message that
// is hard to read; where the leg has no STARTTLS it also pipelines, sends
// chunks and a token.
func sendAll(t *testing.T, m *mta, p *proxy, l legs, letters map[string]string) {
	t.Helper()
	number := &jobs{}
	for _, s := range []scene{
		{letter: "awkward", mech: "PLAIN", password: password},
		{letter: "short", mech: "LOGIN", password: password},
		{letter: "short", mech: "CRAM-MD5", password: password},
		{letter: "short", mech: "PLAIN", password: wrongPassword},
	} {
		sendSwaks(t, job{
			Addr: p.addr, TLS: l.app, CA: p.data + "/ca.pem", Mech: s.mech, User: account, Password: s.password,
			Helo: number.helo(), From: account, To: m.mailboxes(t, 1), File: letters[s.letter],
		})
	}
	if l.app == starttls {
		return
	}
	bearer := base64.StdEncoding.EncodeToString([]byte("user=" + account + "\x01auth=Bearer " + token + "\x01\x01"))
	for _, bursts := range [][]burst{
		dialogues()["pipelined"],
		dialogues()["chunks"],
		{{"EHLO app.rig.test", 1}, {"MAIL FROM:<rig@rig.test>\r\nRCPT TO:<@BOX@>", 2}, {"BDAT 17\r\nSubject: BDAT\r\n", 1}, {"BDAT 6 LAST\r\nbody", 1}, {"QUIT", 1}},
		{{"EHLO app.rig.test", 1}, {"AUTH XOAUTH2 " + bearer, 1}, {"QUIT", 1}},
	} {
		converse(t, p.addr, protection(t, l.app, p.data+"/ca.pem"), bursts, m.mailboxes(t, 1)[0])
	}
}

// checkExport has tshark read one session's export.
func (p *proxy) checkExport(t *testing.T, id string) {
	t.Helper()
	text := p.ask(t, "export", id, "--format", "pcapng")
	seek(t, needles(), "the pcapng of "+id, text)
	file := filepath.Join(p.dir, id+".pcapng")
	must(t, os.WriteFile(file, text, 0o600))
	var verbs []string
	gap, replies := false, 0
	for n, d := range dissected(t, file) {
		gap = gap || strings.Contains(d.comments, "are missing here")
		if bad := d.fault(gap); bad != "" {
			t.Errorf("session %s, packet %d: got %s, want none: %+v", id, n+1, bad, d)
		}
		if d.leg == "app" {
			verbs = append(verbs, d.verbs()...)
		} else if d.code != "" {
			replies++
		}
	}
	if want := p.verbs(t, id); !slices.Equal(verbs, want) {
		t.Errorf("session %s: tshark shows the app's commands\n%q, want\n%q", id, verbs, want)
	}
	if replies == 0 {
		t.Errorf("session %s: tshark shows no reply on the upstream leg, want some", id)
	}
}

// verbs are the app's commands as they were recorded, and as far as all versions
// of tshark show them: four letters.
func (p *proxy) verbs(t *testing.T, id string) (all []string) {
	t.Helper()
	var s struct {
		Events []struct{ Leg, From, Kind, Text string }
	}
	must(t, json.Unmarshal(p.ask(t, "show", id, "--json"), &s))
	for _, e := range s.Events {
		verb, _, _ := strings.Cut(e.Text, " ")
		if e.Leg == "app" && e.From == "app" && (e.Kind == "command" || e.Kind == "auth" && verb == "AUTH") {
			all = append(all, strings.ToUpper(verb[:min(4, len(verb))]))
		}
	}
	return all
}
