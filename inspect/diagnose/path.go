package diagnose

import (
	"fmt"

	"smtp-proxy/proxy/session"
)

// onThePath says of a silence what TCP knows of it: whether the path drops
// packets or the peer is stuck. Other causes it has nothing to say about.
func (f *facts) onThePath(s *symptom) string {
	if len(s.evidence) == 0 || s.more != "" {
		return ""
	}
	e := s.evidence[0]
	switch s.cause {
	case "tls.handshake-timeout":
		if e.Leg == session.App && e.Kind == session.KindTLS {
			return pathWords("the app", f.tcp(session.App, e))
		}
		return pathWords("{host}", f.tcp(session.Upstream, e))
	case "upstream.timeout":
		return pathWords("{host}", f.tcp(session.Upstream, e))
	case "app.timeout":
		return pathWords("the app", f.tcp(session.App, e))
	}
	return ""
}

// tcp returns what the kernel knew of a leg when the session broke.
func (f *facts) tcp(leg session.Side, e *session.Entry) *session.TCP {
	if e.TCP != nil && e.Leg == leg {
		return e.TCP
	}
	if left := f.closed[leg]; left != nil {
		return left.TCP
	}
	return nil
}

// pathWords reads what the kernel knew of the connection to a peer that was
// silent: whether the path drops packets or the peer is stuck.
func pathWords(peer string, t *session.TCP) string {
	switch {
	case t == nil:
		return ""
	case t.Unacked > 0 && t.Retransmits > 0:
		return fmt.Sprintf("What was sent last was sent again %s, and %s never acknowledged it: the path drops packets.", times(t.Retransmits), peer)
	case t.Unacked > 0:
		return fmt.Sprintf("What was sent last has not been acknowledged by %s.", peer)
	case t.Retransmits > 0:
		return fmt.Sprintf("Packets had to be sent again %s, and all were acknowledged in the end: the path is lossy, and %s has what it was sent.", times(t.Retransmits), peer)
	}
	return fmt.Sprintf("All that was sent was acknowledged by %s at once: it is stuck, or its answer is larger than what the path lets through (an MTU problem).", peer)
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}
