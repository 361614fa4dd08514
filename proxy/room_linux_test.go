package proxy_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"testing"
)

// TestAppWithoutRoom checks an app that is slower than its smarthost: what it
// has no room for waits, and the rest comes when there is some.
func TestAppWithoutRoom(t *testing.T) {
	const lines = 200_000 // more than the kernel keeps for both legs
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var help bytes.Buffer
	for i := range lines {
		fmt.Fprintf(&help, "214-line %d of a long answer to a short question\r\n", i)
	}
	help.WriteString("214 that is all\r\n")
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "220 mx\r\n")
		_, _ = conn.Read(make([]byte, 100))
		_, _ = conn.Write(help.Bytes())
	}()
	r := start(t, l.Addr().String(), nil)
	a := dial(t, r.addr)
	a.hear("220 mx\r\n")
	a.say("HELP\r\n")
	got, err := io.ReadAll(a.in)
	if err != nil || !bytes.Equal(got, help.Bytes()) {
		t.Errorf("got %d octets of %d, %v; want them all as they were", len(got), help.Len(), err)
	}
	a.conn.Close()
	r.wait()
}
