//go:build !linux

package probe

import (
	"net"

	"smtp-proxy/proxy/session"
)

// tcpOf knows nothing: only Linux is asked.
func tcpOf(net.Conn) *session.TCP { return nil }
