package wire

import (
	"fmt"
	"slices"
)

// The TLS extensions that are read or built (IANA TLS ExtensionType Values).
const (
	extServerName      uint16 = 0
	extStatusRequest   uint16 = 5
	extGroups          uint16 = 10
	extPointFormats    uint16 = 11
	extSignatures      uint16 = 13
	extALPN            uint16 = 16
	extPadding         uint16 = 21
	extExtendedMaster  uint16 = 23
	extTicket          uint16 = 35
	extPreSharedKey    uint16 = 41
	extEarlyData       uint16 = 42
	extVersions        uint16 = 43
	extPSKModes        uint16 = 45
	extKeyShare        uint16 = 51
	extRenegotiateInfo uint16 = 0xff01
)

// ClientHello is what the side that opens TLS offers (RFC 8446, section
// 4.1.2; RFC 5246, section 7.4.1.2). The lists keep their order and lack
// GREASE (RFC 8701), which offers nothing.
type ClientHello struct {
	Version    uint16   // legacy_version: the highest offered unless Versions says otherwise
	Versions   []uint16 // supported_versions; empty without that extension, as before TLS 1.3
	Suites     []uint16 // cipher suites and signalling values
	Groups     []uint16
	Signatures []uint16
	KeyShares  []uint16 // groups for which a key came along
	Extensions []uint16 // types
	SNI        string
	ALPN       []string

	StatusRequest bool // asks for a stapled OCSP answer
	Ticket        bool // brings a session ticket of TLS 1.2 or earlier
	PSK           bool // offers to resume a session of TLS 1.3
	EarlyData     bool // sends application data before the answer (0-RTT)
	SSL2          bool // came in the format of SSL 2.0, of which only Version is read
}

// Max returns the highest version that the hello offers.
func (h *ClientHello) Max() uint16 {
	if len(h.Versions) > 0 {
		return slices.Max(h.Versions)
	}
	return h.Version
}

// maxHello bounds a handshake message other than a certificate's. Hellos have
// a few hundred octets, some thousand with post-quantum key shares.
const maxHello = 16 << 10

// The types of handshake message that are read.
const (
	msgHelloRequest       = 0
	msgClientHello        = 1
	msgServerHello        = 2
	msgCertificate        = 11
	msgServerKeyExchange  = 12
	msgCertificateRequest = 13
	msgServerHelloDone    = 14
	msgCertificateStatus  = 22
)

// openMessage takes the header off a handshake message of the given type.
func openMessage(msg []byte, kind byte, name string) (cursor, error) {
	c := cursor{b: msg}
	got, size := c.uint(1), c.uint(3)
	switch {
	case c.bad || size != len(c.b):
		return c, fmt.Errorf("%s: %w", name, errMessage)
	case got != int(kind):
		return c, fmt.Errorf("%s: the message is of type %d", name, got)
	case size > maxHello:
		return c, fmt.Errorf("%s: %d octets are more than %d", name, size, maxHello)
	}
	return c, nil
}

// ParseClientHello reads a ClientHello: the handshake message with its header
// of 4 octets, without record headers.
func ParseClientHello(msg []byte) (*ClientHello, error) {
	c, err := openMessage(msg, msgClientHello, "ClientHello")
	if err != nil {
		return nil, err
	}
	h := &ClientHello{Version: c.uint16()}
	c.take(32)  // random
	c.vector(1) // session id
	h.Suites = c.list(2)
	c.vector(1) // compression methods
	if h.Extensions, err = c.extensions(h.extension); err != nil {
		return nil, fmt.Errorf("ClientHello: %w", err)
	}
	return h, nil
}

// extension reads one extension and reports whether it is well formed.
func (h *ClientHello) extension(kind uint16, c *cursor) bool {
	switch kind {
	case extServerName:
		return h.serverName(c)
	case extGroups:
		h.Groups = c.list(2)
	case extSignatures:
		h.Signatures = c.list(2)
	case extVersions:
		h.Versions = c.list(1)
	case extALPN:
		return h.protocols(c)
	case extKeyShare:
		return h.keyShares(c)
	case extTicket:
		h.Ticket = len(c.b) > 0
		return true
	case extStatusRequest:
		h.StatusRequest = true
		return true
	case extPreSharedKey:
		h.PSK = true
		return true
	case extEarlyData:
		h.EarlyData = true
		return true
	default:
		return true
	}
	return c.ended()
}

// serverName reads the first host name (RFC 6066, section 3). A list of none
// is let pass: some old clients send one.
func (h *ClientHello) serverName(c *cursor) bool {
	if len(c.b) == 0 {
		return true
	}
	names := cursor{b: c.vector(2)}
	for len(names.b) > 0 {
		kind, name := names.uint(1), names.vector(2)
		if kind == 0 && h.SNI == "" {
			h.SNI = string(name)
		}
	}
	return c.ended() && names.ended()
}

// protocols reads the names of ALPN (RFC 7301, section 3.1).
func (h *ClientHello) protocols(c *cursor) bool {
	h.ALPN = nil
	list := cursor{b: c.vector(2)}
	for len(list.b) > 0 {
		name := list.vector(1)
		if len(name) == 0 {
			return false
		}
		if len(name) == 2 && grease(uint16(name[0])<<8|uint16(name[1])) {
			continue
		}
		h.ALPN = append(h.ALPN, string(name))
	}
	return c.ended() && list.ended()
}

// keyShares reads the groups of the keys that came along (RFC 8446, section
// 4.2.8).
func (h *ClientHello) keyShares(c *cursor) bool {
	h.KeyShares = nil
	list := cursor{b: c.vector(2)}
	for len(list.b) > 0 {
		group := list.uint16()
		list.vector(2)
		if !grease(group) {
			h.KeyShares = append(h.KeyShares, group)
		}
	}
	return c.ended() && list.ended()
}
