package proxy_test

import (
	"io"
	"net"
	"testing"
	"time"
)

func TestLingeringAppIsCutOff(t *testing.T) { carried(t, lingeringAppIsCutOff) }

// lingeringAppIsCutOff checks an app that stays when the session is over: it
// gets two seconds to read its last reply and leave, and holds nothing for
// longer.
func lingeringAppIsCutOff(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "220 mx\r\n")
		_, _ = conn.Read(make([]byte, 100))
		_, _ = io.WriteString(conn, "221 2.0.0 bye\r\n")
	}()
	r := start(t, l.Addr().String(), nil)
	a := dial(t, r.addr)
	a.hear("220 mx\r\n")
	asked := time.Now()
	a.say("QUIT\r\n")
	a.hear("221 2.0.0 bye\r\n")
	history := r.wait()
	if took := time.Since(asked); took < 2*time.Second {
		t.Errorf("got the end after %s, want two seconds for the app to leave\n%s", took, transcript(history))
	}
	a.hearEnd()
}
