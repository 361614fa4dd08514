package main

import (
	"slices"
	"strconv"
	"strings"

	"smtp-proxy/proxy/session"
)

// ended is the exit code of a command that has said all there is to say: it is
// no message of its own.
type ended int

func (e ended) Error() string { return "exit code " + strconv.Itoa(int(e)) }

func (e ended) orNil() error {
	if e == 0 {
		return nil
	}
	return e
}

// The exit codes of check, as swaks has them (its manual, EXIT CODES).
const (
	exitConnect     ended = 2
	exitGreeting    ended = 21
	exitEHLO        ended = 22
	exitMail        ended = 23
	exitRcpt        ended = 24
	exitData        ended = 25
	exitDot         ended = 26
	exitAuth        ended = 28
	exitTLS         ended = 29
	exitInterrupted ended = 130 // 128 and the number of SIGINT
)

// codeOf returns the exit code of a failure in a phase.
func codeOf(p session.Phase) ended {
	switch p {
	case session.PhaseConnect:
		return exitConnect
	case session.PhaseGreeting:
		return exitGreeting
	case session.PhaseHelo:
		return exitEHLO
	case session.PhaseTLS:
		return exitTLS
	case session.PhaseAuth:
		return exitAuth
	case session.PhaseMail:
		return exitMail
	case session.PhaseRcpt:
		return exitRcpt
	case session.PhaseData:
		return exitData
	case session.PhaseDot:
		return exitDot
	}
	return exitFailed
}

// phaseOf returns the phase that a rung of the ladder stands for; empty for
// those beside the dialogue.
func phaseOf(step string) session.Phase {
	switch step {
	case "resolvers", "dns", "tcp", "connect":
		return session.PhaseConnect
	case "greeting":
		return session.PhaseGreeting
	case "ehlo":
		return session.PhaseHelo
	case "starttls", "tls", "certificate":
		return session.PhaseTLS
	case "auth":
		return session.PhaseAuth
	case "mail":
		return session.PhaseMail
	case "rcpt":
		return session.PhaseRcpt
	case "delivery":
		return session.PhaseDot
	}
	return ""
}

// code returns what a check ends with.
func (r *examined) code() ended {
	f := r.failure()
	switch {
	case !f.any && r.undecided(): // nobody may take it for healthy
		return exitFailed
	case !f.any:
		return 0
	case f.phase != "":
		return codeOf(r.refined(f.phase))
	}
	return exitFailed
}

// refined tells what one rung stands for: DATA refused, or the message behind
// it; an EHLO refused, or one that does not offer TLS or fails for want of it.
func (r *examined) refined(phase session.Phase) session.Phase {
	switch {
	case phase == session.PhaseDot && slices.ContainsFunc(r.report.Dialogue, refusedData):
		return session.PhaseData
	case phase == session.PhaseHelo && len(r.findings) > 0 && strings.HasPrefix(r.findings[0].Cause, "tls."):
		return session.PhaseTLS
	}
	return phase
}

func refusedData(e session.Entry) bool {
	return e.Kind == session.KindReply && e.Phase == session.PhaseData && e.Code >= 400
}
