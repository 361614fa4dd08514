package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/rs/zerolog"
)

// webServer serves the page, the API and the health checks.
type webServer struct {
	server   *http.Server
	listener net.Listener
	cancel   context.CancelFunc
	done     chan struct{}
}

// newWebServer opens the port. The handler is made when its address is known.
func newWebServer(addr string, log zerolog.Logger, handler func(addr string) (http.Handler, error)) (*webServer, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	h, err := handler(l.Addr().String())
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	ctx, cancel := context.WithCancel(context.Background())
	w := &webServer{listener: l, cancel: cancel, done: make(chan struct{})}
	// An answer that takes longer than WriteTimeout says so for each piece of it.
	w.server = &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog:    quietLog(log),
	}
	go w.serve()
	return w, nil
}

func (w *webServer) serve() {
	defer close(w.done)
	// Serve ends with ErrServerClosed, or with the listener, which close names.
	_ = w.server.Serve(newCrowd(w.listener, mostVisitors))
}

// addr returns the host:port that was taken.
func (w *webServer) addr() string { return w.listener.Addr().String() }

// closeTime is what a request under way may take when the server ends.
const closeTime = 2 * time.Second

// close ends the server and waits for it. Pages that follow what happens are
// told at once.
func (w *webServer) close() error {
	w.cancel()
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	err := w.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = w.server.Close()
	}
	<-w.done
	return err
}
