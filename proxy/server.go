package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/rs/zerolog"

	"smtp-proxy/proxy/session"
)

// Options is what a Server needs. Routes, with a Connector each, and Recorder
// are required.
type Options struct {
	Routes           []Route
	Recorder         *Recorder
	Log              zerolog.Logger
	HandshakeTimeout time.Duration // one handshake on the app's leg, or with passthrough the next flight of one; 0 means 30 s
	MaxSessions      int           // at once; 0 means as many as there are descriptors
	MaxPerAddress    int           // at once from one address; 0 means no limit

	// Reactors is how many threads carry sessions on Linux. Each may keep a
	// processor of the scheduler (GOMAXPROCS) for itself while it has work, so
	// the process needs some more. 0 means one for each, which give way to
	// everything else at once.
	Reactors int

	goroutines bool // every session has goroutines of its own, for tests
}

// Server listens on every route and owns all sessions. Use it once.
type Server struct {
	options   Options
	listeners []listener
	own       map[netip.AddrPort]bool

	mu       sync.Mutex
	sessions map[*relay]netip.AddrPort // and where their apps are
	dialled  map[*relay]netip.AddrPort // and, where the firewall redirects, from where they have dialled
	stopping bool
	running  sync.WaitGroup // sessions
	accepts  sync.WaitGroup

	reactors []*reactor
	patience int            // of reactors, in milliseconds
	spinning sync.WaitGroup // reactors
	shut     chan struct{}  // closed with the listeners
	shutOnce sync.Once
	spins    bool // they have been started
}

// listener is one open port.
type listener struct {
	net.Listener
	route  *Route
	shared bool // reactors accept from it
}

// New checks the options and returns a server that does not listen yet.
func New(o Options) (*Server, error) {
	if len(o.Routes) == 0 || o.Recorder == nil {
		return nil, errors.New("a proxy needs a route and a recorder")
	}
	if o.HandshakeTimeout == 0 {
		o.HandshakeTimeout = 30 * time.Second
	}
	s := &Server{options: o, shut: make(chan struct{}), own: map[netip.AddrPort]bool{}, sessions: map[*relay]netip.AddrPort{}, dialled: map[*relay]netip.AddrPort{}}
	for _, r := range o.Routes {
		if r.Connector == nil {
			return nil, fmt.Errorf("route %s: no connector", r.Name)
		}
		r.Connector.Avoid(s.isOwn)
		if r.AppTLS != session.AppNone && r.TLS == nil && !r.Passthrough {
			return nil, fmt.Errorf("route %s: TLS on the app's leg needs a certificate", r.Name)
		}
	}
	return s, nil
}

// Serve accepts sessions until Shutdown, or until ctx ends, which closes the
// listeners but no session. It returns nil then.
func (s *Server) Serve(ctx context.Context) error {
	stop := context.AfterFunc(ctx, s.closeListeners)
	defer stop()
	s.acceptAll()
	<-s.shut
	s.accepts.Wait()
	return nil
}

// acceptAll starts those who let sessions in, unless the server is to stop.
func (s *Server) acceptAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return
	}
	for _, l := range s.listeners {
		if !l.shared {
			s.accepts.Go(func() { s.accept(l) })
		}
	}
	s.startReactors()
}

// accept takes connections of one listener until that is closed. Out of
// descriptors it waits, longer each time, instead of spinning.
func (s *Server) accept(l listener) {
	var pause time.Duration
	for {
		conn, err := l.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			s.options.Log.Warn().Err(err).Stringer("listen", l.Addr()).Msg("cannot accept a connection; trying again")
			time.Sleep(pause)
			continue
		}
		pause = 0
		s.start(conn, l.route)
	}
}

// start begins a session of its own goroutine.
func (s *Server) start(conn net.Conn, route *Route) {
	s.carry(conn, s.newRelay(conn.RemoteAddr().String(), route.aimed(conn)))
}

