package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
)

// describe takes over what a handshake has settled so far.
func describe(facts *session.TLS, cs tls.ConnectionState) {
	if cs.Version != 0 {
		facts.Version = wire.VersionName(cs.Version)
	}
	if cs.CipherSuite != 0 {
		facts.Cipher = wire.SuiteName(cs.CipherSuite)
	}
	if cs.CurveID != 0 {
		facts.Group = wire.GroupName(uint16(cs.CurveID))
	}
	facts.ALPN, facts.Resumed = cs.NegotiatedProtocol, cs.DidResume
}

// skipped is a question that was not answered, and why.
func skipped(name string, err error) session.Entry {
	e := session.Entry{Text: "not tested: " + err.Error(), Probe: &session.Probe{Name: name, Result: resultSkip}}
	if errors.Is(err, context.Canceled) {
		e.Text = "not tested: the proxy had no time left for it"
	}
	if u := (*Unreached)(nil); errors.As(err, &u) {
		e.Probe.Cause, e.Fault = u.Cause, u.Fault
	}
	return e
}

// nameAlone is a host as SNI carries it: a name, never an address (RFC 6066,
// section 3).
func nameAlone(host string) string {
	if _, err := netip.ParseAddr(host); err == nil {
		return ""
	}
	return host
}

func addrOf(a net.Addr) netip.Addr {
	at, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap()
}

func orElse(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func firstOf(list []string, other string) string {
	if len(list) > 0 {
		return list[0]
	}
	return other
}

// sentence puts another one behind a sentence.
func sentence(first, second string) string {
	if first == "" {
		return second
	}
	return first + "; " + second
}
