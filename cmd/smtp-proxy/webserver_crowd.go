package main

import (
	"io"
	"net"
	"sync"
	"time"
)

// mostVisitors is how many connections the page has at once. The descriptors
// behind them are those that the relay needs, which comes first.
const mostVisitors = 512

// crowd is a listener that sends away whoever comes when it is full: one that
// let them wait would show the owner a page that never loads.
type crowd struct {
	net.Listener
	room chan struct{}
}

func newCrowd(l net.Listener, most int) *crowd {
	return &crowd{l, make(chan struct{}, most)}
}

// Accept returns the next connection that there is room for.
func (c *crowd) Accept() (net.Conn, error) {
	for {
		conn, err := c.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case c.room <- struct{}{}:
			return &visitor{Conn: conn, leave: sync.OnceFunc(func() { <-c.room })}, nil
		default:
			sendAway(conn)
		}
	}
}

// sendAway says why and closes. It does not wait: a few octets have room in the
// buffer of a new connection.
func sendAway(c net.Conn) {
	_ = c.SetWriteDeadline(time.Now().Add(10 * time.Millisecond))
	_, _ = io.WriteString(c, "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nConnection: close\r\nRetry-After: 10\r\n\r\ntoo many connections to this page: close some\n")
	_ = c.Close()
}

// visitor is a connection that makes room when it is closed.
type visitor struct {
	net.Conn
	leave func()
}

// Close ends the connection.
func (v *visitor) Close() error {
	defer v.leave()
	return v.Conn.Close()
}
