package testenv

import "time"

// Flags returns the flags of the command run that a relay needs to meet the
// fault, in the order of the contract. roots is the name of a file that holds
// the fault's Roots; empty leaves its flag out.
func (f *Fault) Flags(roots string) []string {
	flags := []string{"--upstream", f.Upstream}
	add := func(name, value string) {
		if value != "" {
			flags = append(flags, name, value)
		}
	}
	add("--upstream-tls", f.Relay.UpstreamTLS)
	if f.Roots != nil {
		add("--upstream-ca", roots)
	}
	add("--app-tls", f.Relay.AppTLS)
	add("--resolver", f.Resolver)
	add("--connect-timeout", f.Relay.ConnectTimeout.flag())
	add("--handshake-timeout", f.Relay.HandshakeTimeout.flag())
	add("--app-timeout", f.Relay.AppTimeout.flag())
	return flags
}

func (d duration) flag() string {
	if d == 0 {
		return ""
	}
	return time.Duration(d).String()
}
