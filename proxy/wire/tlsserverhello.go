package wire

import "fmt"

// ServerHello is the answer to a ClientHello (RFC 8446, section 4.1.3).
type ServerHello struct {
	Version    uint16 // chosen: supported_versions where it is there
	Suite      uint16
	Group      uint16 // of the key exchange; under TLS 1.2 and earlier it stands in the ServerKeyExchange
	DHBits     int    // size of the prime when the key exchange is plain Diffie-Hellman (TLS 1.2 and earlier)
	ALPN       string
	Retry      bool // a HelloRetryRequest: the hello is to come again with a key of Group
	Resumed    bool // an earlier session goes on (TLS 1.3: a pre-shared key was taken)
	Downgraded bool // the random says that the server knows a higher version (RFC 8446, section 4.1.3)
	Extensions []uint16
}

// retryRandom marks a ServerHello as a HelloRetryRequest (RFC 8446, section
// 4.1.3): SHA-256 of "HelloRetryRequest".
const retryRandom = "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91" +
	"\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c"

// ParseServerHello reads a ServerHello: the handshake message with its header
// of 4 octets, without record headers.
func ParseServerHello(msg []byte) (*ServerHello, error) {
	c, err := openMessage(msg, msgServerHello, "ServerHello")
	if err != nil {
		return nil, err
	}
	h := &ServerHello{Version: c.uint16()}
	h.random(string(c.take(32)))
	c.vector(1) // session id
	h.Suite = c.uint16()
	c.take(1) // compression method
	if h.Extensions, err = c.extensions(h.extension); err != nil {
		return nil, fmt.Errorf("ServerHello: %w", err)
	}
	return h, nil
}

// random reads what a server's random tells beside chance.
func (h *ServerHello) random(r string) {
	if len(r) != 32 {
		return
	}
	h.Retry = r == retryRandom
	h.Downgraded = r[24:] == "DOWNGRD\x01" || r[24:] == "DOWNGRD\x00"
}

// extension reads one extension and reports whether it is well formed.
func (h *ServerHello) extension(kind uint16, c *cursor) bool {
	switch kind {
	case extVersions:
		h.Version = c.uint16()
	case extKeyShare:
		h.Group = c.uint16()
		if !h.Retry {
			c.vector(2)
		}
	case extPreSharedKey:
		c.uint16()
		h.Resumed = true
	case extALPN:
		list := cursor{b: c.vector(2)}
		h.ALPN = string(list.vector(1))
		return c.ended() && list.ended()
	default:
		return true
	}
	return c.ended()
}
