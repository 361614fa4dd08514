package upstream

import (
	"crypto/tls"
	"net"
)

// maxFirst is how many of a peer's first bytes are kept to show what it spoke
// instead of TLS.
const maxFirst = 64

// Tap sits between a connection and TLS during the handshake and remembers
// the first bytes that the peer sent: crypto/tls keeps five of them, too few
// to tell a mail server's greeting from a web server's answer.
type Tap struct {
	net.Conn
	first []byte
	done  bool
}

// NewTap listens in on conn until Done is called.
func NewTap(conn net.Conn) *Tap { return &Tap{Conn: conn, first: make([]byte, 0, maxFirst)} }

// Read reads from the connection and remembers the beginning.
func (t *Tap) Read(b []byte) (int, error) {
	n, err := t.Conn.Read(b)
	if room := maxFirst - len(t.first); !t.done && room > 0 {
		t.first = append(t.first, b[:min(n, room)]...)
	}
	return n, err
}

// Done ends the listening and lets go of what was heard. It must not be
// called while another goroutine reads.
func (t *Tap) Done() { t.done, t.first = true, nil }

// NetConn returns the connection beneath.
func (t *Tap) NetConn() net.Conn { return t.Conn }

// Unwrap returns the network connection beneath TLS and taps, which is where
// half-close and TCP statistics are to be had.
func Unwrap(conn net.Conn) net.Conn {
	for {
		switch c := conn.(type) {
		case *tls.Conn:
			conn = c.NetConn()
		case *Tap:
			conn = c.Conn
		default:
			return conn
		}
	}
}
