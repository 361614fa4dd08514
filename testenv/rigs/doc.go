// Package rigs sends mail through the proxy between programs that people use:
// swaks, curl, Python's smtplib and nodemailer on one side, Postfix and Exim
// on the other. What the server stores and what the program reports must be
// what they are without the proxy.
//
// It is no part of go test ./...: its tests have the build tag rigs and need
// what testenv/rigs/install fetches. .ci/run does both. Its one rule: the
// servers are private instances on free loopback ports, with their own
// configuration, spool and users; the system's are never touched. Firewall
// rules are loaded in network namespaces that a test makes and removes.
package rigs
