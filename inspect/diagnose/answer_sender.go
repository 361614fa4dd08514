package diagnose

import (
	"slices"
	"strings"

	"smtp-proxy/proxy/session"
)

const spfFailed = "sender.spf-failed"

// SenderUse: what the sender's domain publishes is looked up behind a refusal
// for SPF, DKIM or DMARC, and held against the address that the refusal names,
// or this machine's.
func (uses) SenderUse() use {
	return use{
		probe: "sender",
		wants: func(f *facts) (Question, bool) {
			for _, r := range f.refusals() {
				at, from := addressIn(r.Text), f.senderAt(r.Seq)
				if unproven(r.cause) && from != "" && f.abroad(at) {
					return Question{Addr: at, Domain: from}, true
				}
			}
			return Question{}, false
		},
		weigh: func(f *facts, answer *session.Entry, all []symptom) {
			for i := range all {
				if s := &all[i]; unproven(s.cause) && f.from(s, answer.Probe.Target) {
					f.published(answer, s)
				}
			}
		},
	}
}

// unproven reports a cause that hangs on what the sender's domain publishes.
func unproven(cause string) bool {
	return slices.Contains([]string{spfFailed, "sender.dkim-failed", "sender.dmarc-failed", "sender.unauthenticated"}, cause)
}

// senderAt is the domain of the envelope sender of the transaction that a reply
// belongs to, empty for a bounce.
func (f *facts) senderAt(seq int) string {
	for i := range f.replies {
		if r := &f.replies[i]; r.Seq == seq && r.mail >= 0 {
			return domain(f.mails[r.mail].from)
		}
	}
	return ""
}

// from reports whether a symptom is about mail from a domain, as far as that is
// known: a session may bring mail from several.
func (f *facts) from(s *symptom, domain string) bool {
	known := false
	for _, e := range s.evidence {
		sender := f.senderAt(e.Seq)
		if strings.EqualFold(sender, domain) {
			return true
		}
		known = known || sender != ""
	}
	return !known
}

// published says what the domain publishes, and what of it is to be changed.
func (f *facts) published(answer *session.Entry, s *symptom) {
	s.proof(answer, "")
	if f.auth.state == "accepted" && !addressIn(s.text).IsValid() {
		s.more += " That is about this machine's address. You sign in to {host}, which delivers from addresses of its own: what counts for receivers is whether the record includes those."
		return
	}
	for _, found := range answer.Probe.Found {
		if found.What == "spf" {
			s.spf(found, answer.Probe.Target)
		}
	}
}

// spf draws the conclusion from a result of RFC 7208, section 2.6.
func (s *symptom) spf(found session.Found, from string) {
	why := strings.TrimRight(firstLine(found.Text), ". ")
	step := ""
	switch found.Result {
	case "none":
		step = "Publish an SPF record for " + from + ": there is none. Check: dig " + from + " TXT."
	case "fail", "softfail", "neutral":
		step = "Add the address that delivers this mail, or the smarthost's include:, to the SPF record of " + from + " in front of what decides now (" + why + ")."
	case "permerror":
		step = "Repair the SPF record of " + from + ", which receivers cannot read: " + why + "."
	case "pass":
		if s.cause == spfFailed {
			s.more += " As the record stands now the address is allowed: the receiver saw another one, as behind a forwarder, or remembers an older record."
		}
	}
	if step != "" && s.cause != "sender.dkim-failed" {
		s.first = append([]string{step}, s.first...)
	}
}
