package upstream

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/miekg/dns"

	"smtp-proxy/proxy/session"
)

// Error says why a smarthost could not be reached, in words fit for the app:
// "connect to smtp.example.com:587: connection refused (192.0.2.1:587)".
type Error struct {
	Target string        // host:port as configured
	Host   string        // the host alone
	Fault  session.Fault // the most telling of all that went wrong
	Text   string        // what went wrong, in plain words
}

func (e *Error) Error() string {
	if e.Fault.Op == opLookup {
		return "look up " + e.Host + ": " + e.Text
	}
	return "connect to " + e.Target + ": " + e.Text
}

// verdict says why there is no connection, and records the questions that
// decided it as failures.
func (r *race) verdict() *Error {
	if err := r.ctx.Err(); err != nil {
		r.forgive()
		op := opDial
		if !r.resolved {
			op = opLookup
		}
		f := Classify(op, err)
		return r.error(f, faultWords(f, time.Since(r.began)))
	}
	if len(r.failed) > 0 {
		return r.dialVerdict()
	}
	return r.lookupVerdict()
}

func (r *race) error(f *session.Fault, words string) *Error {
	return &Error{Target: r.target.Name, Host: r.target.Host, Fault: *f, Text: words}
}

// dialVerdict picks the most telling failure of all attempts, the earliest
// begun among equals.
func (r *race) dialVerdict() *Error {
	worst := slices.MinFunc(r.failed, func(a, b failure) int {
		return cmp.Or(rank(a.fault.Class)-rank(b.fault.Class), a.began.Compare(b.began))
	})
	words := fmt.Sprintf("%s (%s)", worst.words, worst.addr)
	switch n := len(r.failed) - 1; n {
	case 0:
	case 1:
		words = fmt.Sprintf("%s (%s; 1 other address failed too)", worst.words, worst.addr)
	default:
		words = fmt.Sprintf("%s (%s; %d other addresses failed too)", worst.words, worst.addr, n)
	}
	return r.error(worst.fault, words)
}

// rank orders faults by how much they tell: a host that answered says more
// than silence, and silence more than a family this machine has no route for.
func rank(class session.FaultClass) int {
	order := []session.FaultClass{
		session.FaultLoop, session.FaultDescriptors, session.FaultRefused, session.FaultReset,
		session.FaultTimeout, session.FaultPermission, session.FaultOther, session.FaultUnreachable,
	}
	if i := slices.Index(order, class); i >= 0 {
		return i
	}
	return len(order)
}

// lookupVerdict tells a name that does not exist from a resolver that does
// not work.
func (r *race) lookupVerdict() *Error {
	deciding := r.deciding()
	for _, a := range r.missing {
		if slices.ContainsFunc(deciding, func(d answer) bool { return d.lookup.Name == a.lookup.Name && d.lookup.Type == a.lookup.Type }) {
			r.record(a.failure())
			continue
		}
		r.record(a.note())
	}
	if len(deciding) == 0 {
		f := &session.Fault{Op: opLookup, Class: session.FaultDNS, Text: "the resolver gave no answer"}
		return r.error(f, f.Text)
	}
	return r.error(verdictOf(slices.MinFunc(deciding, func(a, b answer) int { return a.vagueness() - b.vagueness() })))
}

// verdictOf words the most telling of the deciding answers.
func verdictOf(a answer) (*session.Fault, string) {
	switch {
	case a.fault.Class == session.FaultDescriptors:
		return a.fault, a.fault.Text
	case a.fault.Class != session.FaultNoSuchHost:
		return a.fault, "the resolver failed: " + a.fault.Text
	case a.lookup.Rcode == "NOERROR" && len(a.lookup.Answers) == 0:
		return a.fault, fmt.Sprintf("the host has no address, neither A nor AAAA%s, says %s", viaAliases(a.lookup.CNAME), a.lookup.Server)
	}
	return a.fault, a.fault.Text
}

// deciding are the questions that settle why there is no address: those that
// a resolver failed to answer, about a name that no other question has shown
// not to exist; otherwise those about the name as configured.
func (r *race) deciding() []answer {
	var open, own []answer
	for _, a := range r.missing {
		if !a.settled() && !r.denied(a.lookup.Name) {
			open = append(open, a)
		}
		if a.lookup.Name == r.target.Host {
			own = append(own, a)
		}
	}
	// Where the full name is known not to exist, a search domain whose
	// servers fail is not the reason.
	if len(open) > 0 && (dns.CountLabel(r.target.Host) == 1 || !r.denied(r.target.Host)) {
		return open
	}
	return own
}

// vagueness orders questions by how much their outcome explains, whichever of
// them came back first.
func (a *answer) vagueness() int {
	switch {
	case len(a.lookup.Answers) > 0: // a name that is blocked
		return 0
	case a.lookup.Rcode == "NXDOMAIN":
		return 1
	case a.lookup.Type == "A":
		return 2
	}
	return 3
}

// denied reports whether some answer says that name does not exist at all.
func (r *race) denied(name string) bool {
	return slices.ContainsFunc(r.missing, func(a answer) bool {
		return a.lookup.Name == name && a.lookup.Rcode == "NXDOMAIN"
	})
}

// note is an answer that did not decide the session's fate.
func (a *answer) note() session.Entry {
	e := connectEntry(a.at)
	e.Kind = session.KindNote
	e.Text = a.text
	lookup := a.lookup
	e.Lookup = &lookup
	return e
}

// failure is an answer for want of which there is no connection.
func (a *answer) failure() session.Entry {
	e := a.note()
	e.Kind = session.KindError
	fault := *a.fault
	e.Fault = &fault
	return e
}
