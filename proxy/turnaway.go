package proxy

import (
	"net"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
)

// turnAway refuses a session before it begins: one line to the app, and the
// reason in the record.
func (r *relay) turnAway(conn net.Conn, odd session.Oddity, reply string) {
	defer conn.Close()
	now := time.Now()
	r.arrived()
	e := &session.Entry{At: now, Leg: session.App, From: session.FromProxy, Kind: session.KindReply,
		Phase: session.PhaseConnect, Text: reply, Odd: odd}
	if parsed, ok := wire.ParseReply(reply); ok {
		e.Code, e.Enhanced = parsed.Code, parsed.Enhanced
	}
	r.record(e)
	r.record(&session.Entry{At: now, Leg: session.App, From: session.FromProxy, Kind: session.KindNote,
		Phase: session.PhaseConnect, Edit: true, Odd: odd, Text: "the greeting " + reply[:9] + " is the proxy's own"})
	if !r.route.tlsFirst() {
		_ = conn.SetDeadline(now.Add(closeReadWait))
		_, _ = conn.Write([]byte(reply + "\r\n"))
		closeWrite(conn)
		var rest [512]byte
		for range 64 {
			if _, err := conn.Read(rest[:]); err != nil {
				break
			}
		}
	}
	r.finish()
}
