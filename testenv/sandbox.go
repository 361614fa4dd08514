package testenv

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/emersion/go-smtp"
)

// SandboxOptions says what a [Sandbox] is to be. The zero value is an open
// mailbox on a free port of 127.0.0.1 that offers STARTTLS.
type SandboxOptions struct {
	Addr     string // ip:port to listen on; empty for a free port of 127.0.0.1
	Hostname string // in the greeting; empty for sandbox.localhost

	Implicit bool        // TLS from the first byte instead of STARTTLS
	NoTLS    bool        // plaintext only
	TLS      *tls.Config // own certificate; nil for one of an own authority, see Roots

	User, Password string // the one account; an empty user lets everybody sign in, or not
	RequireAuth    bool   // no MAIL without AUTH
	RequireTLS     bool   // no MAIL in clear, and AUTH is offered under TLS only

	MaxBytes  int64         // size limit announced and kept; 0 for 64 MB
	Mailbox   *Mailbox      // where messages go; nil for a new one
	OnMessage func(Message) // called for each accepted message; for a new mailbox only
}

const (
	sandboxMaxBytes = 64 << 20
	sandboxMaxRcpts = 1000
	sandboxPatience = 5 * time.Minute // RFC 5321, section 4.5.3.2.7
)

// Sandbox is a well-behaved smarthost on go-smtp: it takes mail for anybody
// and keeps it, except where an address asks for a refusal (see
// [Provocations]).
type Sandbox struct {
	*Mailbox
	opts   SandboxOptions
	server *smtp.Server
	ln     *trackedListener
	roots  []byte
	grey   *greylist
	ends   gate
	served chan struct{}
}

// NewSandbox starts a sandbox. It serves until Close.
func NewSandbox(opts SandboxOptions) (*Sandbox, error) {
	if opts.Hostname == "" {
		opts.Hostname = "sandbox.localhost"
	}
	if opts.MaxBytes == 0 {
		opts.MaxBytes = sandboxMaxBytes
	}
	s := &Sandbox{Mailbox: opts.Mailbox, opts: opts, grey: newGreylist(), served: make(chan struct{})}
	if s.Mailbox == nil {
		s.Mailbox = &Mailbox{OnMessage: opts.OnMessage}
	}
	if err := s.secure(); err != nil {
		return nil, err
	}
	ln, err := listenLoopback(opts.Addr)
	if err != nil {
		return nil, err
	}
	s.ln = track(ln)
	s.server = s.newServer()
	go s.run()
	return s, nil
}

// Addr returns ip:port of the sandbox.
func (s *Sandbox) Addr() string { return s.ln.Addr().String() }

// Roots returns the PEM of the authority that a client must trust, or nil when
// the options brought a certificate or forbade TLS.
func (s *Sandbox) Roots() []byte { return s.roots }

// Close ends the sandbox with all its connections, and waits for them. A
// second call does nothing.
func (s *Sandbox) Close() error {
	s.ends.shut()
	s.ln.closeAll()
	<-s.served
	// Shutdown, unlike the server's own Close, waits for the connections; they
	// are ending, their sockets being closed.
	err := s.server.Shutdown(context.Background())
	s.ends.wait()
	if errors.Is(err, net.ErrClosed) || errors.Is(err, smtp.ErrServerClosed) {
		return nil
	}
	return err
}

func (s *Sandbox) secure() error {
	if s.opts.NoTLS {
		s.opts.TLS = nil
		return nil
	}
	if s.opts.TLS != nil {
		return nil
	}
	leaf, roots, err := lastingLeaf(s.opts.Hostname)
	if err != nil {
		return fmt.Errorf("sandbox certificate: %w", err)
	}
	s.roots = roots
	s.opts.TLS = &tls.Config{Certificates: []tls.Certificate{leaf}}
	return nil
}

func (s *Sandbox) newServer() *smtp.Server {
	server := smtp.NewServer(smtp.BackendFunc(s.newSession))
	server.Domain = s.opts.Hostname
	server.MaxMessageBytes = s.opts.MaxBytes
	server.MaxRecipients = sandboxMaxRcpts
	server.ReadTimeout, server.WriteTimeout = sandboxPatience, sandboxPatience
	server.AllowInsecureAuth = !s.opts.RequireTLS
	server.EnableSMTPUTF8, server.EnableBINARYMIME, server.EnableDSN = true, true, true
	server.ErrorLog = unheard{}
	if !s.opts.Implicit {
		server.TLSConfig = s.opts.TLS
	}
	return server
}

// run serves until the listener is closed, which is Serve's only way to end.
func (s *Sandbox) run() {
	defer close(s.served)
	var ln net.Listener = s.ln
	if s.opts.Implicit {
		ln = tls.NewListener(ln, s.opts.TLS)
	}
	_ = s.server.Serve(ln)
}

// Certificate returns the certificate in use, zero without TLS.
func (s *Sandbox) Certificate() tls.Certificate {
	if s.opts.TLS == nil || len(s.opts.TLS.Certificates) == 0 {
		return tls.Certificate{}
	}
	return s.opts.TLS.Certificates[0]
}

// unheard takes what go-smtp logs: a peer that left in the middle is what a
// sandbox is there for.
type unheard struct{}

func (unheard) Printf(string, ...any) {}
func (unheard) Println(...any)        {}
