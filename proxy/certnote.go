package proxy

import (
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

// noteCertificate records what the smarthost's certificate gives notice of,
// though nothing fails today. The lock is held.
func (r *relay) noteCertificate(now time.Time, facts *session.TLS) {
	for _, note := range upstream.Notes(facts, now) {
		r.record(&note)
	}
}
