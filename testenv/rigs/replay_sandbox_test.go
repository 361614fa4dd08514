//go:build rigs

package rigs_test

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// asSandbox makes one smarthost of all sessions, and has each program send to
// it what it sent to the server, twice: the mailbox that was there stays
// there, the missing one stays missing, in the server's own words.
func (r *repeats) asSandbox(t *testing.T) {
	addr := "localhost:" + port(freePort(t))
	log := filepath.Join(r.proxy.dir, "sandbox.log")
	p := start(t, log, exec.Command(r.proxy.binary, "sandbox", "--from-capture", "to:*@rig.test", "--listen", addr, "--data", r.proxy.data))
	p.awaitWord(t, port(addr))
	for i, c := range clients() {
		t.Run(c.name, func(t *testing.T) {
			s := r.all[i]
			for range 2 {
				r.wantTold(t, c, addr, s.box, s.told)
				r.wantTold(t, c, addr, s.missing, s.toldRefused)
			}
		})
	}
}

// wantTold sends to the sandbox and demands what the server told.
func (r *repeats) wantTold(t *testing.T, c client, addr, to string, want report) {
	t.Helper()
	got := c.send(t, job{
		Addr: addr, TLS: r.legs.upstream, CA: filepath.Join(r.proxy.data, "ca.pem"),
		Helo: r.jobs.helo(), From: account, To: []string{to}, File: r.letter,
	})
	if plainReply(got.Final) != plainReply(want.Final) || !maps.Equal(got.Refused, want.Refused) {
		t.Errorf("to %s: got %q and refusals %q, want %q and %q", to, got.Final, got.Refused, want.Final, want.Refused)
	}
}

// awaitWord waits until the process has said something, such as where it
// listens. A connection made to find out would be a session.
func (p *process) awaitWord(t *testing.T, word string) {
	t.Helper()
	eventually(t, word+" in the log", func() bool {
		text, _ := os.ReadFile(p.log)
		return bytes.Contains(text, []byte(word))
	}, func() string { return tail(p.log) })
}
