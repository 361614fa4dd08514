package web

import (
	"context"
	"net/http"
)

// How many readers of a kind there are at a time. A stream goes on until its
// reader leaves, so without a bound whoever may see the page could have the
// site hold any number of them; taking a message apart needs memory for its
// images.
const (
	mostStreams = 256 // pages that are followed
	mostReaders = 64  // of the API's events: each reads the record for itself
	mostOpened  = 4   // messages that are being taken apart
)

// places are what readers take and give back.
type places struct{ streams, readers, opened chan struct{} }

func newPlaces() places {
	return places{make(chan struct{}, mostStreams), make(chan struct{}, mostReaders), make(chan struct{}, mostOpened)}
}

// takePlace takes a place at once. Where there is none, an EventSource gives up
// and the script tries again.
func takePlace(w http.ResponseWriter, of chan struct{}) (leave func(), err error) {
	select {
	case of <- struct{}{}:
		return func() { <-of }, nil
	default:
		w.Header().Set("Retry-After", "10")
		return nil, problem{http.StatusServiceUnavailable, "as many streams are open as may be at a time", "close pages or programs that follow the record, or try again later"}
	}
}

// awaitPlace waits for a place, no longer than the request does.
func awaitPlace(ctx context.Context, of chan struct{}) (leave func(), err error) {
	select {
	case of <- struct{}{}:
		return func() { <-of }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
