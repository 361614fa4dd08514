package main

import (
	"net/netip"
	"slices"
	"strings"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/wire"
)

// envelope is what tools that make up the commands themselves are told.
type envelope struct {
	hello, helo string // the verb and its name
	from        string
	to          []string
	parameters  []string // "SIZE=12 to MAIL"
	others      []string // commands that are no part of a transaction
	chunked     bool     // by BDAT
}

func (r *reproduction) envelope() envelope {
	var e envelope
	for i := range r.steps {
		e.add(&r.steps[i])
	}
	return e
}

func (e *envelope) add(s *step) {
	switch s.verb {
	case "EHLO", "HELO", "LHLO":
		e.hello, e.helo = s.verb, strings.TrimSpace(wire.ParseCommandText(s.command).Arg)
	case "MAIL":
		e.from = inspect.Address(s.command)
	case "RCPT":
		e.to = append(e.to, inspect.Address(s.command))
	case "BDAT":
		e.chunked = true
	}
	if words := s.parameters(); words != "" {
		e.parameters = append(e.parameters, words+" to "+s.verb)
	}
	if s.other() {
		e.others = append(e.others, s.command)
	}
}

// parameters is what stands behind the address of a MAIL or RCPT.
func (s *step) parameters() string {
	if s.verb != "MAIL" && s.verb != "RCPT" {
		return ""
	}
	return strings.TrimSpace(s.command[strings.LastIndex(s.command, ">")+1:])
}

// other reports a command that a tool for sending mail has no word for.
func (s *step) other() bool {
	return !slices.Contains([]string{"", "EHLO", "HELO", "LHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "BDAT", "."}, s.verb)
}

// lost says what such a tool leaves out.
func (e *envelope) lost() string {
	lost := append(slices.Clone(e.parameters), e.others...)
	if e.chunked {
		lost = append(lost, "BDAT (it sends DATA)")
	}
	return strings.Join(lost, "; ")
}

// numbers returns the messages that are sent, in order.
func (r *reproduction) numbers() []int {
	var all []int
	for i := range r.steps {
		if n := r.steps[i].message; r.steps[i].content && !slices.Contains(all, n) {
			all = append(all, n)
		}
	}
	return all
}

func (r *reproduction) user() string {
	if r.auth == nil {
		return ""
	}
	return r.auth.Username
}

// serverName is the name to ask for in a handshake; empty for an address,
// which has no place there (RFC 6066, section 3).
func (r *reproduction) serverName() string {
	if _, err := netip.ParseAddr(r.sni); err == nil {
		return ""
	}
	return r.sni
}
