package main

import (
	"slices"
	"strings"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
)

// The words for what went wrong without a reply, the same in the programs of
// all formats.
const (
	faultTimeout     = "timeout"
	faultClosed      = "closed"
	faultCertificate = "certificate"
	faultTLS         = "tls"
	faultNotSMTP     = "not-smtp"
)

// step is one command that reached the smarthost, or one thing that needed
// none, and what came of it.
type step struct {
	phase   session.Phase
	verb    string // of the command; "." is the end of data; empty for the connection, the greeting and a handshake
	command string // as it was sent; of AUTH its first line, redacted
	message int    // the transaction that it belongs to, from 0; -1 for none
	content bool   // the message is sent in this step

	code   int    // of the reply; 0 for none
	reply  string // its first line
	fault  string // the word for what came instead of a reply
	detail string // that in the record's words
	wait   time.Duration
	tls    *session.TLS
	auth   *session.Auth
}

func (s *step) failed() bool { return s.fault != "" || s.code >= 400 }

// result is what came of it, in the form in which programs print it.
func (s *step) result() string {
	switch {
	case s.fault != "":
		return strings.TrimSpace(s.fault + ": " + s.detail)
	case s.reply != "":
		return s.reply
	}
	return "ok"
}

// stage is the phase as programs print it.
func (s *step) stage() string { return strings.ToUpper(string(s.phase)) }

// stepsOf reads the upstream leg's dialogue from a session's history.
//
// Commands are waiting until a reply of the same verb comes. What the proxy
// answered itself never reached the smarthost and is no step; neither is what
// stood before the command that was answered, as replies come in order.
func stepsOf(events []session.Entry) []step {
	d := &dialogue{message: -1}
	for i := range events {
		d.add(&events[i])
	}
	d.unanswered()
	return d.steps
}

// dialogue collects steps.
type dialogue struct {
	steps   []step
	waiting []step
	message int // of the last MAIL
	open    bool
	greeted bool
	over    bool
}

func (d *dialogue) add(e *session.Entry) {
	switch e.Kind {
	case session.KindCommand, session.KindData, session.KindAuth:
		d.command(e)
	case session.KindReply:
		d.reply(e)
	default:
		if e.Leg == session.Upstream && !d.over {
			d.event(e)
		}
	}
}

// event takes what is no part of the dialogue in commands.
func (d *dialogue) event(e *session.Entry) {
	switch {
	case e.Kind == session.KindOpen:
		d.open = true
		d.steps = nil // of the addresses before
		d.steps = append(d.steps, step{phase: session.PhaseConnect, message: -1})
	case e.Kind == session.KindError && !d.open && e.Fault != nil:
		d.steps = append(d.steps, step{phase: undialled(e.Fault), message: -1, fault: faultWord(e.Fault.Class), detail: sentence(e.Text)})
	case e.Kind == session.KindGreeting:
		d.greeted = true
		d.steps = append(d.steps, step{phase: session.PhaseGreeting, message: -1, code: e.Code, reply: firstLine(e.Text), wait: e.Wait})
	case e.Kind == session.KindTLS:
		d.handshake(e)
	case e.Kind == session.KindClose, e.Kind == session.KindError:
		d.broken(e, faultClosed)
	case e.Odd == session.OddTimeout:
		d.broken(e, faultTimeout)
	case e.Odd == session.OddInvalidReply, e.Odd == session.OddLongLine:
		d.broken(e, faultNotSMTP)
	}
}

// undialled is how far a dial came. One that met a reset had its connection:
// none would have been refused. Whether the reset is seen by the dial or by the
// wait for the greeting is a matter of time.
func undialled(f *session.Fault) session.Phase {
	if f.Class == session.FaultReset {
		return session.PhaseGreeting
	}
	return session.PhaseConnect
}

// unanswered adds what the smarthost still owed when the app left. A message
// is no part of that: sent again it might be delivered.
func (d *dialogue) unanswered() {
	if d.over || len(d.waiting) > 0 && d.waiting[0].content {
		return
	}
	d.broken(&session.Entry{Text: "none came before the session ended"}, faultTimeout)
}

