package testenv

import (
	"context"
	"strings"

	"smtp-proxy/proxy/session"
)

func (t *talk) mail(ctx context.Context, arg string) bool {
	from, ok := pathOf(arg, "FROM:")
	switch {
	case !ok:
		return t.plain(ctx, "501 5.5.4 Syntax: MAIL FROM:<address>")
	case t.open:
		return t.plain(ctx, "503 5.5.1 Error: nested MAIL command")
	case t.helo == "":
		return t.plain(ctx, "503 5.5.1 Error: send HELO/EHLO first")
	}
	t.from, t.addr = from, from
	if reply, ok := t.provoked(from, "mail"); ok {
		return t.plain(ctx, reply)
	}
	a, _ := t.host.answer(session.PhaseMail)
	t.open = strings.HasPrefix(a.Reply, "2")
	return a.give(ctx, t.conn, t.fill())
}

func (t *talk) rcpt(ctx context.Context, arg string) bool {
	to, ok := pathOf(arg, "TO:")
	switch {
	case !ok:
		return t.plain(ctx, "501 5.5.4 Syntax: RCPT TO:<address>")
	case !t.open:
		return t.plain(ctx, "503 5.5.1 Error: need MAIL command")
	case len(t.to) >= sandboxMaxRcpts:
		return t.plain(ctx, "452 4.5.3 Error: too many recipients")
	}
	t.addr = to
	if t.host.grey.defers(t.from, to) {
		return t.plain(ctx, provoked{code: 451, enhanced: "4.7.1"}.reply(to))
	}
	if reply, ok := t.provoked(to, "rcpt"); ok {
		return t.plain(ctx, reply)
	}
	a, _ := t.host.answer(session.PhaseRcpt)
	if strings.HasPrefix(a.Reply, "2") {
		t.to = append(t.to, to)
	}
	return a.give(ctx, t.conn, t.fill())
}

// provoked returns the reply that addr asks for now, and remembers one that it
// asks for later.
func (t *talk) provoked(addr, phase string) (string, bool) {
	p, ok := provocation(addr, phase)
	if ok && p.phase != phase {
		if t.refuses == nil {
			t.refuses = make(map[string]string)
		}
		t.refuses[p.phase] = p.reply(addr)
	}
	return p.reply(addr), ok && p.phase == phase
}

// pathOf reads "FROM:<a@b> SIZE=1". Brackets may be missing, as some apps have it.
func pathOf(arg, keyword string) (string, bool) {
	if len(arg) < len(keyword) || !strings.EqualFold(arg[:len(keyword)], keyword) {
		return "", false
	}
	arg = strings.TrimLeft(arg[len(keyword):], " ")
	if inside, ok := strings.CutPrefix(arg, "<"); ok {
		addr, _, ended := strings.Cut(inside, ">")
		return addr, ended
	}
	addr, _, _ := strings.Cut(arg, " ")
	return addr, addr != ""
}
