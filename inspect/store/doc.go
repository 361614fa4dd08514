// Package store keeps the record: it takes entries from the proxy, has them
// annotated, writes them to an SQLite database and reads them back as
// sessions.
//
// It understands neither SMTP nor failures; package inspect assembles
// sessions and the annotator it is given explains them. Its one rule: nothing
// on a byte's way waits for it. What it cannot write it counts, and the record
// says so.
//
// One process records into a directory, a [Keeper]; others read it, and bring
// sessions that ended elsewhere ([Guest]).
//
// How the record lies on disk. A database is a list of blocks, one or more
// for each batch of entries, each block compressed as a whole: the summaries,
// the entries and the bodies of all sessions that did something meanwhile.
// The table of sessions says in which block the latest summary of each stands;
// what else searching needs is a column there. So a short session costs one
// row, and many short ones share the dictionary of one compressed block. The
// table of words says in which seconds sessions with an address, a cause or the
// like began (words.go): it leads to the few rows that a list is of. The tables
// of tallies and of waits hold what an overview sums up, by slots of time
// (tallies.go). What a large message has beyond its first megabyte stands in a
// file of its own beside the database, as it was sent.
package store
