package probe

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"blitiri.com.ar/go/spf"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

const (
	nameSPF  = "spf"
	causeSPF = "sender.spf-failed"
)

// The bounds of asking for what a sender's domain publishes.
const (
	senderTime    = 6 * time.Second
	maxOwnSenders = 4 // addresses of the smarthost
)

// SpfStep asks what the sender's domain says of those that send for it. No
// receiver but the smarthost's own provider sees this machine, so what counts
// is whether the smarthost may send; where mail goes from here to its mail
// exchanger, this machine's address does.
func (steps) SpfStep() step {
	return step{
		name: nameSPF, rank: 70, after: []string{nameDNS, nameMX, nameEgress},
		about: "whether the SPF record of the sender's domain lets the smarthost send (--from)",
		run:   func(ctx context.Context, x *examination) { x.spf(ctx) },
	}
}

func (x *examination) spf(ctx context.Context) {
	c := x.prober.options.Connector
	domain, err := senderOf(x.want.Script.From)
	switch {
	case err != nil:
		x.say(nameSPF, Line{Status: StatusSkip, Text: err.Error()})
		return
	case len(c.Resolvers()) == 0:
		x.say(nameSPF, Line{Status: StatusSkip, Text: withoutNames})
		return
	}
	data, err := loadSenders(sendersFile)
	if err != nil {
		x.say(nameSPF, Line{Status: StatusSkip, Text: err.Error()})
		return
	}
	limited, cancel := context.WithTimeout(ctx, min(senderTime, x.prober.options.Timeout))
	defer cancel()
	began := time.Now()
	s := spfStudy{
		asker: newSPFAsker(c, x.want.Script.From, domain, x.want.Script.Name), known: &x.known,
		direct: x.delivers(), host: x.target.Host, provider: data.of(x.target.Host, x.known.alias),
	}
	s.study(limited)
	if ctx.Err() != nil {
		return
	}
	s.lines[0].Took = time.Since(began)
	for _, l := range s.lines {
		x.say(nameSPF, l)
	}
	x.answer(x.prober.answer(upstream.Target{Name: domain}, s.entry(time.Since(began))))
}

// spfStudy is what a check finds out about the SPF of the sender's domain.
type spfStudy struct {
	asker    *spfAsker
	known    *known
	direct   bool // this machine delivers, see delivers
	host     string
	provider *deliverer // the smarthost's; nil when it is not known

	lines []Line
	found []session.Found
}

// delivers reports that this machine hands mail to a mail exchanger itself. Many
// of those are smarthosts as well, for whom signs in or comes by another port.
func (x *examination) delivers() bool {
	return len(x.known.mailFor) > 0 && x.target.Port == 25 && x.want.Script.User == ""
}

// study looks at the record first, and then at those that send.
func (s *spfStudy) study(ctx context.Context) {
	if !s.record(ctx) {
		return
	}
	switch {
	case s.direct:
	case s.provider != nil:
		s.byProvider(ctx)
	default:
		s.byHost(ctx)
	}
	s.byThisMachine(ctx)
}

// verdict asks about one address, and keeps what comes of it.
func (s *spfStudy) verdict(ctx context.Context, addr netip.Addr) spfVerdict {
	v := s.asker.verdict(ctx, addr)
	s.found = append(s.found, v.found())
	return v
}

func (v spfVerdict) found() session.Found {
	return session.Found{What: v.addr.String(), Result: string(v.result), Text: printable(v.why())}
}

// passes reports that receivers have nothing to object to.
func (v spfVerdict) passes() bool { return v.result == spf.Pass }

func (s *spfStudy) say(status Status, text string) {
	s.lines = append(s.lines, Line{Status: status, Text: text})
}

// entry is the answer for the diagnosis.
func (s *spfStudy) entry(took time.Duration) session.Entry {
	e := session.Entry{Phase: session.PhaseMail, Text: s.lines[0].Text, Fault: s.asker.zone.fault, Probe: &session.Probe{
		Name: nameSPF, Result: resultOK, Duration: took, Found: s.found,
	}}
	statuses := func(want Status) bool {
		return slices.ContainsFunc(s.lines, func(l Line) bool { return l.Status == want })
	}
	switch {
	case statuses(StatusWarn):
		i := slices.IndexFunc(s.lines, func(l Line) bool { return l.Status == StatusWarn })
		e.Text, e.Probe.Result, e.Probe.Cause = s.lines[i].Text, resultFail, causeSPF
	case !statuses(StatusOK):
		e.Probe.Result = resultSkip
	}
	return e
}