// Take carries a session for a connection that came in another way than
// through a listener, on the route of that number. It repeats the session
// linked, where that is not empty. The session's id is returned, and the
// connection is the server's from now on.
func (s *Server) Take(conn net.Conn, route int, linked string) (id string) {
	r := s.newRelay(conn.RemoteAddr().String(), &s.options.Routes[route])
	r.info.Linked = linked
	s.carry(conn, r)
	return r.info.ID
}

func (s *Server) carry(conn net.Conn, r *relay) {
	from := addrOf(conn.RemoteAddr())
	r.begin()
	odd, why := s.admit(r, from)
	if why != "" {
		s.running.Go(func() {
			s.endLoop(r, from)
			r.turnAway(conn, odd, why)
		})
		return
	}
	s.running.Go(func() {
		defer s.leave(r)
		r.run(conn)
	})
}

func (s *Server) newRelay(from string, route *Route) *relay {
	now := time.Now()
	r := &relay{
		server: s,
		route:  route,
		info: &session.Info{
			ID:       ulid.MustNew(ulid.Timestamp(now), ulid.DefaultEntropy()).String(),
			Started:  now,
			Route:    route.Name,
			AppAddr:  from,
			Upstream: route.Target.Name,
			Mode:     route.mode(),
			AppTLS:   route.appTLSName(),
		},
	}
	rules := route.machine()
	rules.Handshake = s.options.HandshakeTimeout
	r.m = session.New(rules, now)
	r.cancel = func() {}
	r.history = r.few[:0]
	for i := range r.legs {
		l := &r.legs[i]
		l.side, l.queue, l.changed.L = session.Side(i), l.few[:0], &r.mu
	}
	return r
}

// begin gives a session its context, if it has none yet.
func (r *relay) begin() {
	if r.ctx == nil {
		r.ctx, r.cancel = context.WithCancel(context.Background())
	}
}

// admit counts a session in, or says why it is turned away.
func (s *Server) admit(r *relay, app netip.AddrPort) (session.Oddity, string) {
	from := app.Addr()
	if !r.route.allows(from) {
		return session.OddPolicy, fmt.Sprintf("554 5.7.1 smtp-proxy: %s may not connect here (--allow-from)", from)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.stopping:
		return session.OddShutdown, "421 4.3.2 smtp-proxy: shutting down; send again later"
	case s.options.MaxSessions > 0 && len(s.sessions) >= s.options.MaxSessions:
		return session.OddLimit, fmt.Sprintf("421 4.3.2 smtp-proxy: %d sessions are open already (--max-sessions)", len(s.sessions))
	case s.options.MaxPerAddress > 0 && s.count(from) >= s.options.MaxPerAddress:
		return session.OddLimit, fmt.Sprintf("421 4.7.0 smtp-proxy: %d sessions from %s are open already (--max-per-address)", s.options.MaxPerAddress, from)
	}
	if why := s.undirected(r, app); why != "" {
		return session.OddLoop, why
	}
	s.sessions[r] = app
	return "", ""
}

// count returns how many sessions an address has open.
func (s *Server) count(from netip.Addr) (n int) {
	for _, a := range s.sessions {
		if a.Addr() == from {
			n++
		}
	}
	return n
}

func (s *Server) leave(r *relay) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, r)
	delete(s.dialled, r)
}

// Shutdown stops listening, lets sessions that are in a message finish it
// until ctx ends, ends the others with 421, and waits for all.
func (s *Server) Shutdown(ctx context.Context) error {
	s.closeListeners()
	for _, r := range s.open() {
		r.stop()
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.accepts.Wait()
		s.running.Wait()
		s.endReactors()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	for _, r := range s.open() {
		r.abort(session.OddShutdown, "shutting down; the time for this message is up")
	}
	<-done
	return ctx.Err()
}

// open returns the sessions that are running, and lets no more in.
func (s *Server) open() []*relay {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopping = true
	all := make([]*relay, 0, len(s.sessions))
	for r := range s.sessions {
		all = append(all, r)
	}
	return all
}

// Open returns how many sessions are running.
func (s *Server) Open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sessions)
}
