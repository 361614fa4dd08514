package proxy_test

import (
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"sync"
	"testing"

	"smtp-proxy/proxy"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
)

// TestManyAtOnce has many sessions send messages of all sizes at the same time,
// to an upstream that reads in small pieces: what it has read must be what the
// apps have written.
func TestManyAtOnce(t *testing.T) { carried(t, manyAtOnce) }

func manyAtOnce(t *testing.T) {
	up := newHasher(t)
	r := start(t, up.addr, nil)
	sent := make([]string, 40)
	var apps sync.WaitGroup
	for i := range sent {
		apps.Go(func() { sent[i] = sendRandom(t, r.addr, uint64(i)) })
	}
	apps.Wait()
	up.wait()
	got := map[string]int{}
	for _, sum := range up.sums {
		got[sum]++
	}
	for i, sum := range sent {
		if got[sum]--; got[sum] < 0 {
			t.Errorf("app %d: the upstream did not get the same octets", i)
		}
	}
	for range sent {
		r.wait()
	}
}

// sendRandom sends a session of pieces that fall anywhere and returns the hash
// of what it has sent.
func sendRandom(t *testing.T, addr string, seed uint64) string {
	rnd := rand.New(rand.NewPCG(seed, 1))
	a := dial(t, addr)
	a.hear("220 mx ready\r\n")
	all := "EHLO app\r\nDATA\r\n"
	a.say("EHLO app\r\n")
	a.hear("250 mx\r\n")
	a.say("DATA\r\n")
	a.hear("354 go\r\n")
	line := strings.Repeat("x", 70) + "\r\n"
	body := strings.Repeat(line, rnd.IntN(30_000)) + ".\r\nQUIT\r\n"
	for rest := body; rest != ""; {
		n := min(1+rnd.IntN(200_000), len(rest))
		a.say(rest[:n])
		rest = rest[n:]
	}
	a.hear("250 ok\r\n221 bye\r\n")
	a.hearEnd()
	return fmt.Sprintf("%x", sha256.Sum256([]byte(all+body)))
}

// hasher is an upstream that hashes all that it gets.
type hasher struct {
	addr string
	wait func()
	mu   sync.Mutex
	sums []string
}

func newHasher(t *testing.T) *hasher {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &hasher{addr: l.Addr().String()}
	var peers, accepts sync.WaitGroup
	accepts.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			peers.Go(func() { h.serve(c) })
		}
	})
	h.wait = func() {
		l.Close()
		accepts.Wait()
		peers.Wait()
	}
	t.Cleanup(h.wait)
	return h
}

func (h *hasher) serve(c net.Conn) {
	defer c.Close()
	sum := sha256.New()
	_, _ = io.WriteString(c, "220 mx ready\r\n")
	var seen []byte
	piece := make([]byte, 3000)
	answers := []struct{ end, reply string }{
		{"EHLO app\r\n", "250 mx\r\n"}, {"DATA\r\n", "354 go\r\n"}, {"\r\n.\r\n", "250 ok\r\n"}, {"QUIT\r\n", "221 bye\r\n"},
	}
	for len(answers) > 0 {
		n, err := c.Read(piece)
		if err != nil {
			return
		}
		sum.Write(piece[:n])
		seen = append(seen, piece[:n]...)
		for len(answers) > 0 && strings.Contains(string(seen), answers[0].end) {
			_, _ = io.WriteString(c, answers[0].reply)
			answers = answers[1:]
			seen = seen[max(0, len(seen)-10):]
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sums = append(h.sums, fmt.Sprintf("%x", sum.Sum(nil)))
}

// TestReactorsLeaveNothing counts descriptors before and after sessions of all
// endings.
func TestReactorsLeaveNothing(t *testing.T) {
	before := descriptors(t)
	up := tape(t, "<- 220 mx ready\n! eof\n! close", testenv.TapeOptions{})
	r := start(t, up.Addr(), nil)
	for i := range 20 {
		a := dial(t, r.addr)
		a.hear("220 mx ready\r\n")
		switch i % 3 {
		case 0:
			a.say("STARTTLS\r\n") // refused
			a.hearLine("502 ")
		case 1:
			_ = a.conn.(*net.TCPConn).SetLinger(0)
		}
		a.conn.Close()
		r.wait()
	}
	r.stop()
	up.Close()
	if after := descriptors(t); after > before {
		t.Errorf("got %d descriptors, want the %d from before", after, before)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// TestWithoutDescriptors checks that a door that cannot let anybody in rests,
// and opens again.
func TestWithoutDescriptors(t *testing.T) {
	up := tape(t, "<- 220 mx ready\n! eof\n! close", testenv.TapeOptions{})
	r := start(t, up.Addr(), func(_ *proxy.Options, _ *upstream.Options) {})
	proxy.RestDoors(r.server)
	a := dial(t, r.addr)
	a.hear("220 mx ready\r\n")
	a.conn.Close()
	r.wait()
}

// TestDoorsAlone checks that nobody but the reactors is woken by those who come,
// and that the port is closed with their doors.
func TestDoorsAlone(t *testing.T) {
	up := tape(t, "<- 220 mx ready\n! eof\n! close", testenv.TapeOptions{})
	r := start(t, up.Addr(), nil)
	if proxy.RuntimeListens(r.server) {
		t.Error("the runtime's poller watches the listener, too")
	}
	a := dial(t, r.addr)
	a.hear("220 mx ready\r\n")
	a.conn.Close()
	r.wait()
	if err := r.server.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c, err := net.Dial("tcp", r.addr); err == nil {
		c.Close()
		t.Errorf("%s takes connections behind the shutdown", r.addr)
	}
}

// TestCrowdAtTheDoor has more connections come at once than one look takes, all
// of them to be turned away: nothing but the door itself says that there are
// more.
func TestCrowdAtTheDoor(t *testing.T) {
	up := tape(t, "<- 220 mx ready\n! eof\n! close", testenv.TapeOptions{})
	r := start(t, up.Addr(), func(o *proxy.Options, _ *upstream.Options) { o.MaxSessions = 1 })
	first := dial(t, r.addr)
	first.hear("220 mx ready\r\n")
	release := proxy.HoldReactors(r.server)
	crowd := make([]*app, 300)
	for i := range crowd {
		crowd[i] = dial(t, r.addr)
	}
	release()
	for _, a := range crowd {
		a.hearLine("421 4.3.2 smtp-proxy: ")
		a.conn.Close()
		r.wait()
	}
	first.conn.Close()
	r.wait()
}
