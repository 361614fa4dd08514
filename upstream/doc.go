// Package upstream reaches the smarthost: it reads the target from the
// settings, looks its name up, connects to one of its addresses and shakes
// hands with it under TLS. Each look-up and each attempt becomes a
// [session.Entry] with the facts that a diagnosis needs.
//
// It speaks no SMTP, but has the mechanisms of those who sign in
// ([Credentials]), and retries nothing on its own account: a session gets one
// connection or one [Error]. Its one rule: trouble is classified by what the
// operating system, the resolver or the peer said, never by guessing, and their
// own words are kept beside the class.
package upstream
