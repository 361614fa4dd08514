package testenv_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"smtp-proxy/testenv"
)

// within is how long a test waits for what must happen soon.
func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func newTape(t *testing.T, script string, opts testenv.TapeOptions) *testenv.Tape {
	t.Helper()
	tape, err := testenv.NewTape(script, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tape.Close() })
	return tape
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	return c
}

// send writes text, ends the own direction, and returns all that comes back.
func send(t *testing.T, addr, text string) string {
	t.Helper()
	c := dial(t, addr)
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	_ = c.(*net.TCPConn).CloseWrite()
	got, _ := io.ReadAll(c)
	return string(got)
}

func TestTapeRecordsTheExactOctets(t *testing.T) {
	tape := newTape(t, `
		<- 220 hello
		-> EHLO*
		<- 250 hi
		=> a\x00b
		! data
		<= 250 o
		<= k\r\n
		-> QUIT
		<- 221 bye
	`, testenv.TapeOptions{})
	sent := "EHLO me\r\na\x00bline\r\n..\r\n.x\r\n.\r\nQUIT\r\nrest\n"
	got := send(t, tape.Addr(), sent)
	if want := "220 hello\r\n250 hi\r\n250 ok\r\n221 bye\r\n"; got != want {
		t.Errorf("the tape said %q, want %q", got, want)
	}
	if err := tape.Wait(within(t), 1); err != nil {
		t.Error(err)
	}
	if got := string(tape.Received(0)); got != sent {
		t.Errorf("received %q, want %q", got, sent)
	}
}

func TestTapeReportsAMismatch(t *testing.T) {
	tape := newTape(t, "<- 220 hello\n-> EHLO*\n", testenv.TapeOptions{})
	send(t, tape.Addr(), "HELO me\r\n")
	err := tape.Wait(within(t), 1)
	if err == nil || !strings.Contains(err.Error(), `line 2 "-> EHLO*": got "HELO me"`) {
		t.Errorf("got %v, want the line of the script and what came", err)
	}
}

func TestTapePlaysOneConversationAfterTheOther(t *testing.T) {
	tape := newTape(t, "<- 220 first\n! close\n---\n<- 220 later\n! close", testenv.TapeOptions{})
	for i, want := range []string{"220 first\r\n", "220 later\r\n", "220 later\r\n"} {
		c := dial(t, tape.Addr())
		if got, err := io.ReadAll(c); string(got) != want || err != nil {
			t.Errorf("connection %d: got %q, %v, want %q", i, got, err, want)
		}
	}
	if got := tape.Connections(); got != 3 {
		t.Errorf("got %d connections, want 3", got)
	}
}

func TestTapeResets(t *testing.T) {
	tape := newTape(t, "<- 220 hello\n-> X\n! reset", testenv.TapeOptions{})
	c := dial(t, tape.Addr())
	io.WriteString(c, "X\r\n")
	_, err := io.ReadAll(c)
	if err == nil || !strings.Contains(err.Error(), "reset") {
		t.Errorf("got %v, want a connection reset", err)
	}
}

func TestTapeHooksMayBlockUntilClose(t *testing.T) {
	reached := make(chan struct{})
	tape := newTape(t, "! call wait\n<- 220 never", testenv.TapeOptions{
		Hooks: map[string]func(context.Context){"wait": func(ctx context.Context) {
			close(reached)
			<-ctx.Done()
		}},
	})
	c := dial(t, tape.Addr())
	<-reached
	tape.Close()
	if got, _ := io.ReadAll(c); len(got) != 0 {
		t.Errorf("got %q, want nothing", got)
	}
}

func TestTapeSpeaksTLS(t *testing.T) {
	leaf, roots := testLeaf(t)
	for _, implicit := range []bool{false, true} {
		script := "<- 220 clear\n-> STARTTLS\n<- 220 go\n! tls\n-> SECRET\n<- 250 sealed\n"
		if implicit {
			script = "-> SECRET\n<- 250 sealed\n"
		}
		tape := newTape(t, script, testenv.TapeOptions{Implicit: implicit, TLS: &tls.Config{Certificates: []tls.Certificate{leaf}}})
		c := dial(t, tape.Addr())
		if !implicit {
			io.WriteString(c, "STARTTLS\r\n")
			io.ReadFull(c, make([]byte, len("220 clear\r\n220 go\r\n")))
		}
		secure := tls.Client(c, &tls.Config{RootCAs: roots, ServerName: "localhost"})
		if _, err := io.WriteString(secure, "SECRET\r\n"); err != nil {
			t.Fatalf("implicit %v: %v", implicit, err)
		}
		got := make([]byte, len("250 sealed\r\n"))
		if _, err := io.ReadFull(secure, got); err != nil {
			t.Fatalf("implicit %v: got %q: %v", implicit, got, err)
		}
		secure.Close()
		if err := tape.Wait(within(t), 1); err != nil {
			t.Errorf("implicit %v: %v", implicit, err)
		}
		if got := string(tape.Received(0)); !strings.HasSuffix(got, "SECRET\r\n") {
			t.Errorf("implicit %v: received %q, want the decrypted octets", implicit, got)
		}
	}
}

func testLeaf(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	box, err := testenv.NewSandbox(testenv.SandboxOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { box.Close() })
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(box.Roots())
	return box.Certificate(), pool
}

func serverTLS(leaf tls.Certificate) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{leaf}}
}

func clientTLS(roots *x509.CertPool) *tls.Config {
	return &tls.Config{RootCAs: roots, ServerName: "localhost"}
}
