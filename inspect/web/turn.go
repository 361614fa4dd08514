package web

import "smtp-proxy/proxy/session"

// turn finds the entry behind which one side had to speak, and that side: the
// app behind a reply, the upstream behind what it has to answer. It returns
// nil when nobody had to.
func turn(events []session.Entry) (*session.Entry, session.Side) {
	for i := len(events) - 1; i >= 0; i-- {
		e := &events[i]
		switch e.Kind {
		case session.KindNote, session.KindProbe, session.KindError:
			continue
		case session.KindClose:
			return nil, 0
		case session.KindGreeting, session.KindReply:
			return e, session.App
		case session.KindTLS:
			return e, e.Leg
		case session.KindAuth:
			if e.From == session.FromUpstream {
				return e, session.App
			}
		}
		return e, session.Upstream
	}
	return nil, 0
}
