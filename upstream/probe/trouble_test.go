package probe_test

import (
	"bufio"
	"context"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

// peer runs a smarthost that says what it is told to, a reply to each line,
// and then does as last says with what follows. It ends with the test.
func peer(t *testing.T, replies []string, last func(net.Conn, *bufio.Reader)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-ended })
	go func() { // ends when the listener is closed
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			play(c, replies, last)
		}
	}()
	return l.Addr().String()
}

func play(c net.Conn, replies []string, last func(net.Conn, *bufio.Reader)) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	r := bufio.NewReader(c)
	for i, reply := range replies {
		if i > 0 {
			if _, err := r.ReadString('\n'); err != nil {
				return
			}
		}
		if _, err := c.Write([]byte(reply)); err != nil {
			return
		}
	}
	last(c, r)
}

// stays reads what comes until the prober has had enough.
func stays(_ net.Conn, r *bufio.Reader) { _, _ = r.WriteTo(nowhere{}) }

type nowhere struct{}

func (nowhere) Write(b []byte) (int, error) { return len(b), nil }

func leaves(net.Conn, *bufio.Reader) {}

// resets reads a first piece and breaks the connection.
func resets(c net.Conn, r *bufio.Reader) {
	_, _ = r.ReadByte()
	_ = c.(*net.TCPConn).SetLinger(0)
}

// answers replies to the hello with a text.
func answers(text string) func(net.Conn, *bufio.Reader) {
	return func(c net.Conn, r *bufio.Reader) {
		_, _ = r.ReadByte()
		_, _ = c.Write([]byte(text))
		stays(c, r)
	}
}

// TestTrouble asks smarthosts that go wrong somewhere on the way.
func TestTrouble(t *testing.T) {
	ready := []string{"220 mx ESMTP\r\n", "250-mx\r\n250 STARTTLS\r\n", "220 go ahead\r\n"}
	tests := []struct {
		name    string
		replies []string
		last    func(net.Conn, *bufio.Reader)
		result  string
		cause   string
		text    string
	}{
		{"refused at the greeting", []string{"554 no service\r\n"}, stays, "skip", "connect.rejected", "greeting was answered with 554 no service"},
		{"closed at the greeting", nil, leaves, "skip", "", "the connection was closed"},
		{"silent", nil, stays, "skip", "", "no reply in time"},
		{"not SMTP", []string{"SSH-2.0-OpenSSH_9.2\r\n"}, stays, "skip", "", "no SMTP reply"},
		{"a greeting without end", []string{strings.Repeat("220-and so on\r\n", 3000)}, stays, "skip", "", "does not end"},
		{"a line without end", []string{"220 " + strings.Repeat("x", 40_000)}, stays, "skip", "", "buffer full"},
		{"EHLO refused", []string{"220 mx\r\n", "550 go away\r\n", "550 go away\r\n"}, stays, "skip", "", "EHLO was answered with 550"},
		{"no STARTTLS", []string{"220 mx\r\n", "250-mx\r\n250 AUTH PLAIN\r\n", "221 bye\r\n"}, stays, "fail", "tls.not-offered", "does not offer STARTTLS"},
		{"STARTTLS refused", []string{ready[0], ready[1], "454 not now\r\n", "221 bye\r\n"}, stays, "fail", "tls.starttls-refused", "454 not now"},
		{"text behind the go-ahead", []string{ready[0], ready[1], ready[2] + "250 hidden\r\n"}, stays, "skip", "tls.handshake-corrupt", "octets in clear"},
		{"reset at the hello", ready, resets, "fail", "tls.handshake-reset", "no other setting"},
		{"closed at the hello", ready, leaves, "fail", "tls.handshake-reset", "no other setting"},
		{"silence at the hello", ready, stays, "fail", "tls.handshake-timeout", "no other setting"},
		{"text at the hello", ready, answers("500 what?\r\n"), "fail", "tls.plaintext-expected", "no other setting"},
		{"garbage at the hello", ready, answers("\x16\x03\x03\x00\x04\xff\xff\xff\xff"), "fail", "tls.handshake-corrupt", "no other setting"},
		{"an alert at the hello", ready, answers("\x15\x03\x03\x00\x02\x02\x50"), "fail", "tls.handshake-reset", "internal error"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := newProber(t, nil, probe.Options{Timeout: 300 * time.Millisecond})
			e := p.Direct(t.Context(), target(peer(t, test.replies, test.last), upstream.ModeSTARTTLS), offer(func(*session.Hello) {}))
			if e.Probe.Result != test.result || e.Probe.Cause != test.cause || !strings.Contains(e.Text, test.text) {
				t.Errorf("got %s %q, %q; want %s %q, %q", e.Probe.Result, e.Probe.Cause, e.Text, test.result, test.cause, test.text)
			}
			if n := p.Counts().Connections; n > 6 {
				t.Errorf("it took %d connections to a smarthost that takes nothing, want 6 at most", n)
			}
		})
	}
}

