package proxy_test

import (
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"smtp-proxy/proxy"
	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
)

// hashed is a TCP connection that sums up what goes each way, and writes in
// pieces of any size.
type hashed struct {
	*net.TCPConn
	sent, got hash.Hash
	rnd       *rand.Rand
}

func newHashed(conn net.Conn, seed uint64) *hashed {
	return &hashed{conn.(*net.TCPConn), sha256.New(), sha256.New(), rand.New(rand.NewPCG(seed, 1))}
}

func (h *hashed) Write(b []byte) (int, error) {
	h.sent.Write(b)
	for rest := b; len(rest) > 0; {
		n := min(len(rest), 1+h.rnd.IntN(1<<h.rnd.IntN(16)))
		if _, err := h.TCPConn.Write(rest[:n]); err != nil {
			return 0, err
		}
		rest = rest[n:]
	}
	return len(b), nil
}

func (h *hashed) Read(b []byte) (int, error) {
	n, err := h.TCPConn.Read(b)
	h.got.Write(b[:n])
	return n, err
}

// wired is a TCP connection as the parts of a session use it.
type wired interface {
	net.Conn
	CloseWrite() error
}

// heard reads a line. Nothing follows it before it is answered.
func heard(raw io.Reader) error {
	var b [64]byte
	for {
		n, err := raw.Read(b[:])
		if err != nil || b[n-1] == '\n' {
			return err
		}
	}
}

func say(raw io.Writer, text string) error {
	_, err := io.WriteString(raw, text)
	return err
}

// tunnelled is one session with passthrough: what each side sends under TLS.
type tunnelled struct {
	version  uint16
	implicit bool
	seed     uint64
	fromApp  int
	fromUp   int
}

func (s tunnelled) String() string {
	return fmt.Sprintf("%s implicit=%t seed=%d app=%d upstream=%d", tls.VersionName(s.version), s.implicit, s.seed, s.fromApp, s.fromUp)
}

// talk sends n octets and takes all that comes, both to the end.
func talk(c *tls.Conn, raw wired, n int) error {
	var wg sync.WaitGroup
	var failed error
	wg.Go(func() {
		_, failed = io.CopyN(c, rand.NewChaCha8([32]byte{1}), int64(n))
		failed = errors.Join(failed, c.CloseWrite(), raw.CloseWrite())
	})
	_, err := io.Copy(io.Discard, c)
	_, rest := io.Copy(io.Discard, raw)
	wg.Wait()
	return errors.Join(failed, err, rest)
}

// app is the app's part.
func (s tunnelled) app(raw wired) error {
	if !s.implicit {
		if err := errors.Join(heard(raw), say(raw, "EHLO app\r\n"), heard(raw), say(raw, "STARTTLS\r\n"), heard(raw)); err != nil {
			return err
		}
	}
	c := tls.Client(raw, &tls.Config{InsecureSkipVerify: true, MaxVersion: s.version})
	if err := c.Handshake(); err != nil {
		return err
	}
	return talk(c, raw, s.fromApp)
}

// smarthost is the upstream's part.
func (s tunnelled) smarthost(raw wired, cfg *tls.Config) error {
	if !s.implicit {
		if err := errors.Join(say(raw, "220 mx\r\n"), heard(raw), say(raw, "250 STARTTLS\r\n"), heard(raw), say(raw, "220 go\r\n")); err != nil {
			return err
		}
	}
	c := tls.Server(raw, cfg)
	if err := c.Handshake(); err != nil {
		return err
	}
	return talk(c, raw, s.fromUp)
}

// play lets both parts meet through the proxy at addr, in front of l.
func (s tunnelled) play(t *testing.T, addr string, l net.Listener, cfg *tls.Config) {
	t.Helper()
	var up *hashed
	var wg sync.WaitGroup
	wg.Go(func() {
		conn, err := l.Accept()
		if err != nil {
			t.Errorf("%s: %v", s, err)
			return
		}
		defer conn.Close()
		up = newHashed(conn, s.seed)
		if err := s.smarthost(up, cfg); err != nil {
			t.Errorf("%s: the upstream: %v", s, err)
		}
	})
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	app := newHashed(conn, s.seed+1)
	if err := s.app(app); err != nil {
		t.Errorf("%s: the app: %v", s, err)
	}
	wg.Wait()
	if up == nil {
		return
	}
	if got, want := up.got.Sum(nil), app.sent.Sum(nil); string(got) != string(want) {
		t.Errorf("%s: the upstream got octets of hash %x, the app sent %x", s, got, want)
	}
	if got, want := app.got.Sum(nil), up.sent.Sum(nil); string(got) != string(want) {
		t.Errorf("%s: the app got octets of hash %x, the upstream sent %x", s, got, want)
	}
}

// serverConfig is that of a smarthost.
func serverConfig(t testing.TB) *tls.Config {
	t.Helper()
	cert, err := testenv.SelfSigned("mx.test")
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}}
}

// listenAt opens a port of its own for the upstream.
func listenAt(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func passthrough(o *proxy.Options, _ *upstream.Options) { o.Routes[0].Passthrough = true }

// TestPassthroughIsIdentical compares what goes into the proxy with what comes
// out of it, both ways.
func TestPassthroughIsIdentical(t *testing.T) {
	cfg := serverConfig(t)
	l := listenAt(t)
	r := start(t, l.Addr().String(), passthrough)
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 0))
	for i := range 16 {
		s := tunnelled{
			version: tls.VersionTLS12 + uint16(i%2), implicit: i/2%2 == 0, seed: rnd.Uint64(),
			fromApp: rnd.IntN(1 << rnd.IntN(20)), fromUp: rnd.IntN(1 << rnd.IntN(20)),
		}
		s.play(t, r.addr, l, cfg)
		h := r.wait()
		note := find(h, func(e *session.Entry) bool { return strings.HasPrefix(e.Text, "the tunnel carried") })
		shown := 0
		for _, rec := range h {
			if rec.Entry != nil && rec.Entry.Kind == session.KindTLS {
				shown++
			}
		}
		if note == nil || shown != 2 || note.Bytes < int64(s.fromApp+s.fromUp) {
			t.Errorf("%s (of seed %d): got\n%s\nwant two entries of the handshake, and a note of at least %d octets", s, seed, transcript(h), s.fromApp+s.fromUp)
		}
	}
}
