package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/store"
)

// EmlFormat is a message as the app composed it.
func (x *export) EmlFormat() format {
	return format{
		name:  "eml",
		about: "one message, byte for byte as it was sent, less the dots that DATA doubles (--message)",
		file:  ".eml", kind: "message/rfc822", each: true,
		raw:   true,
		write: x.writeEML,
	}
}

func (x *export) writeEML(ctx context.Context, w io.Writer) error {
	n := len(x.session.Messages) + x.session.Omitted
	if x.message < 1 || x.message > n {
		return usagef("--message %d: session %s has %s", x.message, visible(x.session.ID), inspect.Count(n, "message"))
	}
	part, ok := contentsOf(x.session)[x.message-1]
	if !ok {
		return fmt.Errorf("message %d was never sent: the session ended before its content, as smtp-proxy show %s tells", x.message, visible(x.session.ID))
	}
	body, err := x.body(ctx, x.message-1)
	if errors.Is(err, store.ErrNoBody) {
		return fmt.Errorf("message %d is not in the record: --capture none was set, or retention (--keep, --keep-size) has removed it", x.message)
	}
	if err != nil {
		return err
	}
	defer body.Close()
	if part.incomplete(x.captured(x.message - 1)) {
		fmt.Fprintf(x.stderr, "smtp-proxy: warning: message %d is not whole: %s\n", x.message, part.lack(x.captured(x.message-1)))
	}
	composed := io.Reader(body)
	if !part.chunked {
		composed = inspect.Undotted(body)
	}
	_, err = io.Copy(w, composed)
	return err
}

// captured says what the record holds of a message: full, headers, none, cut.
func (x *export) captured(message int) string {
	if message < len(x.session.Messages) {
		return x.session.Messages[message].Captured
	}
	return ""
}
