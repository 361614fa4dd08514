package proxy

import (
	"errors"
	"net"
	"net/netip"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

// How transparent routes work.
//
// The firewall sends the app's connections here, and each session's upstream
// is where its connection was going. Two things must not happen: that the
// proxy dials itself, because a connection came that nobody redirected; and
// that the firewall redirects the proxy's own connection, so that each session
// begins the next. The first shows in the address. The second shows when the
// address that a session dials from is the one that another's app comes from:
// each side looks for the other behind having made itself known, so that one
// of the two always sees it, and ends both. The inner one looks again before it
// dials, which is when the outer one has had time to say from where it did.

// aimed is the route of one connection: on a transparent route its smarthost
// is where it was going.
func (r *Route) aimed(conn net.Conn) *Route {
	if !r.Transparent {
		return r
	}
	return r.toward(originalDestination(conn))
}

// toward is the route to dest. What the owner said of the smarthost holds for
// its port; other ports have what is usual there.
func (r *Route) toward(dest netip.AddrPort) *Route {
	aimed := *r
	known := r.Target.Host != "" && r.Target.Port == int(dest.Port())
	mode := r.Target.Mode
	if r.Target.Host != "" && !known {
		mode = upstream.ModeAuto
	}
	target, err := upstream.ParseTarget(dest.String(), mode)
	if err != nil { // an address that no TCP connection has
		return &aimed
	}
	if known {
		aimed.host = r.Target.Host
	}
	aimed.dest, aimed.Target = dest, target
	aimed.AppTLS = r.appTLSToward(target)
	return &aimed
}

// appTLSToward is what TLS an app expects that believes to talk to target.
func (r *Route) appTLSToward(target upstream.Target) session.AppTLS {
	switch {
	case r.AppTLS == session.AppNone:
		return session.AppNone
	case target.Implicit():
		return session.AppImplicit
	case r.AppTLS == session.AppImplicit:
		return session.AppOffer
	}
	return r.AppTLS
}

// secured is the target as TLS sees it: under the name that the owner gave,
// where only the address is known from the connection.
func (r *Route) secured() upstream.Target {
	t := r.Target
	if r.host != "" {
		t.Host = r.host
	}
	return t
}

// explainAddress says why a certificate does not fit when all that is known of
// the smarthost is its address, and how to let it be known.
func (r *Route) explainAddress(facts *session.TLS, fault *session.Fault) {
	if r.Transparent && r.host == "" && fault != nil && fault.Class == session.FaultCertificate && facts.Verify == session.VerifyName {
		fault.Text += "; of a redirected connection the address is known only: name the host with --upstream HOST:PORT, or leave TLS to the app with --tls passthrough"
	}
}

// arrival says where the app comes from, and where it was going if it has been
// redirected.
func (r *relay) arrival() string {
	text := "connected from " + r.info.AppAddr
	if r.route.dest.IsValid() && !r.server.isOwn(r.route.dest) {
		text += ", redirected on its way to " + r.route.dest.String()
	}
	return text
}

// undirected says why a transparent route cannot serve a connection, if so.
// The server's lock is held.
func (s *Server) undirected(r *relay, from netip.AddrPort) string {
	switch {
	case !r.route.Transparent:
		return ""
	case !r.route.dest.IsValid() || s.isOwn(r.route.dest):
		return "421 4.3.5 smtp-proxy: nothing has redirected this connection, and --transparent knows of no other smarthost: " +
			"let the app connect to the smarthost itself, with the rules of smtp-proxy ca redirect in place"
	case whose(s.dialled, from, r) != nil:
		return "421 4.3.5 smtp-proxy: " + ownRedirected
	}
	return ""
}

// errRedirected is the end of a session that would begin itself again.
var errRedirected = errors.New(ownRedirected)

const ownRedirected = "the firewall redirects the proxy's own connections: run it as the user that the rules leave out (smtp-proxy ca redirect --user)"

// dial connects to the upstream, unless the session turns out to be the
// proxy's own connection come back.
func (r *relay) dial() (net.Conn, error) {
	if r.server.comesBack(r) {
		return nil, errRedirected
	}
	conn, err := r.route.Connector.Connect(r.ctx, r.route.Target, r.recordNow)
	if err == nil && r.server.reenters(r, conn) {
		_ = conn.Close()
		return nil, errRedirected
	}
	return conn, err
}

// comesBack reports whether the app of a session is another session.
func (s *Server) comesBack(r *relay) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return whose(s.dialled, s.sessions[r], r) != nil
}

// reenters notes from where a session has dialled, and reports whether that
// connection has come back as the app of another, which it ends.
func (s *Server) reenters(r *relay, conn net.Conn) bool {
	if !r.route.Transparent {
		return false
	}
	from := addrOf(conn.LocalAddr())
	s.mu.Lock()
	s.dialled[r] = from
	inner := whose(s.sessions, from, r)
	s.mu.Unlock()
	if inner != nil {
		inner.abort(session.OddLoop, ownRedirected)
	}
	return inner != nil
}

// endLoop ends the session whose own connection has come back as that of r,
// before it can read what r is told.
func (s *Server) endLoop(r *relay, from netip.AddrPort) {
	s.mu.Lock()
	outer := whose(s.dialled, from, r)
	s.mu.Unlock()
	if outer != nil {
		outer.abort(session.OddLoop, ownRedirected)
	}
}

// whose finds the session other than r that has the address.
func whose(sessions map[*relay]netip.AddrPort, addr netip.AddrPort, r *relay) *relay {
	for other, a := range sessions {
		if a == addr && other != r {
			return other
		}
	}
	return nil
}
