package upstream

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"

	"smtp-proxy/proxy/session"
)

// The bounds of the proxy's own steps, where Options names no others.
const (
	lookupTimeout    = 8 * time.Second
	connectTimeout   = 20 * time.Second
	handshakeTimeout = 30 * time.Second
)

// Options says how smarthosts are reached. The zero value is useful.
type Options struct {
	Resolver         string         // ip or ip:port of the DNS server to ask; empty means the system's
	LookupTimeout    time.Duration  // all questions about one name together; 0 means 8 s
	ConnectTimeout   time.Duration  // all attempts to connect together; 0 means 20 s
	HandshakeTimeout time.Duration  // one TLS handshake; 0 means 30 s
	Roots            *x509.CertPool // trusted roots, see LoadRoots; nil means the system's
	Insecure         bool           // go on although the certificate fails verification
	KeyLog           io.Writer      // TLS secrets in the NSS format; nil means none

	// HostsFile and ResolvConf stand in for the system's files; empty means
	// those.
	HostsFile  string
	ResolvConf string
}

func (o Options) withDefaults() Options {
	if o.LookupTimeout <= 0 {
		o.LookupTimeout = lookupTimeout
	}
	if o.ConnectTimeout <= 0 {
		o.ConnectTimeout = connectTimeout
	}
	if o.HandshakeTimeout <= 0 {
		o.HandshakeTimeout = handshakeTimeout
	}
	if o.HostsFile == "" {
		o.HostsFile = systemHostsFile()
	}
	if o.ResolvConf == "" {
		o.ResolvConf = "/etc/resolv.conf"
	}
	return o
}

// Connector reaches smarthosts. It may be used by many sessions at once.
type Connector struct {
	options  Options
	resolver *resolver
	tickets  *tickets
	chains   *chains
	judged   *judgements
	issuers  *issuers
	suspects *suspects
	dial     func(context.Context, netip.AddrPort) (net.Conn, error)
	routable func(netip.Addr) bool
	own      func(netip.AddrPort) bool // see Avoid
}

// New checks the options and returns a connector. Nothing is asked or
// connected before the first session.
func New(o Options) (*Connector, error) {
	o = o.withDefaults()
	resolver, err := newResolver(o)
	if err != nil {
		return nil, fmt.Errorf("resolver %q: %w", o.Resolver, err)
	}
	return &Connector{
		options:  o,
		resolver: resolver,
		tickets:  newTickets(),
		chains:   newChains(),
		judged:   newJudgements(),
		issuers:  newIssuers(),
		suspects: newSuspects(),
		dial:     dialTCP,
		routable: routable,
	}, nil
}

// Connect looks the target's name up and connects to the address that answers
// first. Each question and each attempt is handed to record, in order and from
// the calling goroutine. The error is an [*Error]; with a ctx that was ended
// from outside its fault is of class local.
func (c *Connector) Connect(ctx context.Context, t Target, record func(session.Entry)) (net.Conn, error) {
	r := c.newRace(ctx, t, record)
	defer r.end()
	return r.run()
}

// The operations that a fault can belong to here.
const (
	opLookup    = "lookup"
	opDial      = "dial"
	opHandshake = "handshake"
)
