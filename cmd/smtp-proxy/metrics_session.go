package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// Codes that have a label: those that RFC 5321, section 4.2.1, knows.
const (
	leastCode = 200
	codeCount = 400
)

// verbMetrics are the counters of one verb, found by name when they are first
// needed: a search for each reply would cost more than all else here.
type verbMetrics struct {
	codes [codeCount + 1]prometheus.Counter // the last is any other code's
	waits [2]prometheus.Observer            // by leg
}

// event counts one entry of a session that has ended.
func (m *metrics) event(e *session.Entry) {
	switch e.Kind {
	case session.KindGreeting:
		m.reply(e, verbGreeting)
	case session.KindReply:
		switch {
		case e.From == session.FromUpstream:
			m.reply(e, verbIndex(e.Verb))
		case e.Phase == session.PhaseConnect && turnedAway(e):
			m.refused.Inc()
		}
	case session.KindTLS:
		if e.TLS != nil && e.TLS.Duration > 0 {
			m.handshakes.WithLabelValues(e.Leg.String()).Observe(e.TLS.Duration.Seconds())
		}
	}
}

// turnedAway tells the proxy's refusal of a connection from its word about a
// smarthost that cannot be reached.
func turnedAway(e *session.Entry) bool {
	switch e.Odd {
	case session.OddLimit, session.OddPolicy, session.OddShutdown, session.OddLoop:
		return e.From == session.FromProxy && e.Leg == session.App
	}
	return false
}

// reply counts a reply of a smarthost. Those to the proxy's own commands never
// reach an app.
func (m *metrics) reply(e *session.Entry, verb int) {
	v := &m.answers[verb]
	leg := session.App
	if e.Own {
		leg = session.Upstream
	}
	if v.waits[leg] == nil {
		v.waits[leg] = m.waits.WithLabelValues(verbNames()[verb], leg.String())
	}
	v.waits[leg].Observe(e.Wait.Seconds())
	if e.Own {
		return
	}
	code, label := e.Code-leastCode, otherLabel
	if code < 0 || code >= codeCount {
		code = codeCount
	} else {
		label = strconv.Itoa(e.Code)
	}
	if v.codes[code] == nil {
		v.codes[code] = m.replies.WithLabelValues(verbNames()[verb], label)
	}
	v.codes[code].Inc()
}

// security counts what a session shows of TLS.
func (m *metrics) security(s *inspect.Session, up *upstreamMetrics) {
	for leg, t := range [...]*session.TLS{session.App: s.App.TLS, session.Upstream: s.Upstream.TLS} {
		if t != nil && t.Version != "" {
			m.secured.WithLabelValues(session.Side(leg).String(), versionLabel(t.Version)).Inc()
		}
	}
	if t := s.Upstream.TLS; t != nil && len(t.Chain) > 0 {
		if up.expiry == nil {
			up.expiry = m.expiry.WithLabelValues(up.label)
		}
		up.expiry.Set(float64(expiryOf(t).Unix()))
	}
}

// expiryOf is when a certificate ends: with the first of its chain where that
// was verified, since a chain as sent may hold what nobody needs.
func expiryOf(t *session.TLS) time.Time {
	first := t.Chain[0].NotAfter
	for _, c := range t.Path {
		if c.NotAfter.Before(first) {
			first = c.NotAfter
		}
	}
	return first
}

// open is how many sessions are running.
func (x *plant) open() (n int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, s := range x.servers {
		n += s.Open()
	}
	return n
}

// recordSize is what the files of a record take: the database, what SQLite puts
// beside it, and large messages.
func recordSize(database string) (n int64) {
	dir, name := filepath.Split(database)
	// A file that goes while it is looked at counts as gone.
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil
		case d.IsDir() && path != dir && d.Name() != "bodies":
			return fs.SkipDir
		case d.IsDir() || filepath.Dir(path) == filepath.Clean(dir) && !strings.HasPrefix(d.Name(), name):
			return nil
		}
		if info, err := os.Lstat(path); err == nil {
			n += info.Size()
		}
		return nil
	})
	return n
}
