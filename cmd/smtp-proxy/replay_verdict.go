package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream/replay"
)

// code returns what the replay of one session ends with.
func (s *played) code(ctx context.Context) ended {
	switch phase, short := s.short(); {
	case ctx.Err() != nil && s.cutOff():
		return exitInterrupted
	case short:
		return codeOf(phase)
	case !s.identical():
		return exitFailed
	}
	return 0
}

// short is Short, and AUTH where the recording ended there and nothing was tried.
func (s *played) short() (session.Phase, bool) {
	phase, short := s.result.Short()
	if !short && s.untried() {
		return session.PhaseAuth, true
	}
	return phase, short
}

// identical reports whether all was answered as recorded, and what the
// recording failed in was tried.
func (s *played) identical() bool { return s.result.Identical() && !s.untried() }

// untried reports a recording that ended with a sign-in that was not accepted,
// which is left out without credentials: that nothing else differs says nothing.
func (s *played) untried() bool {
	if !s.result.Identical() || s.unsigned() == "" || s.recorded.Auth.Accepted {
		return false
	}
	beyond := []session.Phase{session.PhaseMail, session.PhaseRcpt, session.PhaseData, session.PhaseDot}
	return !slices.Contains(beyond, s.result.Recorded)
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
	case s.untried():
		return notTried
	case s.result.Identical():
		return "identical: " + counted(s.compared(), "reply", "replies") + s.unsigned() + s.whatWent()
	}
	return s.difference() + s.whatWent()
}

// notTried is the verdict where the recording ended with the sign-in.
const notTried = "the sign-in that was not accepted then is not tried again without credentials: --user USER --password-file FILE"

// unsigned says that the sign-in was left out.
func (s *played) unsigned() string {
	if s.recorded == nil || s.recorded.Auth == nil || s.options.Auth != nil {
		return ""
	}
	return ", without the sign-in"
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
	return "; " + inspect.Count(s.result.Delivered, "message") + " delivered"
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
