package testenv

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// Limits that hold for every fake, whatever its options say.
const (
	maxConns = 64               // connections at once on one port; further ones wait in the backlog
	maxLife  = 15 * time.Minute // of one connection

	acceptPause = 50 * time.Millisecond // before accepting again when it failed
)

// port is a listening socket whose connections are counted, bounded in number
// and life, and gone when Close returns.
//
// How this works: one goroutine accepts and starts one goroutine for each
// connection; both kinds are counted in ends. Close cancels the context that
// the connections were given, closes every socket, and waits for the count.
type port struct {
	ln    net.Listener
	serve func(context.Context, net.Conn)
	slots chan struct{}

	ctx    context.Context
	cancel context.CancelFunc
	ends   sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

// openPort listens on addr, or on a free port of 127.0.0.1 when it is empty,
// and calls serve for each connection. serve owns the conversation, the port
// closes the connection behind it.
func openPort(addr string, serve func(context.Context, net.Conn)) (*port, error) {
	ln, err := listenLoopback(addr)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	p := &port{
		ln: ln, serve: serve, slots: make(chan struct{}, maxConns),
		ctx: ctx, cancel: cancel, conns: make(map[net.Conn]struct{}),
	}
	p.ends.Add(1)
	go p.accept()
	return p, nil
}

func listenLoopback(addr string) (net.Listener, error) {
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %s (choose another port, or 0 for a free one): %w", addr, err)
	}
	return ln, nil
}

// Addr returns ip:port of the listening socket.
func (p *port) Addr() string { return p.ln.Addr().String() }

// Close ends the port and all its connections, and waits for them. A second
// call does nothing.
func (p *port) Close() error {
	p.cancel()
	err := p.ln.Close()
	p.mu.Lock()
	for c := range p.conns {
		c.Close()
	}
	p.mu.Unlock()
	p.ends.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (p *port) accept() {
	defer p.ends.Done()
	for {
		select {
		case p.slots <- struct{}{}:
		case <-p.ctx.Done():
			return
		}
		c, err := p.ln.Accept()
		if err != nil {
			<-p.slots
			if errors.Is(err, net.ErrClosed) || pause(p.ctx, acceptPause) != nil {
				return
			}
			continue // out of descriptors, or a connection that died in the queue
		}
		if !p.enter(c) {
			c.Close()
			return
		}
		go p.run(c)
	}
}

// enter counts a connection in, unless the port is closing.
func (p *port) enter(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ctx.Err() != nil {
		return false
	}
	p.conns[c] = struct{}{}
	p.ends.Add(1)
	return true
}

func (p *port) run(c net.Conn) {
	defer p.ends.Done()
	defer p.leave(c)
	_ = c.SetDeadline(time.Now().Add(maxLife))
	p.serve(p.ctx, c)
}

func (p *port) leave(c net.Conn) {
	c.Close()
	p.mu.Lock()
	delete(p.conns, c)
	p.mu.Unlock()
	<-p.slots
}

// reset makes the close of c send RST instead of FIN, and closes it.
func reset(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	c.Close()
}
