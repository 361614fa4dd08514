package diagnose

import (
	"smtp-proxy/inspect"
	"smtp-proxy/inspect/rules"
	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
)

// failingReplies finds a cause for each refusal that hurt the app. What the
// rules make of the words, the structured evidence may sharpen.
func failingReplies(f *facts, found []symptom) (symptoms []symptom) {
	for i := range f.replies {
		r := &f.replies[i]
		if r.Code < 400 || r.proxy || f.harmless(i) || f.explained(r, found) {
			continue
		}
		symptoms = append(symptoms, f.explain(r)...)
	}
	return withoutConsequences(f, symptoms)
}

// explained reports a refusal that an earlier finding accounts for.
func (f *facts) explained(r *reply, found []symptom) bool {
	for _, s := range found {
		for _, e := range s.evidence {
			if e.Seq == r.Seq {
				return true
			}
		}
		if s.cause == "connect.not-smtp" || s.cause == "tls.starttls-refused" && r.Verb == "STARTTLS" {
			return true
		}
	}
	return false
}

// harmless reports a refusal after which the app got what it wanted all the
// same, or that only follows from an earlier one.
func (f *facts) harmless(i int) bool {
	r := &f.replies[i]
	switch r.Verb {
	case "EHLO":
		return f.laterGood(i, "HELO", "EHLO")
	case "HELO", "LHLO":
		return f.laterGood(i, r.Verb, "EHLO")
	case "AUTH":
		return f.auth.state == "accepted"
	case "MAIL":
		return f.sentLater(r)
	case "RCPT":
		return f.mailRefused(r) || f.acceptedLater(i)
	case "DATA", "BDAT", ".":
		return f.mailRefused(r) || f.nobodyToSendTo(r)
	case "QUIT", "RSET":
		return true
	case "":
		return f.unheard(r) || f.tiredOfWaiting(r)
	}
	return f.delivered() // VRFY, EXPN, HELP, NOOP, ETRN and the like: a question, not the errand
}

// unheard reports a reply to no command that came when the app had left: Exim
// says 421 "lost input connection" to whoever has gone without QUIT.
func (f *facts) unheard(r *reply) bool {
	left := f.closed[session.App]
	return r.Kind == session.KindReply && left != nil && left.Seq < r.Seq
}

// tiredOfWaiting reports a 421 to no command on an idle connection: the mail
// is through, or the app had long been silent and wanted nothing (RFC 5321,
// section 3.8).
func (f *facts) tiredOfWaiting(r *reply) bool {
	if r.Kind != session.KindReply || r.Code != 421 || f.wanted() || f.waits() {
		return false
	}
	return f.delivered() || len(f.mails) == 0 && f.silent(session.App, r.At) >= patience
}

// laterGood reports that one of the verbs was answered well behind reply i.
func (f *facts) laterGood(i int, verbs ...string) bool {
	for _, r := range f.replies[i+1:] {
		for _, v := range verbs {
			if r.Verb == v && r.Code/100 == 2 {
				return true
			}
		}
	}
	return false
}

// sentLater reports that the same sender's next transaction was delivered: an
// app that tries again without a parameter.
func (f *facts) sentLater(r *reply) bool {
	if r.mail < 0 {
		return false
	}
	for _, t := range f.mails[r.mail+1:] {
		if t.from == f.mails[r.mail].from {
			return t.verdict/100 == 2
		}
	}
	return false
}

// acceptedLater reports that the same recipient was accepted in the end.
func (f *facts) acceptedLater(i int) bool {
	for _, r := range f.replies[i+1:] {
		if r.Verb == "RCPT" && r.rcpt == f.replies[i].rcpt && r.Code/100 == 2 {
			return true
		}
	}
	return false
}

func (f *facts) mailRefused(r *reply) bool { return r.mail >= 0 && f.mails[r.mail].refused }

// nobodyToSendTo reports a refusal of the message for want of recipients, all
// of whom were refused before.
func (f *facts) nobodyToSendTo(r *reply) bool {
	return r.mail >= 0 && f.mails[r.mail].denied > 0 && f.mails[r.mail].rcpts == 0
}

// explain holds one reply against the rules.
func (f *facts) explain(r *reply) []symptom {
	s := f.symptomOf(r)
	hits := f.set.Match(s)
	base := symptom{weight: weightReply, evidence: []*session.Entry{r.Entry}, code: r.Code, text: r.Text, values: f.replyValues(r)}
	if len(hits) == 0 {
		base.cause, base.certainty = unclassified(r), inspect.Possible
		return f.sharpen(r, []symptom{base})
	}
	return f.sharpen(r, ruled(base, hits))
}

// ruled gives a symptom the rule's reading, and the other readings that the
// rule names.
func ruled(base symptom, hits []*rules.Rule) []symptom {
	main, r := base, hits[0]
	main.cause, main.certainty, main.rule, main.by = r.Cause, certaintyOf(hits), r, r.ID
	all := []symptom{main}
	for _, other := range r.Explain().Or {
		s := base
		s.cause, s.certainty, s.by = other, inspect.Possible, r.ID
		s.weight = base.weight - 1
		all = append(all, s)
	}
	return all
}

// unclassified is what a refusal is called that no rule knows.
func unclassified(r *reply) string {
	if r.Kind == session.KindGreeting {
		return "connect.rejected"
	}
	if r.Code/100 == 4 {
		return "unclassified.temporary"
	}
	return "unclassified.permanent"
}

// certaintyOf is how far the best rule's reading may be relied on: words that
// name the reason prove it, words that stand beside it and codes suggest it,
// and both together prove it again.
func certaintyOf(hits []*rules.Rule) inspect.Certainty {
	r, x := hits[0], hits[0].Explain()
	switch w := r.When; {
	case x.Certainty != "":
		return inspect.Certainty(x.Certainty)
	case w.Vague:
		return inspect.Possible
	case !w.Broad && len(w.Text)+len(w.All) > 0:
		return inspect.Certain
	}
	for _, other := range hits[1:] {
		if other.Cause == r.Cause && !other.When.Vague {
			return inspect.Certain
		}
	}
	return inspect.Likely
}

// symptomOf reads a reply with the context in which it came.
func (f *facts) symptomOf(r *reply) rules.Symptom {
	parsed, ok := wire.ParseReply(r.Text)
	if !ok {
		parsed = wire.Reply{Code: r.Code, Enhanced: r.Enhanced, Lines: []string{r.Text}}
	}
	s := rules.FromReply(parsed)
	s.Provider, s.Phase, s.Verb, s.Auth = f.provider, phaseOf(r), r.Verb, r.auth
	s.Mechanism, s.TLS = f.auth.mechanism, "off"
	if r.Secure {
		s.TLS = "on"
	}
	return s
}

// phaseOf names the phase as rules do: a greeting belongs to connecting.
func phaseOf(r *reply) string {
	switch {
	case r.Kind == session.KindGreeting || r.Phase == session.PhaseGreeting:
		return string(session.PhaseConnect)
	case r.Verb == ".":
		return string(session.PhaseDot)
	}
	return string(r.Phase)
}

// withoutConsequences drops refusals that follow from a failed sign-in.
func withoutConsequences(f *facts, all []symptom) (kept []symptom) {
	failedAuth := false
	for _, s := range all {
		family := familyOf(s.cause)
		if failedAuth && s.cause == "auth.required" {
			continue
		}
		failedAuth = failedAuth || family == "auth" && s.evidence[0].Verb == "AUTH"
		kept = append(kept, s)
	}
	return kept
}
