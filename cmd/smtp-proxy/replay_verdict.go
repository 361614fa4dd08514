package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream/replay"
)

// code returns what the replay of one session ends with.
func (s *played) code(ctx context.Context) ended {
	switch phase, short := s.result.Short(); {
	case ctx.Err() != nil && s.cutOff():
		return exitInterrupted
	case short:
		return codeOf(phase)
	case !s.result.Identical():
		return exitFailed
	}
	return 0
}

// cutOff reports a session that its owner has ended.
func (s *played) cutOff() bool { return errors.Is(s.result.Err, context.Canceled) }

// answered leaves out what the end by the owner has left without a reply.
func answered(steps []replay.Step) []replay.Step {
	return slices.DeleteFunc(steps, func(s replay.Step) bool { return s.Now == "" && !s.Same })
}

// verdict says in one line what it comes to.
func (s *played) verdict() string {
	phase, short := s.result.Short()
	switch {
	case s.cutOff():
		return "interrupted" + s.whatWent()
	case short:
		return s.stopped(phase)
	case s.result.Identical():
		return "identical: " + counted(s.compared(), "reply", "replies") + s.whatWent()
	}
	return s.difference() + s.whatWent()
}

// stopped words a session that did not get as far as the recording.
func (s *played) stopped(phase session.Phase) string {
	text := "did not get as far as the recording: it ended at " + phaseName(phase)
	if d, ok := s.firstDifferent(); ok {
		text += ": " + d
	} else if s.result.Err != nil {
		text += ": " + s.result.Err.Error()
	}
	return text + s.whatWent()
}

// difference names the first reply that differs, and says how many do.
func (s *played) difference() string {
	first, ok := s.firstDifferent()
	if !ok {
		if s.result.Err != nil {
			return "another end than the recording's: " + s.result.Err.Error()
		}
		return "another end than the recording's"
	}
	n := len(s.different())
	verb := "differs"
	if n > 1 {
		verb = "differ, first"
	}
	return fmt.Sprintf("%d of %s %s: %s", n, counted(s.compared(), "reply", "replies"), verb, first)
}

// firstDifferent is the command and how its reply differs.
func (s *played) firstDifferent() (string, bool) {
	list := s.different()
	if len(list) == 0 {
		return "", false
	}
	return commandName(list[0].Command) + ": " + oneLine(list[0].Why), true
}

func (s *played) different() (list []replay.Step) {
	for _, step := range s.result.Steps {
		if !step.Same {
			list = append(list, step)
		}
	}
	return list
}

// compared is how many replies there are two of.
func (s *played) compared() (n int) {
	for _, step := range s.result.Steps {
		if !step.Own {
			n++
		}
	}
	return n
}

// whatWent says that messages were delivered: that has to be known.
func (s *played) whatWent() string {
	if s.result.Delivered == 0 {
		return ""
	}
	return "; " + count(s.result.Delivered, "message") + " delivered"
}

// commandName names a step; the greeting answers no command.
func commandName(command string) string {
	if command == "" {
		return "greeting"
	}
	return oneLine(command)
}

// phaseName is a phase as a person names it.
func phaseName(p session.Phase) string {
	switch p {
	case session.PhaseConnect:
		return "the connection"
	case session.PhaseGreeting:
		return "the greeting"
	case session.PhaseDot:
		return "the end of the message"
	case session.PhaseTLS:
		return "TLS"
	case session.PhaseHelo:
		return "EHLO"
	}
	return strings.ToUpper(string(p))
}

func oneLine(text string) string { return strings.ReplaceAll(text, "\n", " ") }

// counted is count for a plural of its own.
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// commandVerb is the first word of a command.
func commandVerb(command string) string {
	verb, _, _ := strings.Cut(commandName(command), " ")
	return strings.ToUpper(clip(verb, 16))
}
