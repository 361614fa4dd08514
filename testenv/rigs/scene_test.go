//go:build rigs

package rigs_test

import (
	"fmt"
	"sync/atomic"
)

// scene is one thing that people do with mail.
type scene struct {
	name     string
	letter   string // which of the messages
	mech     string // how to sign in; empty for not at all
	password string
	to       int  // recipients
	refuse   int  // every how many recipients is unknown; 0 for none
	always   bool // with every combination of legs, not only with the main ones
}

func scenes() []scene {
	return []scene{
		{name: "awkward message", letter: "awkward", to: 1, always: true},
		{name: "AUTH PLAIN", letter: "short", mech: "PLAIN", password: password, to: 1, always: true},
		{name: "AUTH LOGIN", letter: "short", mech: "LOGIN", password: password, to: 1},
		{name: "AUTH CRAM-MD5", letter: "short", mech: "CRAM-MD5", password: password, to: 1},
		{name: "refused login", letter: "short", mech: "PLAIN", password: wrongPassword, to: 1},
		{name: "20 MB", letter: "20 MB", to: 1},
		{name: "100 recipients", letter: "short", to: 100, refuse: 10},
	}
}

// outcome is what the record must say of the scene.
func (s scene) outcome() string {
	switch {
	case s.password == wrongPassword:
		return "failed"
	case s.refuse > 0:
		return "partial"
	}
	return "delivered"
}

// cause is the first finding that the record must hold, empty for none.
func (s scene) cause() string {
	return map[string]string{
		"failed":  "auth.bad-credentials",
		"partial": "recipient.unknown",
	}[s.outcome()]
}

// recipients replaces some of the mailboxes by names that do not exist.
func (s scene) recipients(boxes []string) (all, accepted []string) {
	for i, box := range boxes {
		if s.refuse > 0 && i%s.refuse == 3 {
			all = append(all, fmt.Sprintf("unknown%d@rig.test", i))
			continue
		}
		all = append(all, box)
		accepted = append(accepted, box)
	}
	if s.outcome() == "failed" {
		accepted = nil
	}
	return all, accepted
}

// unknown counts the recipients that do not exist.
func (s scene) unknown() int {
	all, accepted := s.recipients(make([]string, s.to))
	return len(all) - len(accepted)
}

// jobs numbers the jobs of a test, so that each has a name of its own.
type jobs struct{ n atomic.Int64 }

func (j *jobs) helo() string { return fmt.Sprintf("j%d.app.rig.test", j.n.Add(1)) }
