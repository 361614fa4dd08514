package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
	"smtp-proxy/upstream"
)

const nameSpeaks = "speaks"

// patience is how long a port may be silent before TLS is tried on it: a mail
// server greets at once, or after a few seconds if it suspects spam.
const patience = 5 * time.Second

// protocol is what a port speaks first.
type protocol string

const (
	speaksSMTP    protocol = "SMTP in clear"
	speaksTLS     protocol = "TLS from the first octet"
	speaksOther   protocol = "something else than SMTP"
	speaksNothing protocol = "neither SMTP nor TLS, nor anything else"
	speaksGoodbye protocol = "nothing, and closes the connection"
)

// Speaks says what a smarthost's port speaks, whatever the target's mode: it
// waits for a greeting, and offers TLS when none comes. The result is fail
// when the mode expects something else, with the cause that this leads to.
func (p *Prober) Speaks(ctx context.Context, t upstream.Target) session.Entry {
	leave, err := p.gate.enter(ctx, t)
	if err != nil {
		return p.answer(t, skipped(nameSpeaks, err))
	}
	defer leave()
	question := nameSpeaks + " " + t.Name + " " + string(t.Mode)
	if e, ok := p.answers.recall(question, p.options); ok {
		return p.answer(t, e)
	}
	e, err := p.listen(ctx, t)
	if err != nil {
		return p.answer(t, skipped(nameSpeaks, err))
	}
	return p.answer(t, p.answers.keep(question, e, p.options))
}

// listen connects and hears what comes.
func (p *Prober) listen(ctx context.Context, t upstream.Target) (session.Entry, error) {
	began := time.Now()
	limited, cancel := context.WithTimeout(ctx, p.options.Timeout)
	defer cancel()
	l, err := p.open(limited, t)
	if err != nil {
		return session.Entry{}, err
	}
	speaks, first := l.speaks(limited, min(patience, p.options.Timeout/2))
	if err := ctx.Err(); err != nil {
		return session.Entry{}, err
	}
	e := session.Entry{
		Text:  fmt.Sprintf("%s speaks %s%s", t.Name, speaks, first),
		Phase: session.PhaseGreeting,
		Fault: speaks.fault(),
		Probe: &session.Probe{Name: nameSpeaks, Result: resultOK, Cause: portCause(t, speaks), Duration: time.Since(began)},
	}
	if e.Probe.Cause != "" {
		e.Probe.Result = resultFail
	}
	return e, nil
}

// fault is what broke where nothing was said. That may be over in a minute,
// while what a port speaks stays as it is.
func (s protocol) fault() *session.Fault {
	switch s {
	case speaksNothing:
		return &session.Fault{Op: "read", Class: session.FaultTimeout, Text: "no octet came"}
	case speaksGoodbye:
		return &session.Fault{Op: "read", Class: session.FaultClosed, Text: "closed without a word"}
	}
	return nil
}

// portCause is what becomes of sessions to a port that speaks otherwise than
// the target says.
func portCause(t upstream.Target, speaks protocol) string {
	switch {
	case speaks == speaksOther:
		return "connect.not-smtp"
	case speaks == speaksNothing:
		return "connect.no-greeting"
	case speaks == speaksGoodbye:
		return "connect.closed"
	case speaks == speaksTLS && !t.Implicit():
		return "tls.implicit-expected"
	case speaks == speaksSMTP && t.Implicit():
		return "tls.plaintext-expected"
	}
	return ""
}

// speaks finds out what the other end says first, or in answer to a hello, and
// ends the connection. first is its first line where that tells more. It says
// nothing of use once ctx has ended.
func (l *line) speaks(ctx context.Context, wait time.Duration) (speaks protocol, first string) {
	l.allow(ctx, wait)
	greeting, err := l.reply()
	switch {
	case err == nil && greeting.Code/100 != 1:
		l.allow(ctx, wait)
		l.quit()
		return speaksSMTP, ""
	case upstream.Classify("read", err).Class == session.FaultTimeout && l.r.Buffered() == 0 && len(l.heard) == 0:
		defer l.close()
		l.allow(ctx, wait)
		return l.speaksTLS(), ""
	case errors.Is(err, io.EOF) && len(l.heard) == 0:
		l.close()
		return speaksGoodbye, ""
	}
	l.close()
	return speaksOther, fmt.Sprintf(" (%q)", printable(string(l.heard[:min(len(l.heard), 64)])))
}

// allow bounds what comes next by a time and by ctx.
func (l *line) allow(ctx context.Context, wait time.Duration) {
	_ = l.conn.SetDeadline(time.Now().Add(wait))
	if ctx.Err() != nil { // its end may have set a deadline before this one
		_ = l.conn.SetDeadline(time.Unix(1, 0))
	}
}

// speaksTLS makes the widest offer and looks at the first record.
func (l *line) speaksTLS() protocol {
	e, err := newExchange(widest(""))
	if err != nil {
		return speaksNothing
	}
	_ = e.run(l)
	if seen := e.observer.Seen(); seen.Server != nil || seen.Alert[wire.TLSUpstream] != nil {
		return speaksTLS
	}
	return speaksNothing
}
