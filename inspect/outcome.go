package inspect

// outcome judges the session as it stands. What was left in mid-transaction
// weighs most, then what was refused; a session without a message has failed
// when something kept it from getting that far.
func (a *Assembler) outcome() Outcome {
	t := a.mail.tallies
	switch {
	case a.s.Ended.IsZero():
		return Open
	case t.cut > 0 || a.state.killed || a.state.cut:
		return Aborted
	case t.accepted > 0 && (t.refused > 0 || t.partial > 0):
		return Partial
	case t.accepted > 0:
		return Delivered
	case t.refused > 0:
		return Rejected
	case a.state.failed():
		return Failed
	}
	return NoMail
}

// failed reports whether the session was kept from a transaction. An idle
// session that the proxy ends because it stops was not.
func (s state) failed() bool {
	return s.dialFailed && !s.connected ||
		s.greetBad || s.helloRefused || s.tlsFailed || s.authRefused ||
		s.proxyRefused && !s.stopping
}

// Judge gives the session its findings. A session without a transaction has
// failed, and is not just without mail, when there is one.
func (s *Session) Judge(findings []Finding) {
	s.Findings = findings
	if s.Outcome == NoMail && len(findings) > 0 {
		s.Outcome = Failed
	}
}
