package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// health answers whether the proxy lives (/livez) and whether all of it works
// (/readyz). Neither tells anything about mail, so neither asks for a
// password.
type health struct {
	troubles func() []string // what does not work just now
	server   *http.Server
	listener net.Listener
	done     chan struct{}
}

// newHealth opens the listener.
func newHealth(addr string, troubles func() []string) (*health, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	h := &health{troubles: troubles, listener: l, done: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", h.livez)
	mux.HandleFunc("GET /readyz", h.readyz)
	h.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go h.serve()
	return h, nil
}

func (h *health) serve() {
	defer close(h.done)
	// Serve ends with ErrServerClosed, or with the listener, which close names.
	_ = h.server.Serve(h.listener)
}

// addr returns the host:port that was taken.
func (h *health) addr() string { return h.listener.Addr().String() }

// closeTime is what a request under way may take when the server ends.
const closeTime = 2 * time.Second

// close ends the server and waits for it.
func (h *health) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	err := h.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = h.server.Close()
	}
	<-h.done
	return err
}

func (h *health) livez(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok\n") }

func (h *health) readyz(w http.ResponseWriter, _ *http.Request) {
	troubles := h.troubles()
	if len(troubles) == 0 {
		io.WriteString(w, "ok\n")
		return
	}
	w.WriteHeader(http.StatusServiceUnavailable)
	for _, t := range troubles {
		fmt.Fprintln(w, t)
	}
}
