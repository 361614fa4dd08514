package replay

import (
	"context"
	"errors"
	"io"

	"smtp-proxy/proxy/session"
)

// ErrNoBody says that the octets of a message were not kept.
var ErrNoBody = errors.New("the message was not kept")

// Recording is what is known of a session that is to be played again.
type Recording struct {
	ID      string
	Entries []session.Entry // the whole history, in order

	// Captured says how much is kept of a message: full, headers, none or cut.
	// The first MAIL of the session, answered well or not, begins message 0.
	Captured func(message int) string

	// Body opens the octets of a message as they were sent: dots doubled where
	// they came with DATA, and without the line that ends it. The error is
	// [ErrNoBody] when they are not kept.
	Body func(ctx context.Context, message int) (io.ReadCloser, error)
}
