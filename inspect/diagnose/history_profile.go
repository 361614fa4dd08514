package diagnose

import (
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// none stands for something that is known to be absent; an empty string is
// not known.
const none = "-"

// profile is what a session showed of its two sides, as far as sessions are
// compared.
type profile struct {
	who       identity
	at        time.Time
	upstream  string     // host:port as configured
	addrs     string     // the addresses that answered or were tried, sorted
	banner    string     // the greeting as it came
	normal    normalized // the same without what differs each time
	hello     [2]string  // keyword lines of the EHLO reply in clear and under TLS
	cert      *session.Certificate
	tls       string // version, or none
	appTLS    string
	user      string // or none
	mechanism string
	domain    string // the sender's
	size      int64  // of the largest message, as sent or as declared
}

// normalized is text that is made when it is first wanted.
type normalized struct {
	once sync.Once
	text string
}

// greets is the greeting without what differs each time.
func (p *profile) greets() string {
	p.normal.once.Do(func() { p.normal.text = normalBanner(p.banner) })
	return p.normal.text
}

// identity tells apps apart, and the addresses they reach.
type identity struct{ route, user, helo, domain, addr string }

// maxShown bounds a value that comes from outside, in octets.
const maxShown = 100

// maxKept bounds what is remembered of a greeting or an EHLO reply, in octets.
const maxKept = 4 << 10

func profileOf(s *inspect.Session) *profile {
	p := &profile{at: s.Started, upstream: s.Upstream.Name, addrs: hostOf(s.Upstream.Addr)}
	p.read(s.Events)
	p.legs(s)
	p.mail(s)
	p.who = identity{s.Route, p.user, s.App.Helo, p.domain, p.addrs}
	return p
}

// read takes out of the events what the summary of a session lacks.
func (p *profile) read(events []session.Entry) {
	var tried []string
	for i := range events {
		e := &events[i]
		switch {
		case e.Kind == session.KindGreeting:
			p.banner = kept(e.Text)
		case e.Kind == session.KindReply && e.Verb == "EHLO" && e.Code == 250 && e.From == session.FromUpstream:
			_, lines, _ := strings.Cut(e.Text, "\n")
			p.hello[secureIndex(e.Secure)] = kept(lines)
		case e.Kind == session.KindError && e.Dial != nil && len(tried) < maxProfiles:
			tried = append(tried, hostOf(e.Dial.Addr))
		case e.Kind == session.KindCommand && e.Verb == "MAIL":
			p.size = max(p.size, declaredSize(e.Text))
		}
	}
	if p.addrs == "" && len(tried) > 0 {
		slices.Sort(tried)
		p.addrs = strings.Join(slices.Compact(tried), " ")
	}
}

// legs notes TLS and the sign-in. That something was not there is known only
// of a session that went on without it.
func (p *profile) legs(s *inspect.Session) {
	wentOn := len(s.Messages) > 0 || s.Auth != nil
	p.tls, p.appTLS = version(s.Upstream.TLS, wentOn), version(s.App.TLS, wentOn)
	if t := s.Upstream.TLS; t != nil && len(t.Chain) > 0 {
		p.cert = &t.Chain[0]
	}
	switch {
	case s.Auth != nil:
		p.user, p.mechanism = kept(s.Auth.Username), s.Auth.Mechanism
	case len(s.Messages) > 0:
		p.user = none
	}
}

func (p *profile) mail(s *inspect.Session) {
	for i := range s.Messages {
		p.size = max(p.size, s.Messages[i].Size)
	}
	if n := len(s.Messages); n > 0 {
		p.domain = strings.ToLower(domain(s.Messages[n-1].From))
	}
}

func version(t *session.TLS, wentOn bool) string {
	switch {
	case t != nil:
		return t.Version
	case wentOn:
		return none
	}
	return ""
}

// declaredSize reads the SIZE parameter of a MAIL command (RFC 1870).
func declaredSize(command string) int64 {
	for word := range strings.FieldsSeq(command) {
		if len(word) > 5 && strings.EqualFold(word[:5], "SIZE=") {
			n, _ := strconv.ParseInt(word[5:], 10, 64)
			return max(0, n)
		}
	}
	return 0
}

func hostOf(addr string) string {
	if host, _, err := net.SplitHostPort(addr); err == nil {
		return host
	}
	return addr
}

// kept cuts off what only a hostile peer would say; the rest of its words must
// not stay in memory with it.
func kept(text string) string {
	if len(text) <= maxKept {
		return text
	}
	return strings.Clone(text[:maxKept])
}

// shown shortens a value to what a sentence bears.
func shown(value string) string {
	if len(value) <= maxShown {
		return value
	}
	return strings.ToValidUTF8(value[:maxShown], "") + "…"
}
