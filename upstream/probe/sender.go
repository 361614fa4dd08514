package probe

import (
	"context"
	"net/netip"
	"time"

	"blitiri.com.ar/go/spf"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

const (
	nameSender           = "sender"
	causeUnauthenticated = "sender.unauthenticated"
)

// keepSender is how long an answer about a sender is good for: records that
// were found wanting are repaired at once, and mostly live no longer.
const keepSender = 5 * time.Minute

// SenderQuestion asks what the sender's domain says of an address.
func (askables) SenderQuestion() askable {
	return askable{nameSender, func(ctx context.Context, p *Prober, _ upstream.Target, q Question) session.Entry {
		return p.Sender(ctx, q.Domain, q.Addr)
	}}
}

// Sender asks what a sender's domain says of mail from an address, and what
// receivers are to do with mail that it does not vouch for. In Found, "spf" has
// the result as RFC 7208, section 2.6, names it, and "dmarc" the policy, or
// absent, broken or unknown. The result is fail, and the cause set, when SPF
// gives receivers a reason to refuse the mail: the cause is another one where
// there is no record at all. Without an address only the policy is asked for.
func (p *Prober) Sender(ctx context.Context, domain string, addr netip.Addr) session.Entry {
	about := upstream.Target{Name: domain}
	name, err := nameInDNS(domain, domain)
	if err != nil {
		return p.answer(about, skipped(nameSender, err))
	}
	if !public(addr) {
		addr = netip.Addr{}
	}
	question := nameSender + " " + name + " " + addr.String()
	leave, err := p.gate.enter(ctx, upstream.Target{Name: question})
	if err != nil {
		return p.answer(about, skipped(nameSender, err))
	}
	defer leave()
	o := p.options
	o.Keep = min(o.Keep, keepSender)
	if e, ok := p.answers.recall(question, o); ok {
		return p.answer(about, e)
	}
	limited, cancel := context.WithTimeout(ctx, min(senderTime, p.options.Timeout))
	defer cancel()
	e := p.askSender(limited, name, addr)
	if err := ctx.Err(); err != nil {
		return p.answer(about, skipped(nameSender, err))
	}
	return p.answer(about, p.answers.keep(question, e, o))
}

// askSender asks the DNS.
func (p *Prober) askSender(ctx context.Context, domain string, addr netip.Addr) session.Entry {
	began := p.options.Now()
	d := dmarcOf(ctx, p.options.Connector, domain)
	e := session.Entry{Phase: session.PhaseMail, Text: d.words(), Fault: d.fault, Probe: &session.Probe{
		Name: nameSender, Result: resultOK, Found: []session.Found{d.found()},
	}}
	if addr.IsValid() {
		a := newSPFAsker(p.options.Connector, "@"+domain, domain, p.options.Name)
		v := a.verdict(ctx, addr)
		found := v.found()
		found.What = nameSPF
		e.Text = "SPF of " + domain + " for " + addr.String() + " is " + v.words() + "; " + e.Text
		e.Probe.Found = append([]session.Found{found}, e.Probe.Found...)
		if e.Fault == nil {
			e.Fault = a.zone.fault
		}
		e.Probe.Result, e.Probe.Cause = judgeSPF(v.result)
	} else if d.fault != nil {
		e.Probe.Result = resultSkip
	}
	e.Probe.Duration = p.options.Now().Sub(began)
	return e
}

// judgeSPF says what a result of SPF comes to for those who refuse mail by it.
func judgeSPF(r spf.Result) (result, cause string) {
	switch r {
	case spf.Fail, spf.SoftFail, spf.PermError:
		return resultFail, causeSPF
	case spf.None:
		return resultFail, causeUnauthenticated
	case spf.TempError:
		return resultSkip, ""
	}
	return resultOK, ""
}