func (d *dialogue) handshake(e *session.Entry) {
	s := step{phase: session.PhaseTLS, message: -1, tls: e.TLS}
	if e.Fault != nil || !e.Secure && !(e.TLS != nil && e.TLS.Passthrough) {
		s.fault, s.detail, d.over = faultTLS, sentence(e.Text), true
		if e.Fault != nil {
			s.fault = tlsWord(e.Fault.Class)
		}
	}
	d.steps = append(d.steps, s)
}

// broken ends the dialogue where something was due.
func (d *dialogue) broken(e *session.Entry, word string) {
	if e.Fault != nil {
		word = faultWord(e.Fault.Class)
	}
	switch {
	case d.open && !d.greeted:
		d.steps = append(d.steps, step{phase: session.PhaseGreeting, message: -1, fault: word, detail: sentence(e.Text)})
	case len(d.waiting) > 0 && d.waiting[0].verb != "QUIT":
		s := d.waiting[0]
		s.fault, s.detail = word, sentence(e.Text)
		d.steps = append(d.steps, s)
	}
	d.over = true
}

// command takes one that may have gone to the smarthost.
func (d *dialogue) command(e *session.Entry) {
	verb := e.Verb
	if e.Kind == session.KindCommand { // a file may call DATA by another name
		verb = wire.ParseCommandText(e.Text).Verb
	}
	if verb == "MAIL" {
		d.message++
	}
	if e.Kind == session.KindData && (e.Verb == "BDAT" || e.Text != "") {
		return // its command waits already, or it has no end
	}
	s := step{phase: e.Phase, verb: verb, command: e.Text, message: d.message, auth: e.Auth}
	s.content = verb == "BDAT" || verb == "."
	switch verb {
	case "EHLO", "HELO", "LHLO", "STARTTLS", "AUTH", "QUIT":
		s.message = -1
	}
	if n := len(d.waiting); e.Kind == session.KindAuth && n > 0 && d.waiting[n-1].verb == "AUTH" {
		d.waiting[n-1].auth = e.Auth // a further line of the same exchange
		return
	}
	d.waiting = append(d.waiting, s)
}

// reply takes one that came, from the smarthost or from the proxy.
func (d *dialogue) reply(e *session.Entry) {
	i := slices.IndexFunc(d.waiting, func(s step) bool { return s.verb == e.Verb })
	if i < 0 || e.Verb == "AUTH" && e.Code == 334 {
		return
	}
	s := d.waiting[i]
	if e.From != session.FromUpstream {
		d.waiting = slices.Delete(d.waiting, i, i+1)
		return
	}
	d.waiting = slices.Delete(d.waiting, 0, i+1)
	s.code, s.reply, s.wait = e.Code, firstLine(e.Text), e.Wait
	d.steps = append(d.steps, s)
}

// faultWord is how programs call what the network did.
func faultWord(c session.FaultClass) string {
	switch c {
	case session.FaultClosed, session.FaultReset, session.FaultAlert, session.FaultHiddenAlert:
		return faultClosed
	}
	return string(c)
}

// tlsWord is how programs call the end of a handshake: each library has words
// of its own for all but the certificate.
func tlsWord(c session.FaultClass) string {
	switch c {
	case session.FaultCertificate:
		return faultCertificate
	case session.FaultTimeout:
		return faultTimeout
	}
	return faultTLS
}

// firstLine is a reply's first line, as it would be were it the only one.
func firstLine(reply string) string {
	line, _, _ := strings.Cut(reply, "\n")
	if len(line) > 3 && line[3] == '-' {
		line = line[:3] + " " + line[4:]
	}
	return visible(line)
}

func sentence(s string) string { return visible(strings.Join(strings.Fields(s), " ")) }

// standIn is a message that has the place of one that was not kept: with the
// headers that the record knows.
func standIn(all []inspect.Message, n int) string {
	var m inspect.Message
	if n > 0 && n <= len(all) {
		m = all[n-1]
	}
	var b strings.Builder
	header := func(name, value string) {
		if value != "" {
			b.WriteString(name + ": " + strings.Join(strings.Fields(value), " ") + "\r\n")
		}
	}
	header("From", m.From)
	header("Subject", m.Subject)
	header("Message-ID", m.MessageID)
	b.WriteString("\r\nThe message itself was not kept.\r\n")
	return b.String()
}
