package session

import "time"

// UpstreamTLS says how the upstream leg is secured.
type UpstreamTLS uint8

// The ways to secure the upstream leg.
const (
	UpstreamAuto     UpstreamTLS = iota // STARTTLS when offered, and then never in clear
	UpstreamSTARTTLS                    // STARTTLS demanded
	UpstreamImplicit                    // TLS from the first byte; the shell has made it before Connected
	UpstreamNone                        // in clear
)

// AppTLS says what TLS the app is offered.
type AppTLS uint8

// What the app is offered.
const (
	AppNone     AppTLS = iota
	AppOffer           // STARTTLS is offered
	AppRequire         // STARTTLS is offered and demanded
	AppImplicit        // TLS from the first byte
)

// Config is what a Machine needs to know before the first byte. Zero limits
// and times mean the defaults that each field names.
type Config struct {
	Upstream      string // host:port as configured, for texts that a person reads
	UpstreamTLS   UpstreamTLS
	AppTLS        AppTLS
	Passthrough   bool // TLS is the app's and the upstream's own: nothing is upgraded or edited; UpstreamTLS says only whether the port is implicit
	PassSmuggling bool // an ambiguous end of data passes instead of being refused
	Annotate      bool // a failing reply waits for Annotated, to have its cause added

	MaxCommand int // octets of a command line; 16 KiB
	MaxSASL    int // octets of a line of an AUTH exchange; 64 KiB
	MaxReply   int // octets of a reply line that is still understood, and of a reply that is withheld; 64 KiB

	AppSilence      time.Duration // the app's turn; 5 min (RFC 5321, section 4.5.3.2.7)
	UpstreamReply   time.Duration // the upstream's turn; 5 min (sections 4.5.3.2.1 to 4.5.3.2.3)
	UpstreamVerdict time.Duration // the reply to the end of data; 10 min (section 4.5.3.2.6)
	Handshake       time.Duration // passthrough: the next flight of a handshake; 30 s
	Linger          time.Duration // from the app's leaving to the end of both legs; 5 s
}

// withDefaults fills in what was left zero.
func (c Config) withDefaults() Config {
	number := func(n *int, d int) {
		if *n == 0 {
			*n = d
		}
	}
	span := func(t *time.Duration, d time.Duration) {
		if *t == 0 {
			*t = d
		}
	}
	number(&c.MaxCommand, 16<<10)
	number(&c.MaxSASL, 64<<10)
	number(&c.MaxReply, 64<<10)
	span(&c.AppSilence, 5*time.Minute)
	span(&c.UpstreamReply, 5*time.Minute)
	span(&c.UpstreamVerdict, 10*time.Minute)
	span(&c.Handshake, 30*time.Second)
	span(&c.Linger, 5*time.Second)
	if c.Passthrough {
		c.AppTLS = AppNone
		if c.UpstreamTLS != UpstreamImplicit {
			c.UpstreamTLS = UpstreamNone
		}
	}
	return c
}

// offers reports whether a clear app leg is offered STARTTLS.
func (c Config) offers() bool { return c.AppTLS == AppOffer || c.AppTLS == AppRequire }
