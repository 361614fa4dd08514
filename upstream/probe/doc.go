// Package probe asks smarthosts questions on the proxy's own account, off the
// way of any mail: what certificate is shown for a name, what a port speaks,
// and whether an app would get through TLS without the proxy. One question is
// one file, and each answer is a [session.Entry] with the facts beside it.
//
// A question that follows a session never sends mail and never signs in; only a
// check that a person asks for does, once, and only as far as it is told. None
// decides anything about a session: diagnosis reads the answers. How often a
// smarthost may be asked, how many questions run at once and how long an answer
// is good for is settled in one place each (budget.go, gate.go, grid.go,
// answers.go).
//
// Its one rule: a question that could not be asked is answered with "skip" and
// the reason, never with a guess.
package probe
