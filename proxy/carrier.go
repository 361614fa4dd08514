package proxy

// carrier moves a session's octets between its sockets and its machine in
// place of two goroutines of its own. A session without one has those.
type carrier interface {
	// wake has the carrier look at what has changed. The lock is held.
	wake()
	// broken gives a side that takes nothing any more a moment for its last
	// words. The lock is held.
	broken(l *leg)
	// impatient gives up an attempt to connect that takes its time, in favour of
	// one that races, or cuts a session that has had its time to end, and reports
	// whether there was one. The lock is held.
	impatient() bool
	// cut closes both connections as they are. The lock is held.
	cut()
	// bury ends a session whose connections are closed and whose machine is of
	// no use, unless somebody is at work on it who will. The lock is held.
	bury()
}
