package main

import (
	"context"
	"io"
)

// JsonFormat is what show --json prints.
func (x *export) JsonFormat() format {
	return format{
		name:  "json",
		about: "the session with all its events, as show --json prints it",
		write: func(_ context.Context, w io.Writer) error { return jsonLines(w).Encode(x.session) },
	}
}
