package main

import (
	"fmt"
	"net"
	"strconv"

	"smtp-proxy/policy"
)

// checkHere refuses addresses that others than this machine could reach.
func checkHere(addr string) error {
	if _, _, err := net.SplitHostPort(addr); err != nil || !policy.Loopback(addr) {
		return usagef("--listen %q: it is served to this machine only: write it as localhost:1025", addr)
	}
	return nil
}

// listenHere opens a port of this machine: on both loopbacks where it is called
// localhost, and there is IPv6.
func listenHere(addr string) ([]net.Listener, error) {
	if err := checkHere(addr); err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	localhost := host == "localhost"
	if localhost {
		host = "127.0.0.1"
	}
	first, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, fmt.Errorf("%w: stop what has this port, or name another with --listen", err)
	}
	all := []net.Listener{first}
	if localhost {
		bound := strconv.Itoa(first.Addr().(*net.TCPAddr).Port)
		if second, err := net.Listen("tcp", net.JoinHostPort("::1", bound)); err == nil {
			all = append(all, second)
		}
	}
	return all, nil
}