func TestNothingToAsk(t *testing.T) {
	p := newProber(t, nil, probe.Options{Timeout: time.Second})
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	closed := target(peer(t, nil, leaves), upstream.ModeSTARTTLS)
	closed.Port = 1 // nobody listens there
	tests := []struct {
		name string
		ctx  context.Context
		app  *session.Hello
		text string
	}{
		{"no hello", t.Context(), nil, "in clear"},
		{"an empty hello", t.Context(), &session.Hello{}, "too little is known"},
		{"nobody there", t.Context(), offer(func(*session.Hello) {}), "connection refused"},
		{"no time left", ended, offer(func(*session.Hello) {}), "not tested"},
	}
	for _, test := range tests {
		e := p.Direct(test.ctx, closed, test.app)
		if e.Probe.Result != "skip" || !strings.Contains(e.Text, test.text) {
			t.Errorf("%s: %s %q; want skip, %q", test.name, e.Probe.Result, e.Text, test.text)
		}
	}
	if got := p.Counts(); got.Skipped != 4 || got.Asked != 4 {
		t.Errorf("counts %+v, want 4 asked and skipped", got)
	}
}

// TestCommands listens to what a prober says in clear: no more than it takes
// to get to TLS, and goodbye where it does not.
func TestCommands(t *testing.T) {
	tests := []struct {
		starttls string
		want     []string
	}{
		{"220 go ahead\r\n", []string{"EHLO probe.example", "STARTTLS"}},
		{"454 not now\r\n", []string{"EHLO probe.example", "STARTTLS", "QUIT"}},
	}
	for _, test := range tests {
		said := make(chan []string, 1)
		addr := peer(t, []string{"220 mx\r\n"}, func(c net.Conn, r *bufio.Reader) {
			said <- listenTo(c, r, []string{"250-mx\r\n250 STARTTLS\r\n", test.starttls, "221 bye\r\n"})
		})
		p := newProber(t, nil, probe.Options{Name: "probe.example", Timeout: 5 * time.Second})
		p.Certificate(t.Context(), target(addr, upstream.ModeSTARTTLS), "")
		if got := <-said; !slices.Equal(got, test.want) {
			t.Errorf("behind %q the prober said %q, want %q", test.starttls, got, test.want)
		}
	}
}

// listenTo notes the lines of a dialogue until TLS begins or it ends.
func listenTo(c net.Conn, r *bufio.Reader, replies []string) (said []string) {
	for {
		if first, err := r.Peek(1); err != nil || first[0] == 0x16 {
			return said
		}
		line, err := r.ReadString('\n')
		if err != nil {
			return said
		}
		said = append(said, strings.TrimSpace(line))
		if len(replies) > 0 {
			_, _ = c.Write([]byte(replies[0]))
			replies = replies[1:]
		}
	}
}
