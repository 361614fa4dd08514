package probe

import (
	"context"
	"errors"
	"net/netip"
	"reflect"
	"strings"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

// Question is what a diagnosis wants to know of a smarthost: the probe to ask,
// and of the rest what that one needs.
type Question struct {
	Probe  string         // as the answer's Probe.Name
	SNI    string         // certificate: the name to ask for; empty is the smarthost's own
	Hello  *session.Hello // direct: what the app offered
	Addr   netip.Addr     // dnsbl, sender: the address that is looked up
	Domain string         // sender: the domain of the sender's address
}

// About returns the question with this machine's address, as a session shows
// it, where none is named.
func (q Question) About(entries []session.Entry) Question {
	if !q.Addr.IsValid() {
		q.Addr, _ = EgressOf(entries)
	}
	return q
}

// askable is a probe that a failed session may ask for. It is a method of
// [askables].
type askable struct {
	probe string
	ask   func(ctx context.Context, p *Prober, t upstream.Target, q Question) session.Entry
}

// askables carries one method for each such probe, its name ending in
// Question, so that no list names them all.
type askables struct{}

func (a askables) all() (list []askable) {
	methods := reflect.ValueOf(a)
	for i := range methods.NumMethod() {
		if !strings.HasSuffix(methods.Type().Method(i).Name, "Question") {
			continue
		}
		if make, ok := methods.Method(i).Interface().(func() askable); ok {
			list = append(list, make())
		}
	}
	return list
}

// Questions returns the names of the probes that may be asked for.
func Questions() (names []string) {
	for _, q := range (askables{}).all() {
		names = append(names, q.probe)
	}
	return names
}

// Ask puts a question to the probe that it names.
func (p *Prober) Ask(ctx context.Context, t upstream.Target, q Question) session.Entry {
	for _, known := range (askables{}).all() {
		if known.probe == q.Probe {
			return known.ask(ctx, p, t, q)
		}
	}
	return p.answer(t, skipped(q.Probe, errors.New("there is no such probe")))
}

// CertificateQuestion asks for the smarthost's certificate.
func (askables) CertificateQuestion() askable {
	return askable{nameCertificate, func(ctx context.Context, p *Prober, t upstream.Target, q Question) session.Entry {
		return p.Certificate(ctx, t, q.SNI)
	}}
}

// DirectQuestion makes the app's own offer.
func (askables) DirectQuestion() askable {
	return askable{nameDirect, func(ctx context.Context, p *Prober, t upstream.Target, q Question) session.Entry {
		return p.Direct(ctx, t, q.Hello)
	}}
}

// SpeaksQuestion hears what the port speaks.
func (askables) SpeaksQuestion() askable {
	return askable{nameSpeaks, func(ctx context.Context, p *Prober, t upstream.Target, _ Question) session.Entry {
		return p.Speaks(ctx, t)
	}}
}

// PortsQuestion tries the other ports of the host.
func (askables) PortsQuestion() askable {
	return askable{namePorts, func(ctx context.Context, p *Prober, t upstream.Target, _ Question) session.Entry {
		return p.Ports(ctx, t)
	}}
}

// ResolversQuestion asks the DNS servers one by one.
func (askables) ResolversQuestion() askable {
	return askable{nameResolvers, func(ctx context.Context, p *Prober, t upstream.Target, _ Question) session.Entry {
		return p.Resolvers(ctx, t)
	}}
}

// DnsblQuestion asks the DNS blocklists.
func (askables) DnsblQuestion() askable {
	return askable{nameBlocklists, func(ctx context.Context, p *Prober, _ upstream.Target, q Question) session.Entry {
		return p.Blocklists(ctx, q.Addr)
	}}
}
