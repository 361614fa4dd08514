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
package session
