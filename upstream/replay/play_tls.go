package replay

import (
	"bytes"
	"context"
	"crypto/tls"
	"net"
)

// shake makes TLS where the app made it, if the relay is ready for it.
func (p *player) shake(ctx context.Context, s *spoken) {
	if p.giveUp != "" || p.gone {
		return
	}
	if !p.ready && s.index > 0 {
		p.giveUp = "the relay did not wait for TLS"
		return
	}
	p.ready = false
	if s.failed {
		p.giveUp = "the app's own handshake failed there"
		return
	}
	cfg := &tls.Config{}
	if p.options.TLS != nil {
		cfg = p.options.TLS.Clone()
	}
	if cfg.ServerName == "" {
		cfg.ServerName = "localhost"
	}
	ctx, cancel := context.WithTimeout(ctx, p.options.Timeout)
	defer cancel()
	ahead, _ := p.replies.Peek(p.replies.Buffered())
	secure := tls.Client(&readAhead{Conn: p.conn, ahead: bytes.Clone(ahead)}, cfg)
	if err := secure.HandshakeContext(ctx); err != nil {
		p.gone, p.giveUp = true, "the TLS handshake failed"
		p.fails(s.phase)
		p.broke("TLS on the app's leg", err)
		return
	}
	p.use(secure)
}

// readAhead gives octets back that were read too early.
type readAhead struct {
	net.Conn
	ahead []byte
}

func (c *readAhead) Read(b []byte) (int, error) {
	if len(c.ahead) > 0 {
		n := copy(b, c.ahead)
		c.ahead = c.ahead[n:]
		return n, nil
	}
	return c.Conn.Read(b)
}
