package main

import (
	"strings"
	"testing"

	"smtp-proxy/proxy/session"
)

// TestReproduceNotOffered leaves a mechanism that the smarthost does not offer
// to the programs that use it all the same.
func TestReproduceNotOffered(t *testing.T) {
	for offer, can := range map[string]bool{"250-mx\n250 AUTH NTLM GSSAPI": false, "250-mx\n250 AUTH LOGIN PLAIN": true, "250-mx\n250 AUTH=PLAIN": true} {
		r := dialogueOf(t, "EHLO app", offer)
		auth := &session.Auth{Mechanism: "PLAIN", Username: "me"}
		r.entry(session.Entry{Leg: session.App, From: session.FromApp, Kind: session.KindAuth, Verb: "AUTH", Text: "AUTH PLAIN ***", Phase: session.PhaseAuth, Auth: auth})
		r.upstream("AUTH", "504 5.5.4 Unrecognized authentication type")
		r.keep("full")
		for _, format := range []string{"swaks", "curl"} {
			if out, errs, code := r.export("--format", format); can != (code == 0) || !can && !strings.Contains(string(errs), "--format python") {
				t.Errorf("%s, offered %q: got code %d, %s and %.200s, want a script: %t", format, offer, code, errs, out, can)
			}
		}
	}
}
