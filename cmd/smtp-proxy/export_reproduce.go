package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"smtp-proxy/inspect/store"
	"smtp-proxy/proxy/session"
)

// tlsWay is how a session's upstream leg came under TLS.
type tlsWay string

const (
	tlsNone     tlsWay = "none"
	tlsSTARTTLS tlsWay = "starttls"
	tlsImplicit tlsWay = "implicit"
)

// reproduction is what a program does to see what a session saw: the upstream
// leg's dialogue from the connection to the step at which it failed, with
// what is known of the way there. Each format writes it in its own words.
type reproduction struct {
	session    string // its id
	host, port string // the smarthost as configured
	addr       string // ip:port that answered, empty when none did
	tls        tlsWay
	verifies   bool   // a certificate that is not trusted ends it
	sni        string // the name that the certificate is for
	auth       *session.Auth
	offered    []string // mechanisms
	deliver    bool     // --deliver
	steps      []step
	messages   map[int]text  // those that are sent, from 0
	patience   time.Duration // for each reply
	left       int           // earlier messages of the session that are not sent
}

// goal is the step that all is for, and the last.
func (r *reproduction) goal() *step { return &r.steps[len(r.steps)-1] }

// target is host:port.
func (r *reproduction) target() string { return net.JoinHostPort(r.host, r.port) }

// sends reports whether the content of a message goes out.
func (r *reproduction) sends() bool {
	for i := range r.steps {
		if r.steps[i].content {
			return true
		}
	}
	return false
}

// text is where the message comes from.
type text struct {
	file    string // empty when the message is not kept
	command string // writes the file, whose name it wants for a last word
	stand   string // in its place, dots not doubled
}

// name is the file that a shell script reads the message from.
func (t text) name() string { return cmp.Or(t.file, "message.eml") }

// reproduce reads the session. Nothing in it is quoted yet: each language has
// rules of its own.
func (x *export) reproduce(ctx context.Context) (*reproduction, error) {
	s := x.session
	host, port, err := net.SplitHostPort(cmp.Or(s.Upstream.Name, s.Upstream.Addr))
	if err != nil {
		return nil, fmt.Errorf("session %s never had a smarthost to go to: there is nothing to reproduce, see smtp-proxy show %s", s.ID, s.ID)
	}
	all := stepsOf(s.Events)
	chosen, left, err := x.choose(all)
	if err != nil {
		return nil, err
	}
	if err := x.lines(chosen); err != nil {
		return nil, err
	}
	r := &reproduction{
		session: s.ID, host: host, port: port, addr: s.Upstream.Addr, deliver: x.deliver, steps: chosen, left: left,
		tls: wayOf(chosen), patience: patienceFor(chosen), sni: host, offered: offeredIn(s.Events),
	}
	r.judge()
	if s.Passthrough && r.goal().phase == session.PhaseTLS && r.goal().fault == "" {
		return nil, fmt.Errorf("session %s went under TLS between the app and the smarthost (--tls passthrough), so what they said is not known: nothing behind the handshake can be reproduced; let smtp-proxy end TLS (--tls terminate), or see the way there with smtp-proxy check %s", s.ID, r.target())
	}
	if t := r.goal().tls; t != nil && t.Verify == session.VerifyRevoked && r.goal().fault != "" {
		return nil, fmt.Errorf("session %s ended as the certificate was revoked, which none of the tools and libraries asks about of its own accord: see it with smtp-proxy check %s", s.ID, r.target())
	}
	return r, x.texts(ctx, r)
}

