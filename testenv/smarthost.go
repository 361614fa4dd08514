package testenv

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"sync"
	"time"

	"smtp-proxy/proxy/session"
)

// SmarthostOptions says how a scripted smarthost is to behave. The zero value
// is the persona postfix on a free port of 127.0.0.1, with STARTTLS, taking
// mail for anybody.
type SmarthostOptions struct {
	Addr    string // ip:port; empty for a free port of 127.0.0.1
	Persona string // a name from Personas; empty for postfix
	Host    string // what it calls itself; empty for the persona's own host

	Implicit bool        // TLS from the first byte
	NoTLS    bool        // STARTTLS is neither offered nor understood
	TLS      *tls.Config // own certificate; nil for one of an own authority, see Roots
	Version  uint16      // the one TLS version to speak, as tls.VersionTLS12; 0 for those of TLS
	Breach   Breach      // spoils the handshake

	Answers        map[session.Phase]Answer // instead of the persona's usual replies
	EHLO           []string                 // keywords instead of the persona's
	Clock          time.Duration            // by how much the server's clock is ahead
	User, Password string                   // the one account; empty lets everybody sign in

	Mailbox   *Mailbox      // where messages go; nil for a new one
	OnMessage func(Message) // called for each accepted message; for a new mailbox only
}

// Smarthost is a scripted mail server: it speaks exactly as its [Persona] does
// and misbehaves exactly as its answers say, which a server library would not
// let it. Addresses provoke replies as they do in the [Sandbox].
type Smarthost struct {
	*Mailbox
	port    *port
	opts    SmarthostOptions
	persona *Persona
	roots   []byte
	grey    *greylist

	mu    sync.Mutex
	given map[session.Phase]int // replies so far, over all connections
}

// NewSmarthost starts a scripted smarthost. It serves until Close.
func NewSmarthost(opts SmarthostOptions) (*Smarthost, error) {
	if opts.Persona == "" {
		opts.Persona = defaultPersona
	}
	persona, err := LoadPersona(opts.Persona)
	if err != nil {
		return nil, err
	}
	if opts.Host != "" {
		persona.Host = opts.Host
	}
	if opts.EHLO != nil {
		persona.EHLO, persona.EHLOTLS = opts.EHLO, opts.EHLO
	}
	s := &Smarthost{Mailbox: opts.Mailbox, opts: opts, persona: persona, grey: newGreylist(), given: make(map[session.Phase]int)}
	if s.Mailbox == nil {
		s.Mailbox = &Mailbox{OnMessage: opts.OnMessage}
	}
	if !opts.NoTLS && opts.TLS == nil {
		leaf, roots, err := lastingLeaf(persona.Host)
		if err != nil {
			return nil, fmt.Errorf("certificate of %s: %w", persona.Host, err)
		}
		s.opts.TLS, s.roots = &tls.Config{Certificates: []tls.Certificate{leaf}}, roots
	}
	if opts.Version != 0 && !opts.NoTLS {
		s.opts.TLS = s.opts.TLS.Clone()
		s.opts.TLS.MinVersion, s.opts.TLS.MaxVersion = opts.Version, opts.Version
	}
	s.port, err = openPort(opts.Addr, s.serve)
	return s, err
}

// Addr returns ip:port of the smarthost.
func (s *Smarthost) Addr() string { return s.port.Addr() }

// Host returns the name under which the persona is known.
func (s *Smarthost) Host() string { return s.persona.Host }

// Roots returns the PEM of the authority that a client must trust, or nil when
// the options brought a certificate or forbade TLS.
func (s *Smarthost) Roots() []byte { return s.roots }

// Close ends the smarthost with all its connections, and waits for them.
func (s *Smarthost) Close() error { return s.port.Close() }

func (s *Smarthost) serve(ctx context.Context, c net.Conn) {
	t := &talk{host: s, id: s.nextID()}
	t.use(c)
	if s.opts.Implicit && !t.handshake(ctx) {
		return
	}
	t.run(ctx)
}

// answer returns what to say in a phase, and counts it. special tells that it
// is not what the persona usually says.
func (s *Smarthost) answer(phase session.Phase) (a Answer, special bool) {
	usual := Answer{Reply: s.persona.Replies[phase]}
	a, special = s.opts.Answers[phase]
	if !special {
		return usual, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.given[phase]
	s.given[phase]++
	if n < a.After || a.Times > 0 && n >= a.After+a.Times {
		return usual, false
	}
	return a, true
}
