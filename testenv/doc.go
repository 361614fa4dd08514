// Package testenv plays the parties around the relay: the smarthosts it
// reaches, the apps that speak to it, certificates and name servers. Everything
// in it is a small real server or program on a loopback socket; tests use it,
// and so do the commands sandbox and demo.
//
// It decides nothing about mail and knows nothing of the relay's inside.
//
// Its one rule: whatever it starts is bounded and ends with Close. No
// connection, message or goroutine outlives its owner, and nothing here
// connects to anything but the address it was given.
package testenv
