package web

import (
	"crypto/rand"
	"crypto/sha256"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"

	"golang.org/x/crypto/bcrypt"
)

// guard lets through what may be answered: requests that name this site, that
// no other site's page has made, and that bring a password where one is asked
// for. It also says what a browser may do with the answer.
func (s *Site) guard(next http.Handler) http.Handler {
	sameOrigin := http.NewCrossOriginProtection()
	sameOrigin.SetDenyHandler(s.serve(endpoint{answer: func(http.ResponseWriter, *http.Request) error {
		return problem{http.StatusForbidden, "another site's page made this request", "open this page by its own address and send the form from there"}
	}}))
	l := &locks{users: s.Users, atOnce: make(chan struct{}, 2)}
	_, _ = rand.Read(l.salt[:]) // it never fails (crypto/rand)
	guarded := sameOrigin.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		restrict(w.Header())
		switch {
		case isHealth(r.URL.Path):
			next.ServeHTTP(w, r)
		case !s.named(r.Host):
			s.refuse(w, r, problem{http.StatusMisdirectedRequest, "this site is not called " + visible(r.Host),
				"open it as http://" + s.Listen + "/, or ask for a password (--http-auth), which lets it be called by any name"})
		case !l.open(r):
			w.Header().Set("WWW-Authenticate", `Basic realm="smtp-proxy", charset="UTF-8"`)
			s.refuse(w, r, problem{http.StatusUnauthorized, "a user and a password are asked for", "those of the file that --http-auth names"})
		default:
			guarded.ServeHTTP(w, r)
		}
	})
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

// locks knows who may come in. A password that was right once is recognised by
// its hash: bcrypt is slow, and a page makes many requests.
type locks struct {
	users  map[string][]byte
	salt   [32]byte
	atOnce chan struct{} // how many passwords are tried at once

	mu   sync.Mutex
	seen map[[sha256.Size]byte]bool
}

// open reports whether a request may come in.
func (l *locks) open(r *http.Request) bool {
	if len(l.users) == 0 {
		return true
	}
	user, password, ok := r.BasicAuth()
	if !ok {
		return false
	}
	key := sha256.Sum256([]byte(string(l.salt[:]) + user + "\x00" + password))
	l.mu.Lock()
	seen := l.seen[key]
	l.mu.Unlock()
	if seen {
		return true
	}
	if !l.try(r, user, password) {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seen == nil {
		l.seen = map[[sha256.Size]byte]bool{}
	}
	l.seen[key] = true
	return true
}

// try compares with bcrypt, also for a user who is not known: how long it takes
// tells nobody who is.
func (l *locks) try(r *http.Request, user, password string) bool {
	select {
	case l.atOnce <- struct{}{}:
		defer func() { <-l.atOnce }()
	case <-r.Context().Done():
		return false
	}
	hash, known := l.users[user]
	if !known {
		for _, hash = range l.users {
			break
		}
	}
	return bcrypt.CompareHashAndPassword(hash, []byte(password)) == nil && known
}
