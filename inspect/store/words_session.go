package store

import (
	"net"
	"strings"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// sessionWords finds the words of sessions. Most have the same as one before in
// the same second, for which a look at its columns is enough.
type sessionWords struct {
	postings
	common seen[alike]
	mail   seen[string]
	ends   seen[ends]
	last   alike
	lastAt int64
}

// ends are what is searched of the two sides of a session and has no column.
type ends struct {
	helo, app, upstream string
	appTLS, upstreamTLS string
	passthrough         bool
}

// seen says for which second something was posted last.
type seen[T comparable] map[T]int64

// maxMemory bounds what is remembered of each kind.
const maxMemory = 1 << 12

// new reports whether something is new in a second, and remembers it.
func (m seen[T]) new(at int64, v T) bool {
	if last, ok := m[v]; ok && last == at {
		return false
	}
	if len(m) >= maxMemory {
		clear(m)
	}
	m[v] = at
	return true
}

func newSessionWords() *sessionWords {
	return &sessionWords{
		postings: postings{lately: map[posting]struct{}{}},
		common:   seen[alike]{}, mail: seen[string]{}, ends: seen[ends]{}, lastAt: -1,
	}
}

// forget is for a batch that was not committed.
func (w *sessionWords) forget() {
	w.postings.forget()
	clear(w.common)
	clear(w.mail)
	clear(w.ends)
	w.lastAt = -1
}

// session posts the words of one session.
func (w *sessionWords) session(key int64, c *columns, v *inspect.Session) {
	at := key / keysPerSecond
	if at != w.lastAt || c.alike != w.last {
		w.last, w.lastAt = c.alike, at
		if w.common.new(at, c.alike) {
			w.alike(at, &c.alike)
		}
	}
	mail, ok := c.mail.(string)
	switch {
	case !ok:
		w.add(at, anyWord)
	case w.mail.new(at, mail):
		w.addresses(at, mail)
	}
	if e := endsOf(v); w.ends.new(at, e) {
		w.sides(at, &e)
	}
	for i := range v.Findings {
		w.cause(at, v.Findings[i].Cause)
	}
}

func (w *sessionWords) text(at int64, kind byte, text string) {
	if text != "" {
		w.add(at, wordOf(kind, strings.ToLower(text)))
	}
}

func (w *sessionWords) alike(at int64, a *alike) {
	if a.outcome != string(inspect.Delivered) {
		w.text(at, kindOutcome, a.outcome)
	}
	w.text(at, kindRoute, a.route)
	w.text(at, kindProvider, a.provider)
	w.address(at, kindUser, kindRealm, a.username)
	w.host(at, kindHost, a.upstream)
	codes, ok := a.codes.(string)
	if !ok {
		w.add(at, anyWord)
	}
	for code := range strings.Lines(codes) {
		w.code(at, strings.TrimSuffix(code, "\n"))
	}
}

// code posts a refusal, its enhanced code and the classes of both.
func (w *sessionWords) code(at int64, line string) {
	code, enhanced, _ := strings.Cut(line, " ")
	for _, c := range []string{code, enhanced} {
		if c != "" {
			w.text(at, kindCode, c)
			w.text(at, kindCode, c[:1]+"xx")
		}
	}
}

// addresses posts the lines of the column of senders and recipients.
func (w *sessionWords) addresses(at int64, mail string) {
	for line := range strings.Lines(mail) {
		w.address(at, kindLocal, kindDomain, strings.TrimPrefix(strings.TrimSuffix(line, "\n"), senderMark))
	}
}

// address posts both halves of an address. There is no word of the whole: where
// recipients differ that would be as many again, and hardly tell more than the
// rarer half.
func (w *sessionWords) address(at int64, first, second byte, addr string) {
	local, domain := halves(addr)
	w.text(at, first, local)
	w.text(at, second, domain)
}

// halves returns the local part and the domain of an address.
func halves(addr string) (local, domain string) {
	if i := strings.LastIndexByte(addr, '@'); i >= 0 {
		return addr[:i], addr[i+1:]
	}
	return addr, ""
}

func (w *sessionWords) host(at int64, kind byte, addr string) {
	w.text(at, kind, addr)
	if name, _, err := net.SplitHostPort(addr); err == nil {
		w.text(at, kind, name)
	}
}

// cause posts a cause and the families that it belongs to.
func (w *sessionWords) cause(at int64, cause string) {
	w.text(at, kindCause, cause)
	for i := range len(cause) {
		if cause[i] == '.' {
			w.text(at, kindCause, cause[:i+1])
		}
	}
}

func endsOf(v *inspect.Session) ends {
	e := ends{helo: v.App.Helo, app: v.App.Addr, upstream: v.Upstream.Addr, passthrough: v.Passthrough}
	if i := strings.LastIndexByte(e.app, ':'); i >= 0 { // the port is another one each time
		e.app = e.app[:i]
	}
	e.appTLS, e.upstreamTLS = versionOf(v.App.TLS), versionOf(v.Upstream.TLS)
	return e
}

func versionOf(t *session.TLS) string {
	if t == nil {
		return ""
	}
	return t.Version
}

func (w *sessionWords) sides(at int64, e *ends) {
	w.text(at, kindApp, e.helo)
	w.text(at, kindApp, strings.Trim(e.app, "[]"))
	w.host(at, kindHost, e.upstream)
	for _, version := range []string{e.appTLS, e.upstreamTLS} {
		w.text(at, kindTLS, strings.TrimPrefix(strings.ToLower(version), "tls "))
	}
	if e.passthrough {
		w.text(at, kindTLS, inspect.Passthrough)
	}
}
