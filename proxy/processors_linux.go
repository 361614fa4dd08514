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

// settleDown finds a reactor's thread its place in the kernel's schedule.
func (x *reactor) settleDown() {
	if x.server.patience == 0 {
		return
	}
	giveWay()
	x.stay()
}

// giveWay has the thread wait for its turn when it is woken, rather than take
// the processor from whoever has it: those are apps and smarthosts more often
// than not, and what they say next is done in the same visit.
func giveWay() {
	now, err := unix.SchedGetAttr(0, 0)
	if err != nil || now.Policy != unix.SCHED_NORMAL {
		return
	}
	now.Policy = unix.SCHED_BATCH
	_ = unix.SchedSetAttr(0, now, 0) // refused: it works as any other
}

// stay keeps a reactor on a processor of the machine, so that its sessions stay
// in one cache and those who wake it find it where it was. That is for the case
// that this process may use every processor of its set and has a reactor for
// each; any other is left to the kernel.
func (x *reactor) stay() {
	var mine unix.CPUSet
	if unix.SchedGetaffinity(0, &mine) != nil || mine.Count() != len(x.server.reactors) {
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
