package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
	"smtp-proxy/upstream"
)

// reach connects and goes as far as the first octet of TLS: at once where the
// port speaks TLS from the beginning, otherwise behind STARTTLS. The error is
// an [*Unreached].
func (p *Prober) reach(ctx context.Context, t upstream.Target) (*line, error) {
	l, err := p.open(ctx, t)
	if err != nil || t.Implicit() {
		return l, err
	}
	if err := l.startTLS(); err != nil {
		if u := (*Unreached)(nil); errors.As(err, &u) && u.Fault == nil {
			l.quit()
		} else {
			l.close() // who is silent or gone needs no goodbye
		}
		return nil, fmt.Errorf("%s: %w", t.Name, err)
	}
	return l, nil
}

// startTLS brings a fresh connection to where the handshake begins.
func (l *line) startTLS() error {
	greeting, err := l.reply()
	if err != nil {
		return unreached("greeting", err)
	}
	if greeting.Code != 220 {
		return refusal("connect.rejected", "greeting", greeting)
	}
	keywords, err := l.ehlo()
	if err != nil {
		return err
	}
	if !offers(keywords, "STARTTLS") {
		return &Unreached{Cause: "tls.not-offered", Err: errors.New("the reply to EHLO does not offer STARTTLS")}
	}
	reply, err := l.say("STARTTLS")
	if err != nil {
		return unreached("STARTTLS", err)
	}
	if reply.Code != 220 {
		return refusal("tls.starttls-refused", "STARTTLS", reply)
	}
	if l.r.Buffered() > 0 {
		return &Unreached{Cause: "tls.handshake-corrupt", Err: errors.New("octets in clear followed the reply to STARTTLS")}
	}
	return nil
}

// ehlo introduces the proxy, by its address when its name is not taken.
func (l *line) ehlo() (wire.Reply, error) {
	reply, err := l.say("EHLO " + l.name)
	if own := literal(l.conn.LocalAddr()); err == nil && reply.Code/100 == 5 && own != l.name {
		reply, err = l.say("EHLO " + own)
	}
	switch {
	case err != nil:
		return wire.Reply{}, unreached("EHLO", err)
	case reply.Code != 250:
		return wire.Reply{}, refusal("", "EHLO", reply)
	}
	return reply, nil
}

func offers(reply wire.Reply, keyword string) bool {
	for _, text := range reply.Lines[1:] {
		if name, _ := wire.Keyword([]byte(text)); name == keyword {
			return true
		}
	}
	return false
}

// unreached is a connection that broke while something was awaited.
func unreached(what string, err error) *Unreached {
	fault := upstream.Classify("read", err)
	words := fault.Text
	switch {
	case fault.Class == session.FaultTimeout:
		words = "no reply in time"
	case errors.Is(err, io.EOF):
		words = "the connection was closed"
	}
	return &Unreached{Fault: fault, Err: fmt.Errorf("%s: %s", what, words)}
}

// refusal is a reply that ends the way to TLS.
func refusal(cause, what string, reply wire.Reply) *Unreached {
	text, _, _ := strings.Cut(reply.Text(), "\n")
	return &Unreached{Cause: cause, Err: fmt.Errorf("%s was answered with %d %s", what, reply.Code, printable(text))}
}

// printable is a smarthost's text as far as it may stand in a sentence.
func printable(text string) string {
	const most = 200
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "")
	}
	return legible(text)
}

// cut shortens a text to a number of octets, and shows it.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

// legible replaces what shows nothing of its own: controls, which may steer a
// terminal, what turns the direction of writing, and octets that are no text.
func legible(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			return '?'
		}
		return r
	}, text)
}
