package probe

import (
	"context"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

// OpenDialogue holds a dialogue with a port that is taken for one of TLS by its
// number, which no test may choose, and returns the mode that it ends in.
func (p *Prober) OpenDialogue(ctx context.Context, t upstream.Target, s Script) ([]session.Entry, upstream.Mode) {
	t.Mode = upstream.ModeImplicit
	d := p.newDialogue(t, s)
	d.open = true
	d.hold(ctx)
	return d.entries, d.target.Mode
}
