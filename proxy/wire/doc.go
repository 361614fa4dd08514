// Package wire reads the bytes of SMTP: command lines, replies, EHLO
// keywords, dot-ended data, BDAT sizes, the first bytes of TLS and HTTP, and
// the handshakes of TLS that pass by; and it builds hellos to ask with.
//
// Every function is pure: it takes bytes and says what they mean. It holds no
// connection, keeps no session and decides nothing. Its one rule: it never
// changes or drops a byte by itself, and says so when it cannot read one.
package wire
