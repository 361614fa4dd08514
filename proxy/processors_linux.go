package proxy

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// patience is for how many milliseconds a reactor that has processors to spare
// beside it waits for the next event without giving its own back.
const patience = 1

// reactorsWanted is how many reactors there are to be, and settles how patient
// they are: without processors of their own they must not keep those that all
// else needs.
func (s *Server) reactorsWanted() int {
	if s.options.Reactors > 0 {
		s.patience = patience
		return s.options.Reactors
	}
	return runtime.GOMAXPROCS(0)
}

// settleDown keeps a reactor on a processor of the machine, so that its
// sessions stay in one cache and those who wake it find it where it was. That
// is for the case that this process may use every processor of its set and has
// a reactor for each; any other is left to the kernel.
func (x *reactor) settleDown() {
	var mine unix.CPUSet
	if x.server.patience == 0 || unix.SchedGetaffinity(0, &mine) != nil || mine.Count() != len(x.server.reactors) {
		return
	}
	var one unix.CPUSet
	for cpu, seen := 0, 0; ; cpu++ {
		if !mine.IsSet(cpu) {
			continue
		}
		if seen == x.number {
			one.Set(cpu)
			break
		}
		seen++
	}
	_ = unix.SchedSetaffinity(0, &one) // refused: it works everywhere
}
