package probe

import (
	"context"

	"smtp-proxy/upstream"
)

// WayRemedy tries the other ways to make TLS on the same port. It tries none at
// all to learn whether TLS is what stands in the way, but not to get round a
// certificate: whoever shows a wrong one may stand in between.
func (remedies) WayRemedy() remedy { return remedy{cost: 20, propose: otherWays} }

func otherWays(_ context.Context, s *search, at outcome) (list []settings) {
	needsTLS := at.failedAt(partAuth, partMail) && !at.secure
	if at.stage < stageConnect || !at.onTheWay() && !at.unfinished() && !needsTLS {
		return nil
	}
	next := at.began
	if next.target.Mode != upstream.ModeAuto {
		next.target.Mode = upstream.ModeAuto
		list = append(list, next)
	}
	if at.failedAt(partSTARTTLS, partTLS) && at.target.Mode != upstream.ModeImplicit {
		next.target.Mode = upstream.ModeNone
		list = append(list, next)
	}
	return list
}
