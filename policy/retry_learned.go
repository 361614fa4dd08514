package policy

import (
	"fmt"
	"time"
)

// Learned says when to send again to a server that, the last time it refused
// for the same reason, took mail again after a wait. It is for replies that
// name no delay themselves. ok is false when the class of the cause has no
// pace, or nobody should count on a wait that long or short.
func Learned(c Class, wait time.Duration) (r Retry, ok bool) {
	p, paced := paces(c)
	if !paced || c == ClassNow || wait <= 0 || wait > MaxDelay {
		return Retry{}, false
	}
	p.first = (wait + time.Second - 1).Truncate(time.Second)
	p.giveUp = max(p.giveUp, p.first)
	return Retry{
		Advice: RetryLater, After: p.first, Schedule: p.schedule(), GiveUp: p.giveUp,
		Text: fmt.Sprintf("Try again in %s, then ever more slowly for %s: after that time it took mail again when it last refused so.", Words(p.first), Words(p.giveUp)),
	}, true
}
