//go:build !linux

package proxy

import (
	"net"
	"net/netip"
	"syscall"
)

// originalDestination is to be had on Linux only; elsewhere no connection
// counts as redirected.
func originalDestination(conn net.Conn) netip.AddrPort { return addrOf(conn.LocalAddr()) }

func takeForeign(_, _ string, _ syscall.RawConn) error { return nil }
