package main

import "runtime"

// reactors is how many threads are to carry sessions: one for each processor.
// The scheduler is given half as many again, for all that is not on a byte's
// way: a reactor with work keeps its own.
func reactors() int {
	n := runtime.GOMAXPROCS(0)
	runtime.GOMAXPROCS(n + (n+1)/2)
	return n
}
