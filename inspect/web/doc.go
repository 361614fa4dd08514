// Package web shows sessions as pages: a [Report] is one session as a single
// file that can be attached to a ticket.
//
// It reads no record and opens no port of its own accord; what it shows is
// given to it. Its one rule: what peers said is text, never markup, and its
// control characters are shown rather than obeyed.
package web
