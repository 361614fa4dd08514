package probe

import (
	"context"
	"strings"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

const nameDirect = "direct"

// Direct says whether an app would get through TLS with the smarthost if it
// talked to it without the proxy, by what it offered to the proxy, and if not,
// which one of its settings stands in the way. It answers
//
//   - ok: the smarthost takes the offer, and its certificate verifies by this
//     machine's roots;
//   - fail: it does not; Cause and Setting say why;
//   - skip: it could not be asked, or the answer depends on what the app's
//     hello does not tell.
//
// The offer is made again as it was, but for the server name: the app was told
// the proxy's, and would have been told the smarthost's (see ways). Whether the
// app trusts what this machine trusts nobody can see from here; the text says
// so.
func (p *Prober) Direct(ctx context.Context, t upstream.Target, hello *session.Hello) session.Entry {
	if hello == nil {
		return p.answer(t, session.Entry{
			Text:  "not tested: the app spoke to the proxy in clear, so that nothing is known of its TLS",
			Probe: &session.Probe{Name: nameDirect, Result: resultSkip},
		})
	}
	leave, err := p.gate.enter(ctx, t)
	if err != nil {
		return p.answer(t, skipped(nameDirect, err))
	}
	defer leave()
	d := direct{p: p, target: t, hello: hello, grid: p.grids.of(t.Name, p.options.Now())}
	v, err := d.decide(ctx)
	if err != nil {
		return p.answer(t, d.unasked(err))
	}
	e := session.Entry{Text: v.text, TLS: v.facts, Fault: v.fault, Probe: &session.Probe{
		Name: nameDirect, Result: v.result, Cause: v.cause, Setting: string(v.setting), Cached: !d.connected,
	}}
	return p.answer(t, e)
}

// direct is one prediction.
type direct struct {
	p         *Prober
	target    upstream.Target
	hello     *session.Hello
	grid      *grid
	connected bool  // something had to be asked
	cut       error // why not all was asked that should have been
}

// verdict is what a prediction has come to.
type verdict struct {
	result  string
	cause   string
	setting setting
	text    string
	facts   *session.TLS
	fault   *session.Fault
	reading reading // of the app's own offer
}

// way is how the app may go about a direct connection: the server name that it
// sends, and the name or address that it looks for in the certificate.
type way struct{ sni, host string }

// ways lists how the app may connect. Programs send no server name when they
// are given an address, and many mail servers never do; so an app that sent
// none was either given the proxy's address and would send the smarthost's
// name, or it never sends one: both are tried. A smarthost given by address is
// reached without a name, or, by an app whose connection was redirected to the
// proxy, under the name that it sent.
func (d *direct) ways() []way {
	host := d.target.Host
	switch name := nameAlone(host); {
	case name != "" && d.hello.SNI != "":
		return []way{{name, host}}
	case name != "":
		return []way{{"", host}, {name, host}}
	case strings.Contains(d.hello.SNI, "."):
		return []way{{"", host}, {d.hello.SNI, d.hello.SNI}}
	}
	return []way{{"", host}}
}

// decide tries the ways.
func (d *direct) decide(ctx context.Context) (verdict, error) {
	ways := d.ways()
	first, err := d.try(ctx, ways[0])
	switch {
	case err != nil:
		return verdict{}, err
	case len(ways) == 1:
		return d.explain(ctx, ways[0], first), nil
	case ways[1].host == d.target.Host:
		return d.decideName(ctx, ways, first), nil
	}
	if second, err := d.try(ctx, ways[1]); err == nil && first.result != resultOK && second.result == resultOK {
		return second, nil // a redirected app
	}
	return d.explain(ctx, ways[0], first), nil
}

// decideName weighs an offer without a server name, which has been tried,
// against the same one with the smarthost's. Where they end alike it does not
// matter which of them the app would send.
func (d *direct) decideName(ctx context.Context, ways []way, without verdict) verdict {
	if without.result == resultOK && d.goodByName(ctx, ways[1]) {
		return without
	}
	with, err := d.try(ctx, ways[1])
	switch {
	case err != nil:
		return d.explain(ctx, ways[0], without)
	case with.result == without.result:
		return d.explain(ctx, ways[1], with)
	}
	return d.unknown(with, without)
}

// goodByName reports whether a handshake of the proxy's own finds nothing
// wrong under the smarthost's name. It is the same for all apps.
func (d *direct) goodByName(ctx context.Context, w way) bool {
	s, cached, err := d.p.show(ctx, d.target, identity(w))
	d.connected = d.connected || err == nil && !cached
	return err == nil && s.fault == nil && s.tls.Verified
}

// unknown is the answer that hangs on the server name.
func (d *direct) unknown(with, without verdict) verdict {
	v, takes := without, "only with its name in the server name (SNI)"
	if without.result == resultOK {
		v, takes = with, "only without its name in the server name (SNI)"
	}
	v.result, v.cause, v.setting = resultSkip, "tls.sni-required", settingName
	v.text = "not known: " + d.target.Host + " takes what the app offers " + takes + ", and the app sent the proxy none. " +
		"It sends none now if it was given an address instead of a name, and would send it then; some programs never do"
	return v
}

// try makes the app's own offer, and looks at the certificate if it is taken.
func (d *direct) try(ctx context.Context, w way) (verdict, error) {
	o, err := offerOf(d.hello, w.sni)
	if err != nil {
		return verdict{}, err
	}
	r, err := d.ask(ctx, o)
	if err != nil {
		return verdict{}, err
	}
	if !r.taken() {
		return verdict{result: resultFail, reading: r, fault: r.fault}, nil
	}
	if s := o.broken(r.server); s != "" {
		v := d.refused(o, s, r)
		v.text = d.brokenWords(ctx, o, s, r)
		return v, nil
	}
	return d.trust(ctx, o, w, r)
}

// ask makes an offer unless the grid knows what comes of it.
func (d *direct) ask(ctx context.Context, o offer) (reading, error) {
	key := o.key()
	if r, ok := d.grid.cell(key, d.p.options); ok {
		return r, nil
	}
	d.connected = true
	r, err := d.p.ask(ctx, d.target, o)
	if err != nil {
		d.cut = err
		return reading{}, err
	}
	d.grid.keepCell(key, r)
	return r, nil
}

// unasked is the entry of a prediction that could not be made. A smarthost
// that does not offer STARTTLS has answered all the same.
func (d *direct) unasked(err error) session.Entry {
	e := skipped(nameDirect, err)
	if e.Probe.Cause == "tls.not-offered" || e.Probe.Cause == "tls.starttls-refused" {
		e.Probe.Result, e.Probe.Setting = resultFail, string(settingSTARTTLS)
		e.Text = "without the proxy the app would get no TLS: " + err.Error()
	}
	return e
}
