//go:build !linux

package probe

import (
	"errors"
	"syscall"
)

// heldTo is to be had on Linux only: elsewhere the option comes too late or is
// not there.
func heldTo(int) func(network, address string, c syscall.RawConn) error {
	return func(string, string, syscall.RawConn) error {
		return errors.New("the handshake is stalled, and this system cannot be told to use small packets")
	}
}
