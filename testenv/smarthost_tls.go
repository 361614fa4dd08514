package testenv

import (
	"context"
	"crypto/tls"
	"strings"

	"smtp-proxy/proxy/session"
)

func (t *talk) startTLS(ctx context.Context) bool {
	if t.secure || t.host.opts.NoTLS {
		return t.plain(ctx, "502 5.5.1 Error: command not implemented")
	}
	a, _ := t.host.answer(session.PhaseTLS)
	if a.give(ctx, t.conn, t.fill()) {
		return true
	}
	if !strings.HasPrefix(a.Reply, "220") {
		return false
	}
	return !t.handshake(ctx)
}

// handshake goes under TLS and forgets what was said in clear (RFC 3207,
// section 4.2). It reports whether the conversation goes on.
func (t *talk) handshake(ctx context.Context) bool {
	c := tls.Server(t.host.opts.Breach.on(t.conn), t.host.opts.TLS)
	if c.HandshakeContext(ctx) != nil {
		return false
	}
	t.use(c)
	t.secure, t.helo, t.user = true, "", ""
	t.transaction = transaction{}
	return true
}
