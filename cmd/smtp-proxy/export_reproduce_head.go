package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// head is what stands above a program: what it does, what it needs, what was
// recorded. Its lines hold nothing that could end a comment.
func (r *reproduction) head() []string {
	goal := r.goal()
	lines := []string{
		fmt.Sprintf("Session %s as far as %s, without smtp-proxy.", r.session, goal.stage()),
		"", "It connects to " + r.target() + r.way() + ".",
	}
	lines = append(lines, r.does()...)
	lines = append(lines, r.needs()...)
	return append(lines, "", "recorded "+goal.stage()+": "+goal.result())
}

// way says how the connection is made.
func (r *reproduction) way() string {
	var b strings.Builder
	if r.addr != "" && r.addr != r.target() {
		fmt.Fprintf(&b, " (%s answered then)", r.addr)
	}
	switch r.tls {
	case tlsImplicit:
		b.WriteString(", under TLS from the first byte")
	case tlsSTARTTLS:
		b.WriteString(", under TLS after STARTTLS")
	}
	if r.tls != tlsNone && !r.verifies && !r.refusedTLS() {
		b.WriteString(" with a certificate that is not verified, as it was not then")
	}
	return visible(b.String())
}

// refusedTLS reports that STARTTLS itself was as far as it came.
func (r *reproduction) refusedTLS() bool { return r.goal().verb == "STARTTLS" }

func (r *reproduction) does() []string {
	var lines []string
	switch {
	case r.goal().phase == session.PhaseConnect:
		lines = append(lines, "The connection itself is what failed.")
	case r.sends():
		lines = append(lines, "It sends the message: what the smarthost takes this time is delivered.")
	default:
		lines = append(lines, "It stops there: no message is sent.")
	}
	if word := r.malformed(); word != "" {
		lines = append(lines, "The app's answer to AUTH was malformed ("+word+"); so is what this sends.")
	}
	if r.left > 0 {
		lines = append(lines, "Left out: "+inspect.Count(r.left, "earlier message")+" of the session (export with --deliver to send all).")
	}
	return lines
}

// needs names the variables to set.
func (r *reproduction) needs() []string {
	var lines []string
	for _, secret := range r.secrets() {
		lines = append(lines, fmt.Sprintf("Set %s to the %s of %s.", secret, secretWord(secret), visible(whose(r.user()))))
	}
	if r.tls != tlsNone && r.verifies {
		lines = append(lines, "Set SMTP_CA to a PEM file if the smarthost's authority is not a public one.")
	}
	for _, n := range slices.Sorted(maps.Keys(r.messages)) {
		if m := r.messages[n]; m.file != "" {
			lines = append(lines, m.file+" is the message, as it is written by", "  "+m.command+" "+m.file)
		} else {
			lines = append(lines, "The record does not hold the whole message: a short one has its place.")
		}
	}
	return lines
}

// malformed says what was wrong with the app's answer to AUTH, if anything.
func (r *reproduction) malformed() string {
	if r.auth == nil {
		return ""
	}
	return r.auth.Malformed
}

func whose(user string) string {
	if user == "" {
		return "the account"
	}
	return user
}

// secrets names the variables that secrets are taken from, in the order of
// their use, and the last of them what tools that sign in once are given.
func (r *reproduction) secrets() []string {
	var all []string
	for i := range r.steps {
		if name := secretOf(r.steps[i].auth); name != "" && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

// secretOf names the variable for an exchange; empty when none is needed.
func secretOf(auth *session.Auth) string {
	if auth == nil || auth.Malformed != "" {
		return ""
	}
	switch strings.ToUpper(auth.Mechanism) {
	case "XOAUTH2", "OAUTHBEARER":
		return "SMTP_TOKEN"
	case "EXTERNAL", "ANONYMOUS":
		return ""
	}
	return "SMTP_PASSWORD"
}

func secretWord(variable string) string {
	if variable == "SMTP_TOKEN" {
		return "access token"
	}
	return "password"
}

func (r *reproduction) mechanism() string {
	if r.auth == nil {
		return ""
	}
	return strings.ToUpper(r.auth.Mechanism)
}

// remarks puts a mark in front of each line.
func remarks(mark string, lines []string) string {
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(strings.TrimRight(mark+" "+visible(line), " ") + "\n")
	}
	return b.String()
}
