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

const namePort = "port"

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

// Port says what a smarthost's port speaks, whatever the target's mode: it
// waits for a greeting, and offers TLS when none comes. The result is fail
// when the mode expects something else, with the cause that this leads to.
func (p *Prober) Port(ctx context.Context, t upstream.Target) session.Entry {
	leave, err := p.gate.enter(ctx, t)
	if err != nil {
		return p.answer(t, skipped(namePort, err))
	}
	defer leave()
	limited, cancel := context.WithTimeout(ctx, p.options.Timeout)
	defer cancel()
	l, err := p.open(limited, t)
	if err != nil {
		return p.answer(t, skipped(namePort, err))
	}
	speaks, first := l.speaks(min(patience, p.options.Timeout/2))
	if err := ctx.Err(); err != nil {
		return p.answer(t, skipped(namePort, err))
	}
	e := session.Entry{
		Text:  fmt.Sprintf("%s speaks %s%s", t.Name, speaks, first),
		Probe: &session.Probe{Name: namePort, Result: resultOK, Cause: portCause(t, speaks)},
	}
	if e.Probe.Cause != "" {
		e.Probe.Result = resultFail
	}
	return p.answer(t, e)
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
// ends the connection. first is its first line where that tells more.
func (l *line) speaks(wait time.Duration) (speaks protocol, first string) {
	deadline := time.Now().Add(wait)
	_ = l.conn.SetDeadline(deadline)
	greeting, err := l.reply()
	switch {
	case err == nil && greeting.Code/100 != 1:
		_ = l.conn.SetDeadline(time.Now().Add(wait))
		l.quit()
		return speaksSMTP, ""
	case upstream.Classify("read", err).Class == session.FaultTimeout && l.r.Buffered() == 0 && len(l.heard) == 0:
		defer l.close()
		_ = l.conn.SetDeadline(time.Now().Add(wait))
		return l.speaksTLS(), ""
	case errors.Is(err, io.EOF) && len(l.heard) == 0:
		l.close()
		return speaksGoodbye, ""
	}
	l.close()
	return speaksOther, fmt.Sprintf(" (%q)", printable(string(l.heard[:min(len(l.heard), 64)])))
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
