package main

import (
	"github.com/spf13/pflag"

	"smtp-proxy/policy"
)

// runFlags ties the flags of run to the fields of c, whose values are the
// defaults shown in the help.
func runFlags(f *pflag.FlagSet, c *policy.Config) {
	f.StringVar(&c.Listen, "listen", c.Listen, "`host:port` where the app connects; localhost is 127.0.0.1 and ::1")
	f.Var((*nets)(&c.AllowFrom), "allow-from", "who may connect (default this machine); needed where --listen can be reached from others")
	f.StringVar(&c.Upstream, "upstream", "", "the smarthost: `host:port`, smtp://, starttls:// or smtps:// URL; sandbox for an embedded one")
	f.StringVar(&c.UpstreamTLS, "upstream-tls", c.UpstreamTLS, "TLS to the smarthost: auto, starttls, implicit, none")
	f.StringVar(&c.UpstreamCA, "upstream-ca", "", "PEM `file` with further trusted roots")
	f.BoolVar(&c.UpstreamInsecure, "upstream-insecure", false, "relay even if the smarthost's certificate fails verification")
	f.StringVar(&c.AppTLS, "app-tls", c.AppTLS, "TLS on the app's leg: none, offer, require, implicit")
	f.StringVar(&c.Cert, "cert", "", "PEM `file` of the app leg's certificate (default one of the local authority)")
	f.StringVar(&c.Key, "key", "", "PEM `file` of its key")
	f.StringVar(&c.TLS, "tls", c.TLS, "terminate, or passthrough: TLS stays end to end between app and smarthost, and is read on its way; --upstream-tls and --app-tls mean nothing then")
	f.BoolVar(&c.Transparent, "transparent", false, "Linux: take connections redirected by the firewall, upstream = where they were going; --upstream then only names the host in the certificate on its port (rules: smtp-proxy ca redirect)")
	f.StringVar(&c.Resolver, "resolver", "", "`ip:port` of the DNS server for every look-up (default the system's)")
	f.Var((*keepFor)(&c.Keep), "keep", "how long sessions are kept; forever for no limit")
	f.Var((*keepSize)(&c.KeepSize), "keep-size", "how much the record may take; forever for no limit")
	f.StringVar(&c.HTTP, "http", c.HTTP, "`host:port` of the web page, the API and the health checks, or off")
	f.StringVar(&c.HTTPAuth, "http-auth", "", "`file` of user:bcrypt lines; needed where --http can be reached from others")
	f.StringVar(&c.Probe, "probe", c.Probe, "what is asked of smarthosts when a session has ended, to sharpen its diagnosis and to predict a direct connection: auto, off")
	f.BoolVar(&c.Annotate, "annotate", false, "append the cause to failing replies that the app sees")
	f.StringVar(&c.Capture, "capture", c.Capture, "what is kept of messages: full, headers, none")
	f.StringVar(&c.Smuggling, "smuggling", c.Smuggling, "an ambiguous end of data: refuse, pass")
	f.Var(wait{&c.ConnectTimeout, false}, "connect-timeout", "all dials of a session together")
	f.Var(wait{&c.HandshakeTimeout, false}, "handshake-timeout", "one TLS handshake")
	f.Var(wait{&c.AppTimeout, false}, "app-timeout", "the app's silence")
	f.Var(wait{&c.Grace, true}, "grace", "how long a session in a message may finish at shutdown")
	f.IntVar(&c.MaxSessions, "max-sessions", 0, "sessions at once (default as many as there are descriptors)")
	f.IntVar(&c.MaxPerAddress, "max-per-address", 0, "sessions at once from one address (default no limit)")
	logFlags(f, c)
}

// logFlags are those of run that demo and sandbox have too.
func logFlags(f *pflag.FlagSet, c *policy.Config) {
	f.StringVar(&c.LogFile, "log-file", "", "append the log to `file` instead of stderr")
	f.StringVar(&c.LogLevel, "log-level", c.LogLevel, "trace, debug, info, warn, error")
}
