package testenv

import (
	"net"
	"time"
)

// dialFaults are ports that cannot be reached.
func dialFaults() map[string]starter {
	return map[string]starter{
		"connect.refused":     refused,
		"connect.unreachable": unreachable,
	}
}

// refused offers a port on which nothing listens, and that nobody can take
// meanwhile: the local end of a connection to somewhere else.
func refused(f *Fault, o FaultOptions) error {
	ln, err := listenLoopback("")
	if err != nil {
		return err
	}
	f.closers = append(f.closers, ln.Close)
	c, err := net.DialTimeout("tcp", ln.Addr().String(), 5*time.Second)
	if err != nil {
		return err
	}
	f.closers = append(f.closers, c.Close)
	return f.name(o.host("mail.example.com"), c.LocalAddr().String())
}

// unreachable offers a broadcast address of the loopback network, to which no
// TCP connection can be routed.
func unreachable(f *Fault, o FaultOptions) error {
	return f.name(o.host("mail.example.com"), "127.255.255.255:587")
}
