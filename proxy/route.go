package proxy

import (
	"cmp"
	"crypto/tls"
	"net/netip"
	"slices"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

// Capture says what is kept of messages.
type Capture string

// What is kept of messages.
const (
	CaptureFull    Capture = "full"
	CaptureHeaders Capture = "headers"
	CaptureNone    Capture = "none"
)

// Route is one way through the proxy: where the app connects, and which
// smarthost it gets.
type Route struct {
	Name        string
	Listen      []string // host:port; "localhost" means 127.0.0.1 and ::1
	Target      upstream.Target
	Connector   *upstream.Connector // how this route's smarthost is reached and trusted
	AppTLS      session.AppTLS
	Passthrough bool           // TLS stays end to end; AppTLS, TLS and the target's mode are ignored
	TLS         *tls.Config    // for the app's leg, unless AppTLS is AppNone
	AllowFrom   []netip.Prefix // who may connect; empty means loopback
	Capture     Capture        // empty means full

	// Transparent takes connections that the firewall redirects (Linux): the
	// upstream is where each was going. Of Target its mode counts, and its
	// host as the name in the certificate of connections to its port; both may
	// be empty.
	Transparent bool

	PassSmuggling   bool          // an ambiguous end of data passes
	Annotator       Annotator     // adds the cause to failing replies; nil for none
	AppSilence      time.Duration // 0 means 5 min
	UpstreamReply   time.Duration // 0 means 5 min
	UpstreamVerdict time.Duration // 0 means 10 min

	dest netip.AddrPort // of one redirected connection: where it was going
	host string         // and the name that its smarthost's certificate must have, if known
}

// machine returns the session rules of this route.
func (r *Route) machine() session.Config {
	return session.Config{
		Upstream:        r.Target.Name,
		UpstreamTLS:     r.upstreamTLS(),
		AppTLS:          r.AppTLS,
		Passthrough:     r.Passthrough,
		PassSmuggling:   r.PassSmuggling,
		Annotate:        r.Annotator != nil,
		AppSilence:      r.AppSilence,
		UpstreamReply:   r.UpstreamReply,
		UpstreamVerdict: r.UpstreamVerdict,
	}
}

func (r *Route) upstreamTLS() session.UpstreamTLS {
	switch {
	case r.Target.Implicit():
		return session.UpstreamImplicit
	case r.Target.Mode == upstream.ModeNone:
		return session.UpstreamNone
	case r.Target.Mode == upstream.ModeSTARTTLS:
		return session.UpstreamSTARTTLS
	}
	return session.UpstreamAuto
}

// silence is how long a peer may take nothing that is sent to it.
func (r *Route) silence() time.Duration { return cmp.Or(r.UpstreamReply, 5*time.Minute) }

// allows reports whether an address may connect. On a transparent route the
// machine's own programs always may: its firewall leaves them no choice, and
// they come from any of its addresses.
func (r *Route) allows(addr netip.Addr) bool {
	addr = addr.Unmap()
	switch {
	case slices.ContainsFunc(r.AllowFrom, func(p netip.Prefix) bool { return p.Contains(addr) }):
		return true
	case r.Transparent:
		return isLocal(addr)
	}
	return len(r.AllowFrom) == 0 && addr.IsLoopback()
}

// appTLSName is the setting's name, for the record.
func (r *Route) appTLSName() string {
	return [...]string{session.AppNone: "none", session.AppOffer: "offer", session.AppRequire: "require", session.AppImplicit: "implicit"}[r.AppTLS]
}

// mode says how the upstream leg is to be secured, for the record.
func (r *Route) mode() string {
	if r.Passthrough {
		return "passthrough"
	}
	return string(r.Target.Mode)
}

// tlsFirst reports whether an app speaks TLS from its first octet here, so that
// it could not read a reply in clear.
func (r *Route) tlsFirst() bool {
	if r.Passthrough {
		return r.Target.Implicit()
	}
	return r.AppTLS == session.AppImplicit
}
