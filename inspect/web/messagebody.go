package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/store"
	"smtp-proxy/proxy/session"
)

// original opens a message of a session (1 is the first) as the app composed
// it: what was sent, less the dots that DATA doubles. It needs memory for a
// block, however long the message is.
func (s *Site) original(ctx context.Context, v *inspect.Session, message int) (io.ReadCloser, error) {
	if n := len(v.Messages) + v.Omitted; message < 1 || message > n {
		return nil, problem{http.StatusNotFound, "there is no message " + strconv.Itoa(message), "the session has " + inspect.Count(n, "message") + ", counted from 1"}
	}
	chunked, sent := carriage(v, message-1)
	if !sent {
		return nil, problem{http.StatusNotFound, "message " + strconv.Itoa(message) + " was never sent", "the session ended before its content; its dialogue tells why"}
	}
	body, err := s.Store.Body(ctx, v.ID, message-1)
	switch {
	case errors.Is(err, store.ErrNoBody):
		return nil, problem{http.StatusNotFound, "message " + strconv.Itoa(message) + " is not in the record",
			"--capture none was set, or retention (--keep, --keep-size) has removed it"}
	case err != nil || chunked:
		return body, err
	}
	return struct {
		io.Reader
		io.Closer
	}{inspect.Undotted(body), body}, nil
}

// carriage says how the content of a message (0 is the first) was sent: by
// BDAT, which doubles no dots, or by DATA; or not at all.
func carriage(v *inspect.Session, message int) (chunked, sent bool) {
	asm := inspect.NewAssembler(&session.Info{ID: v.ID, Started: v.Started})
	for i := range v.Events {
		e := &v.Events[i]
		asm.Add(e)
		if e.Kind == session.KindData && asm.Message() == message {
			chunked, sent = e.Verb == "BDAT", true
		}
	}
	return chunked, sent
}
