//go:build !linux

package proxy

import (
	"net"

	"smtp-proxy/proxy/session"
)

// tcpInfo is to be had on Linux only.
func tcpInfo(net.Conn) *session.TCP { return nil }

func brokenPipe(net.Conn) bool { return false }
