// Package compose holds what docker-compose.yml builds besides the proxy: an
// app that mails with swaks and a smarthost on Postfix.
//
// There is no Go here but the test, which reads docker-compose.yml and the
// Dockerfiles, checks that they fit each other, and runs the proxy's command
// line as it stands there. Its one rule: the test needs no Docker.
package compose
