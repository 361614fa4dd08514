package probe_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

// crowd counts who is there at the same time, on all ports of a smarthost.
type crowd struct {
	mu         sync.Mutex
	here, most int
	all        int
	enough     chan struct{} // closed when as many are here as may be
	several    sync.Once
}

func (c *crowd) enter(most int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.here++
	c.all++
	if c.most = max(c.most, c.here); c.here == most {
		c.several.Do(func() { close(c.enough) })
	}
}

func (c *crowd) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.here--
}

// refuse takes no mail, and says so when a crowd has come.
func (c *crowd) refuse(conn net.Conn) {
	defer conn.Close()
	c.enter(4)
	<-c.enough
	_, _ = io.WriteString(conn, "554 no service here\r\n")
	_, _ = bufio.NewReader(conn).ReadString('\n')
	c.leave() // before the last word, behind which the next one comes
	_, _ = io.WriteString(conn, "221 bye\r\n")
}

// TestFixAtOnce wants at most four trials at a smarthost at the same time, and
// as many as there may be.
func TestFixAtOnce(t *testing.T) {
	c := &crowd{enough: make(chan struct{})}
	var ports []int
	var ends sync.WaitGroup
	for range 20 {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { ln.Close() })
		ports = append(ports, portOf(t, ln.Addr().String()))
		ends.Go(func() {
			for {
				conn, err := ln.Accept()
				if err != nil {
					return
				}
				ends.Go(func() { c.refuse(conn) })
			}
		})
	}
	p := newProber(t, nil, probe.Options{OtherPorts: ports})
	before := probe.Report{Lines: []probe.Line{{Step: "connect", Status: probe.StatusFail, Text: "refused"}}}
	before.Dialogue = p.Dialogue(t.Context(), local(t, portThat(t, "connect.refused")), probe.Script{}, nil)
	f := p.Fix(t.Context(), local(t, portThat(t, "connect.refused")), probe.Search{Before: before})
	if f.Change != "set port "+strings.Fields(f.Change + " x x x")[2] || f.Reached != "connect" || len(f.Tried) != 12 {
		t.Errorf("got %q, which reaches %q, after %d trials, want another port, which reaches connect, after 12", f.Change, f.Reached, len(f.Tried))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.most != 4 || c.all != 12 {
		t.Errorf("got %d trials at the same time of %d, want 4 of 12", c.most, c.all)
	}
}

// TestFixInterrupted ends the caller's patience while a trial waits.
func TestFixInterrupted(t *testing.T) {
	l := listen(t, map[string]string{"": "-"})
	p := newProber(t, nil, probe.Options{OtherPorts: []int{portOf(t, l.Addr().String())}})
	target := local(t, portThat(t, "connect.refused"))
	before := probe.Report{Lines: []probe.Line{{Step: "connect", Status: probe.StatusFail, Text: "refused"}}}
	before.Dialogue = p.Dialogue(t.Context(), target, probe.Script{}, nil)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan probe.Fix)
	go func() { ended <- p.Fix(ctx, target, probe.Search{Before: before}) }()
	<-l.stalled
	cancel()
	select {
	case f := <-ended:
		if f.Change != "" && f.Reached != "connect" {
			t.Errorf("got %q, which reaches %q, of a search that was broken off", f.Change, f.Reached)
		}
	case <-time.After(time.Second):
		t.Error("the search goes on a second after it was broken off")
	}
}

// TestFixUnasked wants a search without a check before it to begin with one
// dialogue, and never to sign in.
func TestFixUnasked(t *testing.T) {
	l := listen(t, nil)
	p := newProber(t, nil, probe.Options{OtherPorts: []int{}})
	target := local(t, portOf(t, l.Addr().String()))
	target.Mode = upstream.ModeNone
	f := p.Fix(t.Context(), target, probe.Search{Script: probe.Script{User: "me", Password: "secret", From: "me@example.com", To: "you@example.com", Deliver: true}})
	if f.Change != "" || f.Reached != "auth-offered" {
		t.Errorf("got %+v, want no change, and auth-offered reached", f)
	}
	for verb, want := range map[string]int{"EHLO": 1, "AUTH": 0, "MAIL": 0, "RCPT": 0, "DATA": 0} {
		if got := l.count(verb); got != want {
			t.Errorf("got %d %s, want %d: %q", got, verb, want, l.heard())
		}
	}
}
