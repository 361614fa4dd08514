package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/store"
	"smtp-proxy/proxy"
)

// throughRelay is one session of a relay that serves nobody else: the app's
// end of it, and what the record of it will be.
type throughRelay struct {
	app      net.Conn
	server   *proxy.Server
	recorder *proxy.Recorder
	left     <-chan struct{} // closed when the relay has let go of the app
	keeping  sync.WaitGroup
	session  *inspect.Session
}

// replayRoute is the route's name in records of comparisons.
const replayRoute = "replay"

// relay opens a session to a smarthost. It repeats the session named linked.
func (x *replayer) relay(to place, m mirror, linked string) (*throughRelay, error) {
	t := &throughRelay{recorder: proxy.NewRecorder()}
	route := proxy.Route{
		Name: replayRoute, Target: to.target, Connector: to.connector, AppTLS: m.app, TLS: x.appTLS,
		Capture: proxy.CaptureHeaders, PassSmuggling: m.smuggling,
	}
	var err error
	t.server, err = proxy.New(proxy.Options{
		Routes: []proxy.Route{route}, Recorder: t.recorder, Log: zerolog.Nop(), HandshakeTimeout: x.r.config.HandshakeTimeout,
	})
	if err != nil {
		return nil, err
	}
	app, far, err := pair()
	if err != nil {
		return nil, fmt.Errorf("a connection within this machine: %w", err)
	}
	end := &watched{TCPConn: far, closed: make(chan struct{})}
	t.app, t.left = app, end.closed
	keeper := store.NewKeeper(nil, x.judging(func(s *inspect.Session) { t.session = s }))
	t.keeping.Go(func() {
		// The recorder ends it; there is nothing that could fail without a store.
		_ = keeper.Run(context.Background(), t.recorder)
	})
	t.server.Take(end, 0, linked)
	return t, nil
}

// judging is how a comparison is diagnosed: as run would.
func (x *replayer) judging(ended func(*inspect.Session)) store.KeeperOptions {
	return store.KeeperOptions{Began: x.began, Annotate: x.annotate, Ended: ended, Capture: string(proxy.CaptureHeaders)}
}

// partTime is how long a session may take to end when the app has left.
const partTime = 5 * time.Second

// finish waits for the end of the session and returns it as it would be
// recorded; nil when nothing is known of it.
func (t *throughRelay) finish() *inspect.Session {
	_ = t.app.Close()
	late := time.NewTimer(partTime)
	defer late.Stop()
	select {
	case <-t.left:
	case <-late.C:
	}
	ctx, cancel := context.WithTimeout(context.Background(), partTime)
	defer cancel()
	// Late, it cuts the session off, and the record says so.
	_ = t.server.Shutdown(ctx)
	t.recorder.Close()
	t.keeping.Wait()
	return t.session
}

// watched tells when the relay closes the connection.
type watched struct {
	*net.TCPConn
	once   sync.Once
	closed chan struct{}
}

// Close lets whoever waits know.
func (w *watched) Close() error {
	defer w.once.Do(func() { close(w.closed) })
	return w.TCPConn.Close()
}

// pair makes a connection with itself through the loopback: a relay knows
// where its app is by the address, and half-closes.
func pair() (near, far *net.TCPConn, err error) {
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, nil, err
	}
	defer l.Close()
	if near, err = net.DialTCP("tcp", nil, l.Addr().(*net.TCPAddr)); err != nil {
		return nil, nil, err
	}
	for {
		if far, err = l.AcceptTCP(); err != nil {
			return nil, nil, errors.Join(err, near.Close())
		}
		// Another program of this machine may have been quicker.
		if far.RemoteAddr().String() == near.LocalAddr().String() {
			return near, far, nil
		}
		_ = far.Close()
	}
}

// throwaway is the certificate of the app's leg, known to this process alone.
func (x *replayer) throwaway() error {
	a, err := proxy.EphemeralAuthority(x.now())
	if err != nil {
		return err
	}
	x.appTLS = &tls.Config{GetCertificate: a.Leaf}
	x.trust.AddCert(a.Root())
	return nil
}