// lines refuses a command that holds another one. What ends in a bare newline
// is one command to this program, and may be two to the smarthost, of which the
// second delivers.
func (x *export) lines(steps []step) error {
	for i := range steps {
		switch text := steps[i].command; {
		case strings.Contains(text, "\r\n"):
			return fmt.Errorf("session %s has two lines in its command %s: no app can have sent that as one", x.session.ID, visible(fmt.Sprintf("%.60q", text)))
		case strings.ContainsAny(text, "\r\n") && !x.deliver:
			return fmt.Errorf("session %s has a bare newline in its command %s, behind which a lax smarthost reads a second one: export with --deliver if that may deliver mail", x.session.ID, visible(fmt.Sprintf("%.60q", text)))
		}
	}
	return nil
}

// texts finds the messages that are sent.
func (x *export) texts(ctx context.Context, r *reproduction) error {
	r.messages = map[int]text{}
	for i := range r.steps {
		if n := r.steps[i].message; r.steps[i].content {
			t, err := x.text(ctx, n+1)
			if err != nil {
				return err
			}
			r.messages[n] = t
		}
	}
	for n, t := range r.messages {
		if len(r.messages) > 1 && t.file != "" {
			t.file = fmt.Sprintf("message-%d.eml", n+1)
		}
		r.messages[n] = t
	}
	return nil
}

// judge takes what the handshake and the AUTH exchange showed.
func (r *reproduction) judge() {
	for i := range r.steps {
		s := &r.steps[i]
		if s.auth != nil {
			r.auth = s.auth
		}
		if s.phase != session.PhaseTLS || s.tls == nil {
			continue
		}
		r.sni = cmp.Or(s.tls.ServerName, r.host)
		r.verifies = s.fault != "" || s.tls.Verified
	}
}

// wayOf tells how TLS came about: before the greeting, or behind a command.
func wayOf(steps []step) tlsWay {
	for i := range steps {
		switch {
		case steps[i].verb == "STARTTLS":
			return tlsSTARTTLS
		case steps[i].phase == session.PhaseTLS:
			return tlsImplicit
		}
	}
	return tlsNone
}

// patienceFor is how long a program waits for a reply: twice as long as the
// slowest one took then.
func patienceFor(steps []step) time.Duration {
	most := 30 * time.Second
	for i := range steps {
		if steps[i].fault != faultTimeout {
			most = max(most, (2 * steps[i].wait).Round(time.Second))
		}
	}
	return most
}

// text says where the octets of message n (from 1) come from.
func (x *export) text(ctx context.Context, n int) (text, error) {
	stand := standIn(x.session.Messages, n)
	body, err := x.body(ctx, n-1)
	if errors.Is(err, store.ErrNoBody) || err == nil && contentsOf(x.session)[n-1].incomplete(x.captured(n-1)) {
		err = nil
		if body != nil {
			err = body.Close()
		}
		return text{stand: stand}, err
	}
	if err != nil {
		return text{}, err
	}
	name := x.session.ID
	if _, err := os.Stat(x.argument); err == nil {
		name = x.argument
	}
	command := fmt.Sprintf("smtp-proxy export %s --format eml --message %d -o", shellWord(name), n)
	return text{file: "message.eml", command: command, stand: stand}, body.Close()
}

// writeReproduction writes what build makes of the session.
func (x *export) writeReproduction(build func(*reproduction) (string, error)) func(context.Context, io.Writer) error {
	return func(ctx context.Context, w io.Writer) error {
		r, err := x.reproduce(ctx)
		if err != nil {
			return err
		}
		program, err := build(r)
		if err != nil {
			return err
		}
		_, err = io.WriteString(w, program)
		return err
	}
}

// says reports whether a command is part of it.
func (r *reproduction) says(verb string) bool {
	return slices.ContainsFunc(r.steps, func(s step) bool { return s.verb == verb })
}

// secured reports whether a handshake is part of it.
func (r *reproduction) secured() bool {
	return slices.ContainsFunc(r.steps, func(s step) bool { return s.tls != nil })
}

// files names the files of the messages that are sent, in order.
func (r *reproduction) files() []string {
	var names []string
	for _, n := range r.numbers() {
		names = append(names, r.messages[n].name())
	}
	return names
}
