package upstream

import (
	"crypto/tls"
	"net"
)

// maxFirst is how many of a peer's first bytes are kept to show what it spoke
// instead of TLS.
const maxFirst = 64

// alertRecord is the length of an alert in clear: a record header, its level
// and its number.
const alertRecord = 7

// Tap sits between a connection and TLS during the handshake and remembers
// the first bytes that the peer sent: crypto/tls keeps five of them, too few
// to tell a mail server's greeting from a web server's answer. It remembers the
// last ones too, which may be an alert that crypto/tls cannot read.
type Tap struct {
	net.Conn
	first []byte
	last  []byte
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
	if !t.done {
		t.last = append(t.last, b[max(0, n-alertRecord):n]...)
		t.last = t.last[max(0, len(t.last)-alertRecord):]
	}
	return n, err
}

// clearAlert returns the number of the alert in clear that was the peer's last
// word. OpenSSL refuses a certificate of TLS 1.3 so: it has no keys of its own
// by then, and crypto/tls, which expects the alert under them (RFC 8446,
// section 6), takes it for a broken record.
func (t *Tap) clearAlert() (number int, ok bool) {
	l := t.last
	if len(l) != alertRecord || l[0] != 21 || !looksLikeTLS(l) || l[3] != 0 || l[4] != 2 || l[5] < 1 || l[5] > 2 {
		return 0, false
	}
	return int(l[6]), true
}

// Done ends the listening and lets go of what was heard. It must not be
// called while another goroutine reads.
func (t *Tap) Done() { t.done, t.first, t.last = true, nil, nil }

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
