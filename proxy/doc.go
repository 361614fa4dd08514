// Package proxy carries sessions between apps and their smarthosts: it
// listens, dials, moves bytes and hands the history over.
//
// [Server] owns the listeners and the sessions, a relay owns the connections
// of one session, [Recorder] takes what is to be remembered. What a byte means
// is not decided here but by [session.Machine].
//
// Its one rule: nothing on a byte's way waits for anything but the two peers.
package proxy
