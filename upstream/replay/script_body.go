package replay

import (
	"context"
	"fmt"
)

// wantBodies makes sure, before anything is sent, that the messages which are
// to be delivered were kept.
func (p *plan) wantBodies() error {
	var missing error
	more := 0
	last := -1
	for i := range p.script.said {
		s := &p.script.said[i]
		if !s.carries() || s.message == last {
			continue
		}
		last = s.message
		if err := p.recording.wantBody(last); err != nil {
			if missing != nil {
				more++
				continue
			}
			missing = fmt.Errorf("message %d cannot be delivered: %w", last+1, err)
		}
	}
	if more > 0 {
		return fmt.Errorf("%w, and %d more of it", missing, more)
	}
	return missing
}

// carries reports whether message octets go out with it.
func (s *spoken) carries() bool {
	return s.kind == spokenContent || s.kind == spokenLine && s.verb == "BDAT"
}

func (r Recording) wantBody(message int) error {
	if r.Body == nil || r.Captured == nil {
		return ErrNoBody
	}
	switch kept := r.Captured(message); kept {
	case "full":
	case "headers":
		return fmt.Errorf("%w: its header alone was", ErrNoBody)
	case "cut":
		return fmt.Errorf("%w: its end is missing", ErrNoBody)
	default:
		return ErrNoBody
	}
	body, err := r.Body(context.Background(), message)
	if err != nil {
		return err
	}
	return body.Close()
}
