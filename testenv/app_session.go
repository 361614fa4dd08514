package testenv

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/emersion/go-sasl"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
)

// sender is one session of an [App].
type sender struct {
	app     App
	conn    net.Conn
	r       *bufio.Reader
	verdict Verdict
}

func (s *sender) use(c net.Conn) { s.conn, s.r = c, bufio.NewReader(c) }

// run goes through the session; the first refusal ends it with QUIT.
func (s *sender) run(ctx context.Context) error {
	for _, step := range []func(context.Context) error{s.open, s.signIn, s.envelope, s.body} {
		if err := step(ctx); err != nil {
			if errors.Is(err, errRefused) && s.verdict.Reply.Code != 421 {
				_ = s.quit()
			}
			return err
		}
	}
	return s.quit()
}

// command sends a line and expects a reply of that class.
func (s *sender) command(phase session.Phase, class int, line string) error {
	s.verdict.Phase, s.verdict.Reply = phase, wire.Reply{}
	_ = s.conn.SetWriteDeadline(time.Now().Add(s.app.Patience))
	if _, err := io.WriteString(s.conn, line+"\r\n"); err != nil {
		return err
	}
	return s.expect(phase, class)
}

// expect waits for a reply of that class. Another class is a refusal.
func (s *sender) expect(phase session.Phase, class int) error {
	r, err := s.reply()
	s.verdict.Phase, s.verdict.Reply = phase, r
	if err == nil && r.Code/100 != class {
		return errRefused
	}
	return err
}

func (s *sender) reply() (wire.Reply, error) {
	_ = s.conn.SetReadDeadline(time.Now().Add(s.app.Patience))
	var text strings.Builder
	for {
		b, err := s.r.ReadString('\n')
		if err != nil {
			return wire.Reply{}, fmt.Errorf("waiting for a reply: %w", err)
		}
		text.WriteString(b)
		_, more, _, ok := wire.ReplyLine([]byte(b))
		if !ok || text.Len() > maxLine {
			return wire.Reply{}, fmt.Errorf("no SMTP reply: %q", b)
		}
		if !more {
			r, _ := wire.ParseReply(text.String())
			return r, nil
		}
	}
}

// quit leaves in order and keeps the verdict as it is.
func (s *sender) quit() error {
	verdict := s.verdict
	err := s.command(session.PhaseQuit, 2, "QUIT")
	s.verdict = verdict
	return err
}

// open comes to an EHLO under the protection that is wanted.
func (s *sender) open(ctx context.Context) error {
	s.verdict.Phase = session.PhaseTLS
	if s.app.TLS == AppImplicit {
		if err := s.secure(ctx); err != nil {
			return err
		}
	}
	if err := s.expect(session.PhaseGreeting, 2); err != nil {
		return err
	}
	hello := "EHLO " + s.app.Helo
	if err := s.command(session.PhaseHelo, 2, hello); err != nil || s.app.TLS != AppSTARTTLS {
		return err
	}
	if err := s.command(session.PhaseTLS, 2, "STARTTLS"); err != nil {
		return err
	}
	if err := s.secure(ctx); err != nil {
		return err
	}
	return s.command(session.PhaseHelo, 2, hello)
}

func (s *sender) secure(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, s.app.Patience)
	defer cancel()
	c, err := s.app.shake(limited, s.conn)
	if err != nil {
		return err
	}
	s.use(c)
	return nil
}

func (s *sender) signIn(context.Context) error {
	if s.app.User == "" {
		return nil
	}
	client, err := s.app.sasl()
	if err != nil {
		return err
	}
	mech, response, err := client.Start()
	if err != nil {
		return err
	}
	line := "AUTH " + mech
	if response != nil {
		line += " " + base64.StdEncoding.EncodeToString(response)
	}
	for {
		if err := s.command(session.PhaseAuth, 3, line); err != nil {
			if s.verdict.Reply.Code == 235 {
				return nil
			}
			return err
		}
		challenge, _ := base64.StdEncoding.DecodeString(strings.Join(s.verdict.Reply.Lines, ""))
		if response, err = client.Next(challenge); err != nil {
			return err
		}
		line = base64.StdEncoding.EncodeToString(response)
	}
}

func (a *App) sasl() (sasl.Client, error) {
	switch a.Mechanism {
	case "", sasl.Plain:
		return sasl.NewPlainClient("", a.User, a.Password), nil
	case sasl.Login:
		return sasl.NewLoginClient(a.User, a.Password), nil
	case sasl.OAuthBearer:
		return sasl.NewOAuthBearerClient(&sasl.OAuthBearerOptions{Username: a.User, Token: a.Password}), nil
	case "XOAUTH2":
		return &xoauth2{a.User, a.Password}, nil
	case "CRAM-MD5":
		return &cramMD5{a.User, a.Password}, nil
	}
	return nil, fmt.Errorf("an app knows no mechanism %q", a.Mechanism)
}

// envelope gives sender and recipients. Like most programs it goes on while
// one recipient is left.
func (s *sender) envelope(context.Context) error {
	if err := s.command(session.PhaseMail, 2, "MAIL FROM:<"+s.app.From+">"+s.app.Params); err != nil {
		return err
	}
	var refusal Verdict
	for _, to := range s.app.To {
		err := s.command(session.PhaseRcpt, 2, "RCPT TO:<"+to+">")
		switch {
		case err == nil:
			s.verdict.Accepted = append(s.verdict.Accepted, to)
		case errors.Is(err, errRefused) && s.verdict.Reply.Code != 421:
			s.verdict.Refused = append(s.verdict.Refused, to)
			refusal = s.verdict
		default:
			return err
		}
	}
	if len(s.verdict.Accepted) == 0 {
		s.verdict.Reply = refusal.Reply
		return errRefused
	}
	return nil
}

func (s *sender) body(context.Context) error {
	if err := s.command(session.PhaseData, 3, "DATA"); err != nil {
		return err
	}
	_ = s.conn.SetWriteDeadline(time.Now().Add(s.app.Patience))
	if _, err := s.conn.Write(stuffed(s.app.Message)); err != nil {
		return err
	}
	return s.command(session.PhaseDot, 2, ".")
}

// stuffed doubles the dots that begin a line (RFC 5321, section 4.5.2), and
// ends the last line.
func stuffed(message []byte) []byte {
	out := bytes.ReplaceAll(message, []byte("\r\n."), []byte("\r\n.."))
	if bytes.HasPrefix(out, []byte(".")) {
		out = append([]byte("."), out...)
	}
	if !bytes.HasSuffix(out, []byte("\r\n")) {
		out = append(out, "\r\n"...)
	}
	return out
}
