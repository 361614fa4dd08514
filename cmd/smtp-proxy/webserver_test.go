package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/rs/zerolog"
)

// visit opens a connection and reads the first line of the answer to a request.
func visit(t *testing.T, addr, path string) (net.Conn, string) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	// Whoever is sent away may have been so before this is written.
	_, _ = fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path)
	line, _ := bufio.NewReader(c).ReadString('\n')
	return c, strings.TrimSpace(line)
}

// TestCrowd sends away whoever comes when all room is taken, and lets others in
// as soon as one leaves.
func TestCrowd(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := newCrowd(inner, 2)
	gone := make(chan struct{}, 8)
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }),
		ConnState: func(_ net.Conn, s http.ConnState) {
			if s == http.StateClosed {
				gone <- struct{}{}
			}
		},
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	first, line := visit(t, inner.Addr().String(), "/")
	_, second := visit(t, inner.Addr().String(), "/")
	if line != "HTTP/1.1 200 OK" || second != line {
		t.Fatalf("with room for two: got %q and %q, want both let in", line, second)
	}
	if _, third := visit(t, inner.Addr().String(), "/"); third == line {
		t.Errorf("the third: got %q, want it sent away", third)
	}
	first.Close()
	<-gone
	// The room is given back before the state changes.
	if _, next := visit(t, inner.Addr().String(), "/"); next != line {
		t.Errorf("behind one who left: got %q, want %q", next, line)
	}
	server.Close()
	if err := <-served; err != http.ErrServerClosed {
		t.Errorf("got %v, want %v", err, http.ErrServerClosed)
	}
	if len(l.room) != 0 {
		t.Errorf("got %d places taken behind the end, want none", len(l.room))
	}
}

// TestWebServerEnds ends with readers of streams, half a request and half a
// body under way, and leaves none of them open.
func TestWebServerEnds(t *testing.T) {
	came := make(chan struct{}, 64)
	w, err := newWebServer("127.0.0.1:0", zerolog.Nop(), func(string) (http.Handler, error) {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			came <- struct{}{}
			if r.Method == http.MethodPost {
				_, _ = io.Copy(io.Discard, r.Body)
				return
			}
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var open []net.Conn
	for _, request := range []string{"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\na"} {
		for range 20 {
			c, err := net.Dial("tcp", w.addr())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := io.WriteString(c, request); err != nil {
				t.Fatal(err)
			}
			<-came
			open = append(open, c)
		}
	}
	half, err := net.Dial("tcp", w.addr())
	if err != nil {
		t.Fatal(err)
	}
	defer half.Close()
	if _, err := io.WriteString(half, "GET / HT"); err != nil {
		t.Fatal(err)
	}
	if err := w.close(); err != nil {
		t.Errorf("got %v, want an end without error", err)
	}
	for _, c := range append(open, half) {
		_, _ = io.Copy(io.Discard, c) // it returns: the other side has closed
	}
}

// TestWebServerPanics has a mistake in an answer cost that answer, stand in the
// log, and leave the server as it was.
func TestWebServerPanics(t *testing.T) {
	said := newOutput()
	w, err := newWebServer("127.0.0.1:0", zerolog.New(said).Level(zerolog.InfoLevel), func(string) (http.Handler, error) {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/bad" {
				panic("a mistake")
			}
		}), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, line := visit(t, w.addr(), "/bad"); line != "" {
		t.Errorf("an answer that panics: got %q, want the connection closed", line)
	}
	if _, line := visit(t, w.addr(), "/"); line != "HTTP/1.1 200 OK" {
		t.Errorf("the next answer: got %q, want 200", line)
	}
	if err := w.close(); err != nil {
		t.Error(err)
	}
	if text := said.String(); !strings.Contains(text, `"level":"error"`) || !strings.Contains(text, "panic serving") || !strings.Contains(text, "a mistake") || strings.Count(text, "\n") != 1 {
		t.Errorf("got the log %s, want one line about the panic", text)
	}
}
