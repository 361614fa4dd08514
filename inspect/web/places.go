package web

import "net/http"

// How many readers of a kind there are at a time. A stream goes on until its
// reader leaves, and a session or a message may take megabytes until it has been
// read, so without a bound whoever may see the page could have the site hold any
// amount, and end the relay with it.
const (
	mostStreams = 256 // pages that are followed
	mostReaders = 64  // of the API's events: each reads the record for itself
	mostOpened  = 8   // sessions and messages that are being shown
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

// inTurn has an answer that may be large wait for a place, no longer than its
// reader does.
func (s *Site) inTurn(answer func(http.ResponseWriter, *http.Request) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		select {
		case s.places.opened <- struct{}{}:
			defer func() { <-s.places.opened }()
			return answer(w, r)
		case <-r.Context().Done():
			return r.Context().Err()
		}
	}
}
