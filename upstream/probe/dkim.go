package probe

import (
	"context"
	"slices"
	"sync"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

const (
	nameDKIM  = "dkim"
	causeDKIM = "sender.dkim-failed"
)

// selectorsAtOnce bounds how many questions about selectors are on their way.
const selectorsAtOnce = 12

// noSelector is one that nobody has: what the DNS says of it, it says of all
// names.
const noSelector = "smtp-proxy-asks-for-no-key"

// DkimStep looks for the keys with which mail of the sender's domain is signed.
// The DNS lists no selectors, so the usual ones are tried.
func (steps) DkimStep() step {
	return step{
		name: nameDKIM, rank: 71, after: []string{nameDNS},
		about: "the DKIM keys of the sender's domain under the usual selectors (--from)",
		run:   func(ctx context.Context, x *examination) { x.dkim(ctx) },
	}
}

func (x *examination) dkim(ctx context.Context) {
	c := x.prober.options.Connector
	domain, err := senderOf(x.want.Script.From)
	switch {
	case err != nil:
		x.say(nameDKIM, Line{Status: StatusSkip, Text: err.Error()})
		return
	case len(c.Resolvers()) == 0:
		x.say(nameDKIM, Line{Status: StatusSkip, Text: withoutNames})
		return
	}
	data, err := loadSenders(sendersFile)
	if err != nil {
		x.say(nameDKIM, Line{Status: StatusSkip, Text: err.Error()})
		return
	}
	limited, cancel := context.WithTimeout(ctx, min(senderTime, x.prober.options.Timeout))
	defer cancel()
	began := time.Now()
	s := dkimSearch{domain: domain, provider: data.of(x.target.Host, x.known.alias)}
	s.ask(limited, c, data.everySelector(s.provider))
	if ctx.Err() != nil {
		return
	}
	lines := s.lines()
	lines[0].Took = time.Since(began)
	for _, l := range lines {
		x.say(nameDKIM, l)
	}
	x.answer(x.prober.answer(upstream.Target{Name: domain}, s.entry(lines, time.Since(began))))
}

// dkimSearch is the search for the keys of a domain.
type dkimSearch struct {
	domain   string
	provider *deliverer // the smarthost's; nil when it is not known

	asked    int
	everyone string // the record that every name has; empty where none has
	found    []dkimRecord
	fault    *session.Fault // the first trouble of the resolver
}

// dkimRecord is what stands under one selector.
type dkimRecord struct {
	selector string
	count    int // records: only one may be
	key      dkimKey
	result   string // see judge
	why      string // where the key is not in order
}

// ask asks for all selectors, a few at a time.
func (s *dkimSearch) ask(ctx context.Context, c *upstream.Connector, selectors []string) {
	names := append([]string{noSelector}, selectors...)
	all := make([]texts, len(names))
	free := make(chan struct{}, selectorsAtOnce)
	var asking sync.WaitGroup
	for i, selector := range names {
		asking.Go(func() {
			free <- struct{}{}
			all[i] = textsOf(ctx, c, selector+"._domainkey."+s.domain)
			<-free
		})
	}
	asking.Wait()
	for i, t := range all {
		s.asked++
		s.read(names[i], t)
	}
}

// read keeps what is a key and is not the same under every name.
func (s *dkimSearch) read(selector string, t texts) {
	if s.fault == nil {
		s.fault = t.fault
	}
	list := slices.DeleteFunc(t.list, func(text string) bool { return !isDKIM(text) })
	switch {
	case len(list) == 0:
	case selector == noSelector:
		s.everyone = list[0]
	case list[0] != s.everyone:
		r := dkimRecord{selector: selector, count: len(list), key: parseDKIM(list[0])}
		r.judge()
		s.found = append(s.found, r)
	}
}

// usable reports that a key was found that receivers take.
func (s *dkimSearch) usable() bool {
	return slices.ContainsFunc(s.found, func(r dkimRecord) bool { return r.result == dkimOK || r.result == dkimWeak })
}

// entry is the answer for the diagnosis. That none was found says nothing: the
// selector may be another.
func (s *dkimSearch) entry(lines []Line, took time.Duration) session.Entry {
	e := session.Entry{Phase: session.PhaseMail, Text: lines[0].Text, Fault: s.fault, Probe: &session.Probe{
		Name: nameDKIM, Result: resultSkip, Duration: took,
	}}
	for _, r := range s.found {
		e.Probe.Found = append(e.Probe.Found, session.Found{What: r.selector, Result: r.result, Text: r.words()})
	}
	switch {
	case s.usable():
		e.Probe.Result = resultOK
	case len(s.found) > 0 || s.everyone != "":
		e.Probe.Result, e.Probe.Cause = resultFail, causeDKIM
	}
	return e
}
