package main

import (
	"context"
	"errors"
	"io"

	captures "smtp-proxy/inspect/capture"
	"smtp-proxy/inspect/store"
)

// JsonFormat is what show --json prints, and the messages: a capture.
func (x *export) JsonFormat() format {
	return format{
		name:  "json",
		about: "a capture, for import and wherever an ID is asked for: what show --json prints, and the messages",
		file:  ".json", kind: "application/json",
		write: x.writeJSON,
	}
}

func (x *export) writeJSON(ctx context.Context, w io.Writer) error {
	out := captures.NewWriter(w, "smtp-proxy "+version())
	return out.Write(ctx, x.session, func(ctx context.Context, message int) (io.ReadCloser, error) {
		body, err := x.body(ctx, message)
		if errors.Is(err, store.ErrNoBody) {
			err = captures.ErrNoBody
		}
		return body, err
	})
}
