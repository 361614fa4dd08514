// Package web shows sessions as pages: a [Site] is the web page, the API and
// the health checks beside a running proxy; a [Report] is one session as a
// single file that can be attached to a ticket.
//
// It opens no port of its own accord, sends no mail and examines nothing: what
// it does not read from the record is done for it by whoever made it, through
// the interfaces of outside.go. Its one rule: what peers said is text, never
// markup, and its control characters are shown rather than obeyed.
//
// How this works. A page is a file page_*.go with a method of Site whose name
// ends in Page or API; it returns the endpoints that it serves, and is found by
// that name. Each page has a template of the same name, put into layout.html.
// The files of static/ become one style sheet and one script. Every request
// passes the guard first.
package web
