package proxy

import "golang.org/x/sys/unix"

// RestDoors has every door meet a lack of descriptors, and returns once it has.
func RestDoors(s *Server) {
	for _, x := range s.reactors {
		rested := make(chan struct{})
		x.call(func() {
			for i := range x.doors {
				x.rest(&x.doors[i], unix.EMFILE)
			}
			close(rested)
		})
		<-rested
	}
}
