//go:build !linux

package proxy

import (
	"net"

	"smtp-proxy/proxy/session"
)

// tcpInfo is to be had on Linux only.
func tcpInfo(net.Conn) *session.TCP { return nil }

func (l *leg) tcpInfo() *session.TCP { return nil }

func (l *leg) brokenPipe() bool { return false }
