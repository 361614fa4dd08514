// Package capture writes sessions into files and reads them back: captures, to
// be sent to a colleague, kept with a test, replayed.
//
// A capture is JSON, one object a line (JSON lines). A session begins with its
// object in the shape that all commands share, with its events and one member
// more; then come the octets of its messages; then its end, so that a file cut
// short is noticed:
//
//	{"id":"01JD…", …, "events":[…], "capture":{"version":1,"by":"smtp-proxy 1.0","exact":{…}}}
//	{"body":{"session":"01JD…","message":0,"offset":0,"data":"U3ViamVjdDog…"}}
//	{"end":{"session":"01JD…","bodies":[{"message":0,"octets":1234,"sha256":"9f86…"}]}}
//
// Other sessions may follow. A message is as it was sent: dots doubled where it
// came with DATA, without the line that ends it; a line holds 64 KiB of it at
// most, in base64 (RFC 4648, section 4), and the first message is 0. Exact
// holds what the shape rounds: nanoseconds, and the octets of texts that are
// not UTF-8. [Schema] describes each member.
//
// A session's object without the member capture, as show --json and sessions
// --json print it, is a capture without messages and without an end.
//
// The version is raised when what is there changes its meaning. Members that a
// reader does not know are left aside.
//
// Captures come from strangers. The reader's work and memory are bounded, each
// error names its line, and no name in a file is ever a path. The package's one
// rule: what is read has the shape of what was recorded, or is refused.
package capture
