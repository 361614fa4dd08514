package proxy

import (
	"crypto/tls"
	"net"
	"sync"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

// How long the end of a leg may take: for what is still to be written, and for
// the peer's own end after that. Without the wait for the peer, the kernel
// would answer what it still sends with a reset, and that can overtake the last
// reply.
const (
	closeWriteWait = 5 * time.Second
	closeReadWait  = 2 * time.Second
)

// chunk is one thing to be done on a leg, in order.
type chunk struct {
	op   session.Op
	data []byte
}

// leg is the relay's view of one side. The relay's lock guards it; the
// connection itself is used outside the lock.
type leg struct {
	side    session.Side
	writing bool
	left    bool     // something was queued and left to the one who is writing
	shake   bool     // a handshake is due, all earlier writes being out
	ended   bool     // our direction has been closed
	conn    net.Conn // nil until connected, and in a reactor
	sock    *socket  // in a reactor
	queue   []chunk
	spare   []chunk
	queued  uint64         // chunks ever queued
	flushed uint64         // chunks ever done
	since   time.Time      // when the write under way began
	broken  *session.Fault // why it can no longer be written to
	parting *session.TCP   // what the kernel knew when the peer's end was seen
	changed sync.Cond      // on the relay's lock
	past    carried        // outside the lock: what went past the machine
	few     [2]chunk       // what queue holds in a session without bursts
}

// flush does what is queued for a leg. With wait it returns when all that was
// queued before is done, whoever does it; without, it leaves the work to the
// one who is at it, who then does that too. The relay's lock is held on entry
// and exit.
func (r *relay) flush(l *leg, wait bool) {
	ticket := l.queued
	for l.flushed < ticket || l.left && !l.writing {
		if l.writing {
			if !wait {
				l.left = true
				return
			}
			l.changed.Wait()
			continue
		}
		r.writeQueue(l)
	}
}

// writeQueue does all that is queued now, outside the lock.
func (r *relay) writeQueue(l *leg) {
	queue, conn := l.queue, l.conn
	if l.broken != nil {
		conn = nil
	}
	l.queue, l.writing, l.left, l.since = l.spare[:0], true, false, time.Now()
	r.mu.Unlock()
	err := doChunks(conn, queue)
	r.mu.Lock()
	l.writing = false
	l.flushed += uint64(len(queue))
	clear(queue)
	l.spare = queue[:0]
	if err != nil {
		r.breakOff(l, upstream.Classify("write", err))
	}
	l.changed.Broadcast()
}

// doChunks writes to a connection and closes it, in the order given.
func doChunks(conn net.Conn, queue []chunk) error {
	if conn == nil {
		return nil
	}
	for i := 0; i < len(queue); {
		switch queue[i].op {
		case session.OpWrite:
			k := i
			for k < len(queue) && queue[k].op == session.OpWrite {
				k++
			}
			if err := writeAll(conn, queue[i:k]); err != nil {
				return err
			}
			i = k
		case session.OpCloseWrite, session.OpClose:
			closeWrite(conn)
			i++
		}
	}
	return nil
}

// writeAll sends neighbouring chunks in one call, so that a burst stays one.
func writeAll(conn net.Conn, queue []chunk) error {
	if len(queue) == 1 {
		_, err := conn.Write(queue[0].data)
		return err
	}
	if _, ok := conn.(*tls.Conn); ok {
		return writeJoined(conn, queue)
	}
	bufs := make(net.Buffers, len(queue))
	for i := range queue {
		bufs[i] = queue[i].data
	}
	_, err := bufs.WriteTo(conn)
	return err
}

// writeJoined makes one TLS record of what is small enough for one.
func writeJoined(conn net.Conn, queue []chunk) error {
	joined := make([]byte, 0, 1024)
	for _, c := range queue {
		joined = append(joined, c.data...)
	}
	_, err := conn.Write(joined)
	return err
}

// closeWrite ends our direction of a connection: close_notify first, where
// there is TLS, and then FIN.
func closeWrite(conn net.Conn) {
	if tc, ok := conn.(*tls.Conn); ok {
		_ = tc.CloseWrite() // the peer may have gone; there is nobody to tell
		conn = upstream.Unwrap(tc)
	}
	if hc, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = hc.CloseWrite()
		return
	}
	_ = conn.Close()
}

// breakOff gives up writing to a side. Its last words may still wait to be
// read (a smarthost says why and then resets), so the machine hears of the end
// from the reading direction, which gets a moment for them.
func (r *relay) breakOff(l *leg, fault *session.Fault) {
	l.broken = fault
	switch {
	case r.carrier != nil:
		r.carrier.broken(l)
	case l.conn != nil:
		_ = l.conn.SetReadDeadline(time.Now().Add(closeReadWait))
	}
}

// giveUp ends a write that does not come to an end.
func (l *leg) giveUp() {
	if l.conn != nil {
		_ = l.conn.SetWriteDeadline(time.Unix(1, 0))
	}
}
