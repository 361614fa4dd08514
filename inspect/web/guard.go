package web

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/rs/zerolog"
)

// How the guard works. Whoever is turned away learns nothing of this site but
// why; the health checks answer them without details. Who is let in is marked
// as such in the request's context, which is where pages look before they tell
// of the record and of troubles.

// guard lets through what may be answered: requests that name this site, that
// no other site's page has made, and that bring a password where one is asked
// for. It also says what a browser may do with the answer.
func (s *Site) guard(next http.Handler) http.Handler {
	sameOrigin, l := http.NewCrossOriginProtection(), newLocks(s.Users)
	log := s.Log.Sample(&zerolog.BurstSampler{Burst: 1, Period: time.Second})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		restrict(w.Header())
		err := s.allowed(r, l, sameOrigin)
		if errors.Is(err, errLocked) && r.Header.Get("Authorization") != "" {
			log.Warn().Str("from", r.RemoteAddr).Msg("a wrong password for the page")
		}
		switch {
		case err == nil:
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), letIn{}, true)))
		case isHealth(r.URL.Path):
			next.ServeHTTP(w, r)
		default:
			turnAway(w.Header(), err)
			s.refuse(w, r, problemOf(err))
		}
	})
}

// letIn is the key of the mark of requests that the guard let through.
type letIn struct{}

func isLetIn(r *http.Request) bool { return r.Context().Value(letIn{}) != nil }

// allowed says why a request is not answered.
func (s *Site) allowed(r *http.Request, l *locks, sameOrigin *http.CrossOriginProtection) error {
	if !s.named(r.Host) {
		return problem{http.StatusMisdirectedRequest, "this site is not called " + short(r.Host),
			"open it as http://" + s.Listen + "/, or ask for a password (--http-auth), which lets it be called by any name"}
	}
	if err := l.open(r); err != nil {
		return err
	}
	if sameOrigin.Check(r) != nil || embedded(r) {
		return problem{http.StatusForbidden, "another site's page made this request", "open this page by its own address and send the form from there"}
	}
	return nil
}

// embedded reports a request that a page elsewhere has a browser make, other
// than by a link. The page could not read the answer, but making it costs time,
// and how long it takes tells of the record (Fetch Metadata, W3C). Browsers
// that leave these headers out do so for addresses beyond loopback, where a
// password is asked for.
func embedded(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
		return false
	}
	return r.Header.Get("Sec-Fetch-Mode") != "navigate" || r.Header.Get("Sec-Fetch-Dest") != "document"
}

// turnAway puts into a header what belongs to a refusal. Strangers keep no
// connection: there are only so many.
func turnAway(h http.Header, err error) {
	switch {
	case errors.Is(err, errLocked):
		h.Set("WWW-Authenticate", `Basic realm="smtp-proxy", charset="UTF-8"`)
	case errors.Is(err, errTries):
		h.Set("Retry-After", "2")
	}
	h.Set("Connection", "close")
}

func (s *Site) refuse(w http.ResponseWriter, r *http.Request, p problem) {
	s.serve(endpoint{answer: func(http.ResponseWriter, *http.Request) error { return p }}).ServeHTTP(w, r)
}

// restrict says what a browser may do with an answer: load this site's style
// and script, send forms here, and nothing else.
func restrict(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; frame-src 'self'; "+
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// named reports whether a request calls the site by a name of its own. A page
// elsewhere could have its name resolve to this machine (DNS rebinding); with a
// password that gains it nothing, since browsers keep one for each name.
func (s *Site) named(host string) bool {
	if len(s.Users) > 0 {
		return true
	}
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.Trim(host, "[]")
	}
	own, _, _ := net.SplitHostPort(s.Listen)
	if strings.EqualFold(name, "localhost") || own != "" && strings.EqualFold(name, own) {
		return true
	}
	addr, err := netip.ParseAddr(name)
	return err == nil && addr.IsLoopback()
}
