package probe

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

const (
	nameDMARC  = "dmarc"
	causeDMARC = "sender.dmarc-failed"
)

// maxReportDomains bounds how many of those that get reports are asked whether
// they want them.
const maxReportDomains = 3

// DmarcStep asks what receivers are to do with mail of the sender's domain that
// neither SPF nor DKIM speaks for.
func (steps) DmarcStep() step {
	return step{
		name: nameDMARC, rank: 72,
		about: "the DMARC policy of the sender's domain (--from)",
		run:   func(ctx context.Context, x *examination) { x.dmarc(ctx) },
	}
}

func (x *examination) dmarc(ctx context.Context) {
	c := x.prober.options.Connector
	domain, err := senderOf(x.want.Script.From)
	switch {
	case err != nil:
		x.say(nameDMARC, Line{Status: StatusSkip, Text: err.Error()})
		return
	case len(c.Resolvers()) == 0:
		x.say(nameDMARC, Line{Status: StatusSkip, Text: withoutNames})
		return
	}
	limited, cancel := context.WithTimeout(ctx, min(senderTime, x.prober.options.Timeout))
	defer cancel()
	began := time.Now()
	d := dmarcOf(limited, c, domain)
	d.askReceivers(limited, c)
	if ctx.Err() != nil {
		return
	}
	lines := d.lines()
	lines[0].Took = time.Since(began)
	for _, l := range lines {
		x.say(nameDMARC, l)
	}
	e := d.entry(lines)
	e.Probe.Duration = time.Since(began)
	x.answer(x.prober.answer(upstream.Target{Name: domain}, e))
}

// dmarcFacts is what is known of a domain's DMARC.
type dmarcFacts struct {
	domain string // of the sender
	at     string // the domain that has the record; empty without any
	count  int    // records there: only one may be
	record dmarcRecord
	near   string         // a record that looks like one and is none
	fault  *session.Fault // why it is not known

	unwilling []string // domains that reports go to and that have not said that they want them
}

// dmarcOf looks for the record of a domain, and where there is none for that of
// the organization's domain (RFC 7489, section 6.6.3).
func dmarcOf(ctx context.Context, c *upstream.Connector, domain string) (d dmarcFacts) {
	d.domain = domain
	for _, at := range []string{domain, organization(domain)} {
		if at == "" || d.at != "" {
			continue
		}
		t := textsOf(ctx, c, "_dmarc."+at)
		if t.fault != nil {
			d.fault = t.fault
			return d
		}
		d.read(at, t.list)
	}
	return d
}

// organization is the domain that was registered; empty when it is the domain
// itself, or there is none.
func organization(domain string) string {
	org, err := publicsuffix.EffectiveTLDPlusOne(domain)
	if err != nil || org == domain {
		return ""
	}
	return org
}

func (d *dmarcFacts) read(at string, list []string) {
	for _, text := range list {
		switch {
		case isDMARC(text):
			d.count++
			d.at, d.record = at, parseDMARC(text)
		case strings.Contains(strings.ToLower(text), "dmarc") && d.near == "":
			d.near = text
		}
	}
}

// policy is what holds for the sender's domain; empty when receivers see none.
func (d dmarcFacts) policy() string {
	switch {
	case d.count != 1:
		return ""
	case d.at != d.domain:
		return d.record.below
	}
	return d.record.policy
}

// askReceivers asks the domains that reports go to whether they want them (RFC
// 7489, section 7.1): otherwise none are sent.
func (d *dmarcFacts) askReceivers(ctx context.Context, c *upstream.Connector) {
	var asked []string
	for _, address := range d.record.reports {
		to := domainOf(address)
		if to == "" || d.at == "" || orElse(organization(to), to) == orElse(organization(d.at), d.at) {
			continue
		}
		if slices.Contains(asked, to) || len(asked) == maxReportDomains {
			continue
		}
		asked = append(asked, to)
		t := textsOf(ctx, c, d.at+"._report._dmarc."+to)
		if t.fault == nil && !slices.ContainsFunc(t.list, isDMARC) {
			d.unwilling = append(d.unwilling, to)
		}
	}
}

// entry is the answer for the diagnosis.
func (d dmarcFacts) entry(lines []Line) session.Entry {
	e := session.Entry{Phase: session.PhaseMail, Text: lines[0].Text, Fault: d.fault, Probe: &session.Probe{
		Name: nameDMARC, Result: resultOK, Found: []session.Found{d.found()},
	}}
	switch {
	case d.fault != nil:
		e.Probe.Result = resultSkip
	case d.policy() == "":
		e.Probe.Result, e.Probe.Cause = resultFail, causeDMARC
	}
	return e
}

// found has the policy as its result, or absent, broken or unknown.
func (d dmarcFacts) found() session.Found {
	f := session.Found{What: nameDMARC, Result: d.policy(), Text: d.words()}
	switch {
	case d.fault != nil:
		f.Result = "unknown"
	case d.count == 0:
		f.Result = "absent"
	case f.Result == "":
		f.Result = "broken"
	}
	return f
}

// words are one sentence about the policy.
func (d dmarcFacts) words() string {
	switch {
	case d.fault != nil:
		return fmt.Sprintf("the DMARC record of %s could not be had: %s", d.domain, d.fault.Text)
	case d.count == 0:
		return d.domain + " has no DMARC record"
	case d.count > 1:
		return fmt.Sprintf("%s has %d DMARC records, and receivers take no notice of any then", d.at, d.count)
	case d.policy() == "":
		return fmt.Sprintf("the DMARC record of %s has no policy that receivers understand", d.at)
	}
	from := ""
	if d.at != d.domain {
		from = " by the record of " + d.at
	}
	return fmt.Sprintf("%s asks receivers %s%s (p=%s)", d.domain, map[string]string{
		policyNone:       "for reports alone",
		policyQuarantine: "to file mail that fails as spam",
		policyReject:     "to refuse mail that fails",
	}[d.policy()], from, d.policy())
}
