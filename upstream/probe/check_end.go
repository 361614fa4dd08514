package probe

import (
	"context"
	"time"

	"smtp-proxy/proxy/session"
)

// OutOfTime is the text of a step that a deadline has cut off.
const OutOfTime = "out of time"

// LastWord is how long a check waits for its steps when its time is up: each
// says then how far it has come, and none holds the rest up.
const LastWord = 250 * time.Millisecond

// lastWords returns a context that ends a moment after ctx. leave ends it at
// once.
func lastWords(ctx context.Context) (over context.Context, leave func()) {
	over, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		defer cancel()
		moment := time.NewTimer(LastWord)
		defer moment.Stop()
		select {
		case <-moment.C:
		case <-over.Done():
		}
	})
	return over, func() { stop(); cancel() }
}

func late() Line { return Line{Status: StatusSkip, Text: OutOfTime} }

// dialogue returns the session with the smarthost, if it has ended: one that
// was left behind may still be writing to it.
func (x *examination) dialogue() []session.Entry {
	r := x.step["dialogue"]
	if r == nil {
		return nil
	}
	select {
	case <-r.done:
		return x.known.dialogue
	default:
		return nil
	}
}
