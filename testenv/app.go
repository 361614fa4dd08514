package testenv

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
)

// AppTLS is how an [App] secures its leg.
type AppTLS string

// The ways to secure the app's leg.
const (
	AppPlain    AppTLS = ""         // not at all
	AppSTARTTLS AppTLS = "starttls" // demanded
	AppImplicit AppTLS = "implicit" // from the first byte
)

// App is a small sending program: one call of Send is one session with one
// message, or, with a Script, whatever the script says.
//
// It does not use go-smtp's client, which sends a * behind a refused AUTH and
// names itself only after STARTTLS: the failures that an App is there to show
// would not be the only ones in the record.
type App struct {
	Addr string // ip:port to connect to
	Helo string // empty for app.localhost

	TLS    AppTLS
	Config *tls.Config // roots and server name; nil trusts the system's roots
	Breach Breach      // spoils the handshake

	Mechanism      string // PLAIN, LOGIN, CRAM-MD5, XOAUTH2, OAUTHBEARER; empty for PLAIN
	User, Password string // no AUTH without a user

	From    string   // empty for app@example.com
	To      []string // empty for user@example.net
	Params  string   // behind MAIL FROM:<…>, as " SIZE=100"
	Message []byte   // as sent after dot-stuffing; nil for a short one

	// Script is said instead, as the app's side of it. See Script.
	Script string

	// Patience is how long the app waits for each reply before it leaves
	// without a word; 0 for a minute.
	Patience time.Duration
}

// Verdict is how far an [App] got, and the reply that decided it: the refusal
// that ended the session, or the last acceptance.
type Verdict struct {
	Phase    session.Phase
	Reply    wire.Reply
	Accepted []string // recipients
	Refused  []string
}

// Delivered reports whether the message was accepted for somebody.
func (v Verdict) Delivered() bool {
	return v.Phase == session.PhaseDot && v.Reply.Code/100 == 2
}

// errRefused ends a session in order: the verdict holds the reply.
var errRefused = errors.New("refused")

// Send runs one session. The error tells of a conversation that broke; a
// refusal is no error but a verdict.
func (a App) Send(ctx context.Context) (Verdict, error) {
	a.complete()
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", a.Addr)
	if err != nil {
		return Verdict{}, err
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	if a.Script != "" {
		return Verdict{}, a.play(ctx, c)
	}
	s := &sender{app: a}
	s.use(c)
	err = s.run(ctx)
	if errors.Is(err, errRefused) {
		err = nil
	}
	if err != nil {
		err = fmt.Errorf("app in phase %s: %w", s.verdict.Phase, err)
	}
	return s.verdict, err
}

func (a *App) complete() {
	if a.Helo == "" {
		a.Helo = "app.localhost"
	}
	if a.From == "" {
		a.From = "app@example.com"
	}
	if len(a.To) == 0 {
		a.To = []string{"user@example.net"}
	}
	if a.Message == nil {
		a.Message = a.letter()
	}
	if a.Patience == 0 {
		a.Patience = time.Minute
	}
}

func (a *App) letter() []byte {
	return fmt.Appendf(nil, "From: <%s>\r\nTo: <%s>\r\nSubject: Hello from the app\r\n"+
		"Message-ID: <1@app.localhost>\r\nDate: Thu, 1 Jan 2026 00:00:00 +0000\r\n\r\nHello.\r\n", a.From, a.To[0])
}

// play follows the script on c.
func (a *App) play(ctx context.Context, c net.Conn) error {
	script, err := ParseScript(a.Script)
	if err != nil {
		return err
	}
	p := newPlayer(c, &recording{})
	p.app, p.patience, p.shake = true, a.Patience, a.shake
	if a.TLS == AppImplicit {
		if err := p.secure(ctx); err != nil {
			return err
		}
	}
	return p.play(ctx, script[0])
}

func (a *App) shake(ctx context.Context, c net.Conn) (net.Conn, error) {
	cfg := a.Config
	if cfg == nil {
		cfg = &tls.Config{}
	}
	if cfg.ServerName == "" {
		cfg = cfg.Clone()
		cfg.ServerName = "localhost"
	}
	secure := tls.Client(a.Breach.on(c), cfg)
	return secure, secure.HandshakeContext(ctx)
}

// Trust returns the configuration of an app that trusts the given PEM and no
// other root, and calls its peer localhost.
func Trust(roots []byte) *tls.Config {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(roots)
	return &tls.Config{RootCAs: pool, ServerName: "localhost"}
}
