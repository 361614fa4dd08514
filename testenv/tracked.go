package testenv

import (
	"net"
	"sync"
)

// trackedListener remembers its connections so that they can be closed under a
// server that would wait for their owners, and accepts at most maxConns.
type trackedListener struct {
	net.Listener
	slots chan struct{}
	done  chan struct{}

	mu    sync.Mutex
	shut  bool
	conns map[*trackedConn]struct{}
}

func track(ln net.Listener) *trackedListener {
	return &trackedListener{
		Listener: ln,
		slots:    make(chan struct{}, maxConns),
		done:     make(chan struct{}),
		conns:    make(map[*trackedConn]struct{}),
	}
}

// Accept waits for a free slot, then for a connection.
func (l *trackedListener) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-l.done:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return l.add(c)
}

func (l *trackedListener) add(c net.Conn) (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.shut {
		c.Close()
		return nil, net.ErrClosed
	}
	t := &trackedConn{Conn: c, ln: l}
	l.conns[t] = struct{}{}
	return t, nil
}

// closeAll ends the listener and every connection.
func (l *trackedListener) closeAll() {
	l.Listener.Close()
	l.mu.Lock()
	if !l.shut {
		l.shut = true
		close(l.done)
	}
	open := make([]*trackedConn, 0, len(l.conns))
	for c := range l.conns {
		open = append(open, c)
	}
	l.mu.Unlock()
	for _, c := range open {
		c.Close()
	}
}

type trackedConn struct {
	net.Conn
	ln   *trackedListener
	once sync.Once
}

// Close frees the connection's slot, once.
func (c *trackedConn) Close() error {
	c.once.Do(func() {
		c.ln.mu.Lock()
		delete(c.ln.conns, c)
		c.ln.mu.Unlock()
		<-c.ln.slots
	})
	return c.Conn.Close()
}
