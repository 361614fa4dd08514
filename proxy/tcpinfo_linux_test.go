package proxy

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"smtp-proxy/proxy/session"
)

// pair returns the two ends of a TCP connection.
func pair(t *testing.T) (near, far *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dialled, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	near, far = accepted.(*net.TCPConn), dialled.(*net.TCPConn)
	t.Cleanup(func() { near.Close(); far.Close() })
	_ = near.SetDeadline(time.Now().Add(20 * time.Second))
	return near, far
}

func TestTCPInfo(t *testing.T) {
	near, far := pair(t)
	if _, err := io.WriteString(near, "220 mx ready\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(far, make([]byte, 14)); err != nil {
		t.Fatal(err)
	}
	got := tcpInfo(near)
	if got == nil || got.State != "established" || got.RTT <= 0 || got.RTT > time.Minute || got.Retransmits != 0 || got.Lost != 0 {
		t.Errorf("got %+v of a live connection, want established, a round-trip time and nothing lost", got)
	}
	far.Close()
	if _, err := near.Read(make([]byte, 1)); err != io.EOF {
		t.Fatalf("got %v, want the peer's FIN", err)
	}
	if got := tcpInfo(near); got == nil || got.State != "close-wait" {
		t.Errorf("got %+v behind the peer's FIN, want close-wait", got)
	}
	near.Close()
	if got := tcpInfo(near); got != nil {
		t.Errorf("got %+v of a closed connection, want nothing", got)
	}
}

func TestTCPInfoOfNoSocket(t *testing.T) {
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	for _, conn := range []net.Conn{nil, near} {
		if got := tcpInfo(conn); got != nil {
			t.Errorf("got %+v of %v, want nothing", got, conn)
		}
	}
}

// TestEndOfStreamThatWasAReset checks the read that comes second: the kernel gives
// the error to whoever asks first, and an end of stream to the other.
func TestEndOfStreamThatWasAReset(t *testing.T) {
	tests := []struct {
		name  string
		leave func(near, far *net.TCPConn)
		reset bool
	}{
		{"FIN", func(_, far *net.TCPConn) { far.Close() }, false},
		{"half-close", func(_, far *net.TCPConn) { far.CloseWrite() }, false},
		{"reset that a write has met", func(near, far *net.TCPConn) {
			_ = far.SetLinger(0)
			far.Close()
			awaitState(t, near, "closed")
			if _, err := near.Write([]byte("x")); err == nil {
				t.Fatal("a write to a reset connection went through")
			}
		}, true},
		{"FIN, and a reset of what was written behind it", func(near, far *net.TCPConn) {
			far.Close()
			awaitState(t, near, "close-wait")
			if _, err := near.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
			awaitState(t, near, "closed")
		}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			near, far := pair(t)
			tt.leave(near, far)
			_, err := near.Read(make([]byte, 1))
			if err != io.EOF {
				t.Fatalf("got %v from the read, want the end of stream that is to be told apart", err)
			}
			l := &leg{conn: near}
			if fault := l.faultOf(err); (fault != nil) != tt.reset {
				t.Errorf("got fault %+v with the connection %+v, want a reset: %v", fault, l.parting, tt.reset)
			}
		})
	}
}

// awaitState waits until the peer's packet has arrived.
func awaitState(t *testing.T, conn net.Conn, want string) {
	t.Helper()
	got := ""
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		if got = tcpInfo(conn).State; got == want {
			return
		}
	}
	t.Fatalf("the connection is %s, want %s", got, want)
}

// TestEndsInTheOrderOfTheWire checks that an app's reset is told behind the
// upstream's end when that had come before, whoever is read first.
func TestEndsInTheOrderOfTheWire(t *testing.T) {
	app, farApp := pair(t)
	up, farUp := pair(t)
	farUp.Close()
	awaitState(t, up, stateCloseWait)
	_ = farApp.SetLinger(0)
	farApp.Close()
	awaitState(t, app, stateClosed)

	s := &Server{options: Options{Recorder: NewRecorder()}}
	r := s.newRelay(app.RemoteAddr().String(), &Route{})
	defer r.cancel()
	r.legs[session.App].conn, r.legs[session.Upstream].conn = app, up
	r.m.Connected(time.Now(), false)
	var reading sync.WaitGroup
	reading.Go(func() { r.readOnce(&r.legs[session.App], newSource()) })
	r.readOnce(&r.legs[session.Upstream], newSource())
	reading.Wait()
	s.options.Recorder.Close()
	records, err := s.options.Recorder.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range records {
		if rec.Entry.Kind != session.KindClose {
			continue
		}
		if rec.Entry.Leg != session.Upstream {
			t.Errorf("got %q first, want the upstream's end", rec.Entry.Text)
		}
		return
	}
	t.Errorf("got %d records and no end", len(records))
}
