// Package browser drives the web page in Chromium as a person does: mail is
// sent through a proxy, and the page must show it, explain it and let it be
// acted on, with and without script, on a wide screen and on a phone, for those
// who see and those who listen. What a message says must neither run nor load
// anything.
//
// It is no part of go test ./...: its tests have the build tag browser and need
// what testenv/browser/install fetches. .ci/run does both. Its one rule: only
// loopback is reached, and a request to anywhere else fails the test.
package browser
