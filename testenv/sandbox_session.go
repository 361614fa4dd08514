package testenv

import (
	"crypto/subtle"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// sandboxSession is one conversation with a [Sandbox], as go-smtp sees it.
type sandboxSession struct {
	sandbox *Sandbox
	conn    *smtp.Conn
	user    string
	from    string
	to      []string
	verdict *smtp.SMTPError // of the end of data, when an address asked for one
}

func (s *Sandbox) newSession(c *smtp.Conn) (smtp.Session, error) {
	return &sandboxSession{sandbox: s, conn: c}, nil
}

// Reset forgets the transaction.
func (s *sandboxSession) Reset() { s.from, s.to, s.verdict = "", nil, nil }

// Logout has nothing to free.
func (s *sandboxSession) Logout() error { return nil }

// AuthMechanisms names what is on offer.
func (s *sandboxSession) AuthMechanisms() []string { return []string{sasl.Plain, sasl.Login} }

// Auth begins an exchange.
func (s *sandboxSession) Auth(mech string) (sasl.Server, error) {
	switch mech {
	case sasl.Plain:
		return sasl.NewPlainServer(func(_, user, password string) error {
			return s.signIn(user, password)
		}), nil
	case sasl.Login:
		return &loginServer{signIn: s.signIn}, nil
	}
	return nil, smtp.ErrAuthUnknownMechanism
}

func (s *sandboxSession) signIn(user, password string) error {
	if p, ok := provocation(user, "auth"); ok {
		return refusal(p, user)
	}
	o := s.sandbox.opts
	same := subtle.ConstantTimeCompare([]byte(user), []byte(o.User)) &
		subtle.ConstantTimeCompare([]byte(password), []byte(o.Password))
	if o.User != "" && same == 0 {
		return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "Error: authentication failed: authentication failure"}
	}
	s.user = user
	return nil
}

// Mail begins a transaction.
func (s *sandboxSession) Mail(from string, _ *smtp.MailOptions) error {
	if err := s.mayMail(); err != nil {
		return err
	}
	s.from = from
	return s.provoke(from, "mail")
}

func (s *sandboxSession) mayMail() error {
	_, secure := s.conn.TLSConnectionState()
	if s.sandbox.opts.RequireTLS && !secure {
		return &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "Must issue a STARTTLS command first"}
	}
	if s.sandbox.opts.RequireAuth && s.user == "" {
		return &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "Authentication required"}
	}
	return nil
}

// Rcpt adds a recipient.
func (s *sandboxSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	if s.sandbox.grey.defers(s.from, to) {
		return refusal(provoked{code: 451, enhanced: "4.7.1"}, to)
	}
	if err := s.provoke(to, "rcpt"); err != nil {
		return err
	}
	s.to = append(s.to, to)
	return nil
}

// provoke refuses now when addr asks for a reply in this phase, and remembers
// one for the end of data. What it asks for at an earlier phase has passed.
func (s *sandboxSession) provoke(addr, phase string) error {
	p, ok := provocation(addr, phase)
	switch {
	case !ok:
		return nil
	case p.phase == phase:
		return refusal(p, addr)
	case p.phase == "dot" || p.phase == "data":
		s.verdict = refusal(p, addr)
	}
	return nil
}

// Data takes the message. go-smtp runs it in a goroutine of its own for BDAT,
// which the sandbox's gate counts.
func (s *sandboxSession) Data(r io.Reader) error {
	if !s.sandbox.ends.enter() {
		return &smtp.SMTPError{Code: 421, EnhancedCode: smtp.EnhancedCode{4, 3, 2}, Message: "Service shutting down"}
	}
	defer s.sandbox.ends.leave()
	m := s.message()
	verdict := s.verdict
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if verdict != nil {
		return verdict
	}
	m.Data, m.ID, m.Received = data, s.sandbox.nextID(), time.Now()
	if err := s.sandbox.put(m); err != nil {
		return &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 3, 1}, Message: "Insufficient system storage"}
	}
	return &smtp.SMTPError{Code: 250, EnhancedCode: smtp.EnhancedCode{2, 0, 0}, Message: "Ok: queued as " + m.ID}
}

func (s *sandboxSession) message() Message {
	_, secure := s.conn.TLSConnectionState()
	return Message{Helo: s.conn.Hostname(), User: s.user, Secure: secure, From: s.from, To: s.to}
}

// refusal makes go-smtp say what an address asked for.
func refusal(p provoked, addr string) *smtp.SMTPError {
	return &smtp.SMTPError{Code: p.code, EnhancedCode: enhancedCode(p.enhanced), Message: p.text(addr)}
}

func enhancedCode(s string) smtp.EnhancedCode {
	code := smtp.NoEnhancedCode
	if s == "" {
		return code
	}
	for i, part := range strings.SplitN(s, ".", 3) {
		code[i], _ = strconv.Atoi(part)
	}
	return code
}
