// Package session holds the rules of one relayed SMTP session.
//
// A [Machine] is told what happened on the wire (bytes arrived, a handshake
// ended, a peer hung up, time passed) and answers with what should be done
// about it. It opens no socket, starts no goroutine, reads no clock and
// writes no log, so a session can be tested, fuzzed and replayed as plain
// data.
//
// Its one rule: forwarding never depends on understanding. What the machine
// cannot parse it forwards unread; understanding is for the record.
//
// What a session costs is memory: on the way of a healthy one, instructions
// are few and entries are most of what is written. So entries come in slabs,
// a line becomes a string once, and what is the same in every session (verbs,
// the enhanced codes of success, DATA and QUIT) is a constant.
package session
