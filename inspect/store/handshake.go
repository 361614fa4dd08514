package store

import (
	"bytes"
	"encoding/json"
	"reflect"

	"smtp-proxy/proxy/session"
)

// handshakes writes and reads what handshakes showed. The sessions with one
// smarthost show the same chain over and over, so the last few are remembered:
// what is read is shared, and must not be changed.
type handshakes struct {
	recent [4]handshake
	next   int
	flat   session.TLS // memory for the one that is compared
}

type handshake struct {
	from *session.TLS // as it was given
	tls  *session.TLS // without its duration
	text []byte
}

// marshal returns a handshake as JSON, without its duration; nothing for nil.
func (h *handshakes) marshal(t *session.TLS) ([]byte, error) {
	if t == nil {
		return nil, nil
	}
	for i := range h.recent {
		if h.recent[i].from == t {
			return h.recent[i].text, nil
		}
	}
	h.flat = *t
	h.flat.Duration = 0
	for i := range h.recent {
		if r := &h.recent[i]; r.tls != nil && reflect.DeepEqual(r.tls, &h.flat) {
			r.from = t
			return r.text, nil
		}
	}
	text, err := json.Marshal(&h.flat)
	if err == nil {
		own := h.flat
		h.keep(handshake{t, &own, text})
	}
	return text, err
}

// unmarshal reads what marshal has written.
func (h *handshakes) unmarshal(text []byte) (*session.TLS, error) {
	if len(text) == 0 {
		return nil, nil
	}
	for i := range h.recent {
		if bytes.Equal(h.recent[i].text, text) {
			return h.recent[i].tls, nil
		}
	}
	t := new(session.TLS)
	if err := json.Unmarshal(text, t); err != nil {
		return nil, errCoding
	}
	h.keep(handshake{tls: t, text: bytes.Clone(text)})
	return t, nil
}

func (h *handshakes) keep(one handshake) {
	h.recent[h.next] = one
	h.next = (h.next + 1) % len(h.recent)
}
