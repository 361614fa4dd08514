// Package anonymize replaces what is personal in a session and its messages by
// stand-ins, so that a capture can be shown to others.
//
// Within one export the same value has the same stand-in wherever it occurs;
// codes, keywords, sizes, times and the order of things stay, and so does what
// they prove. The stand-ins come from a random key that is never stored, so
// that nobody, its owner included, leads them back. Names of public services
// stay: they carry the meaning and nobody's name.
//
// It keeps nothing and decides nothing about a session. Its one rule: what it
// does not know is replaced.
package anonymize
