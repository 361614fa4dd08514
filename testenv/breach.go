package testenv

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
)

// Breach is where one side's part of a TLS handshake goes wrong, and how. A
// flight is what a side sends before the other one speaks again: the
// ClientHello is the app's first, everything from the ServerHello to the
// upstream's Finished (TLS 1.3) or ServerHelloDone (TLS 1.2) the upstream's.
// The zero value is a handshake without a flaw.
type Breach struct {
	Flight  int    `toml:"flight"`  // which of the own flights is spoilt, from 1; 0 for none
	Records int    `toml:"records"` // how many TLS records of it are sent as they should be
	Raw     string `toml:"raw"`     // octets that follow them, instead of the rest
	Then    After  `toml:"then"`    // and what follows those; nothing means silence
}

// errBreached ends a handshake whose connection is gone, as was wanted.
var errBreached = errors.New("the handshake was broken off here")

func (b Breach) validate() error {
	switch {
	case b.Flight < 0 || b.Records < 0:
		return fmt.Errorf("breach: flight %d, records %d: want numbers from 0 on", b.Flight, b.Records)
	case b.Flight == 0 && b != Breach{}:
		return errors.New("breach: which flight?")
	}
	return Answer{Then: b.Then}.validate()
}

// on puts the breach into a connection, which is to be handed to crypto/tls.
// Its reads go on behind a breach that leaves the connection open.
func (b Breach) on(c net.Conn) net.Conn {
	if b.Flight == 0 {
		return c
	}
	return &breachedConn{Conn: c, breach: b}
}

// breachedConn counts the flights that it carries. Reading and writing may be
// two goroutines' work once the handshake is over.
type breachedConn struct {
	net.Conn
	breach Breach

	flight  int         // that is being sent
	heard   atomic.Bool // something has come since
	records int         // sent of the flight that is spoilt
	broken  bool
}

func (c *breachedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.heard.Store(true)
	}
	return n, err
}

func (c *breachedConn) Write(b []byte) (int, error) {
	if c.heard.Swap(false) || c.flight == 0 {
		c.flight++
	}
	switch {
	case c.broken:
		return len(b), nil
	case c.flight < c.breach.Flight:
		return c.Conn.Write(b)
	}
	return len(b), c.part(b)
}

// part sends the records of b that may still go out, and then breaks off.
func (c *breachedConn) part(b []byte) error {
	good := 0
	for c.records < c.breach.Records && len(b)-good >= 5 {
		good += 5 + int(binary.BigEndian.Uint16(b[good+3:]))
		c.records++
	}
	if _, err := c.Conn.Write(b[:good]); err != nil || good == len(b) {
		return err
	}
	c.broken = true
	if _, err := c.Conn.Write([]byte(c.breach.Raw)); err != nil {
		return err
	}
	switch c.breach.Then {
	case EndReset:
		reset(rawConn(c.Conn))
	case EndClose:
		c.Conn.Close()
	default:
		return nil
	}
	return errBreached
}
