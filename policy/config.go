package policy

import (
	"net"
	"slices"
	"time"
)

// Config is every setting of a running proxy. The zero value is useful: an
// empty field means the default of [Defaults], which [Config.Filled] puts in
// its place. [Config.Check] reports all mistakes at once.
type Config struct {
	Route // the default route; further ones are in Routes

	Routes []Route // [[route]] tables of the configuration file

	UpstreamInsecure bool   // relay even if the upstream's certificate fails verification; for tests of one's own
	Cert, Key        string // PEM files of the app leg's certificate, instead of one of the local authority's
	Transparent      bool   // take connections redirected by the firewall, for owners who cannot change the app
	Resolver         string // ip:port of the DNS server for every look-up, for owners of split DNS

	Data     string        // directory of the record and the local authority; "none" keeps nothing
	Keep     time.Duration // how long sessions are kept; 0 is [Defaults], NoLimit is for ever
	KeepSize int64         // octets that the record may take; as Keep

	HTTP     string // host:port of the page and the health checks, or "off"
	HTTPAuth string // file of user:bcrypt lines; an HTTP beyond loopback needs it

	Probe     string // "auto" or "off": active look-ups that sharpen a diagnosis after a failure
	Annotate  bool   // append cause and session id to failing replies, for apps that show the reply's text
	Smuggling string // "refuse" or "pass" an ambiguous end of data

	ConnectTimeout   time.Duration // all dials of a session together
	HandshakeTimeout time.Duration // one TLS handshake
	AppTimeout       time.Duration // the app's silence
	Grace            time.Duration // how long a session in a message may finish at shutdown

	MaxSessions   int // 0: limited by descriptors only
	MaxPerAddress int // sessions from one address; 0: as MaxSessions

	LogFile  string // append the log here instead of stderr
	LogLevel string // trace, debug, info, warn, error
}

// NoLimit as Keep or KeepSize keeps everything.
const NoLimit = -1

// Defaults returns the settings of a proxy that was told nothing. Upstream
// has no default: mail must never go where nobody said it should.
func Defaults() Config {
	return Config{
		Route: Route{
			Name:        "default",
			Listen:      "localhost:1025",
			UpstreamTLS: "auto",
			AppTLS:      "none",
			TLS:         "terminate",
			Capture:     "full",
		},
		Keep:             30 * 24 * time.Hour,
		KeepSize:         2e9,
		HTTP:             "127.0.0.1:8025",
		Probe:            "auto",
		Smuggling:        "refuse",
		ConnectTimeout:   20 * time.Second,
		HandshakeTimeout: 30 * time.Second,
		AppTimeout:       5 * time.Minute,
		Grace:            25 * time.Second,
		LogLevel:         "info",
	}
}

// Filled returns c with the default in place of each empty field.
func (c Config) Filled() Config {
	d := Defaults()
	c.Route = c.Route.over(d.Route)
	c.Keep = or(c.Keep, d.Keep)
	c.KeepSize = or(c.KeepSize, d.KeepSize)
	c.HTTP = or(c.HTTP, d.HTTP)
	c.Probe = or(c.Probe, d.Probe)
	c.Smuggling = or(c.Smuggling, d.Smuggling)
	c.ConnectTimeout = or(c.ConnectTimeout, d.ConnectTimeout)
	c.HandshakeTimeout = or(c.HandshakeTimeout, d.HandshakeTimeout)
	c.AppTimeout = or(c.AppTimeout, d.AppTimeout)
	c.Grace = or(c.Grace, d.Grace)
	c.LogLevel = or(c.LogLevel, d.LogLevel)
	return c
}

// All returns the routes to serve, each with every field set: the default
// route first, unless it has no upstream and others stand in for it.
func (c Config) All() []Route {
	c = c.Filled()
	var all []Route
	if c.Upstream != "" || c.Transparent || len(c.Routes) == 0 {
		all = append(all, c.Route)
	}
	for _, r := range c.Routes {
		all = append(all, r.inherit(c.Route))
	}
	return all
}

// Redirects reports whether a route takes connections that the firewall
// redirects: with Transparent the default route does, while routes of the
// file have an upstream of their own.
func (c Config) Redirects(r Route) bool { return c.Transparent && r.Name == Defaults().Name }

// Serves reports whether an HTTP listener is wanted.
func (c Config) Serves() bool { return c.Filled().HTTP != "off" }

// Loopback reports whether a listener at host:port can be reached from this
// machine only. A host name other than localhost counts as reachable: what it
// resolves to may change.
func Loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

func oneOf(value string, allowed ...string) bool { return slices.Contains(allowed, value) }
