package session

import "time"

// Info is what is known of a session when it begins.
type Info struct {
	ID       string // ULID
	Started  time.Time
	Route    string
	AppAddr  string // ip:port of the app
	Upstream string // host:port as configured
	Mode     string // auto, starttls, implicit, none: how the upstream leg is to be secured
	AppTLS   string // none, offer, require, implicit
	Linked   string // id of the session that this one repeats, or empty
}

// Record is one piece of history on its way to whoever keeps it. Exactly one
// of Entry, Body and Closed says something; Dropped may come with any.
type Record struct {
	Session *Info
	Entry   *Entry
	Body    []byte // octets of the message under way, in order; valid until the batch is given back
	Dropped int    // entries (or body octets, when Body is set) lost just before this record, the queue being full
	Closed  bool   // the last record of its session; At says when it ended
	At      time.Time
}
