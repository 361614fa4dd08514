package diagnose

import (
	"net"
	"net/url"
	"strings"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/rules"
	"smtp-proxy/proxy/session"
)

// Explain reads pasted text: a reply, an excerpt of a bounce or a log, the
// words of a client or a TLS library. upstreamHost names the smarthost (host,
// host:port or URL) when the text does not; it may be empty. Text that says of
// no failure, or that nobody knows, has no finding. Secrets in it are masked.
func (e *Engine) Explain(text, upstreamHost string) (findings []inspect.Finding) {
	e.contain("explain", "", func() { findings = e.explain(text, upstreamHost) })
	return findings
}

func (e *Engine) explain(text, upstream string) []inspect.Finding {
	x := readExcerpt(Mask(text))
	host, port := splitUpstream(upstream)
	if host == "" {
		host, port = endpoint(x.whole)
	}
	s, hits := e.bestReading(x, host)
	if len(hits) == 0 && x.code < 400 {
		return nil
	}
	base := symptom{weight: weightReply, code: s.Code, text: s.Text, values: textValues(s.Text)}
	all := []symptom{base}
	if len(hits) == 0 {
		all[0].cause, all[0].certainty = "unclassified.permanent", inspect.Possible
		if x.code/100 == 4 {
			all[0].cause = "unclassified.temporary"
		}
	} else {
		all = ruled(base, hits)
	}
	return e.wordAll(all, x, func(name string) string { return x.known(name, host, port) })
}

// wordAll words the symptoms of a text; its first line is their evidence.
func (e *Engine) wordAll(all []symptom, x excerpt, known func(string) string) (findings []inspect.Finding) {
	for i := range all {
		s := &all[i]
		value := func(name string) string { return or(s.values[name], known(name)) }
		finding, ok := e.word(s, value, e.now())
		if !ok {
			continue
		}
		finding.Evidence = []inspect.Evidence{{Text: beginning(x.reply, mostProof)}}
		if x.speaker != "" {
			finding.RuledOut = append(finding.RuledOut, "these are the words of "+x.speaker+", which your smarthost passes on")
		}
		findings = append(findings, finding)
	}
	return findings
}

func (e *Engine) now() time.Time {
	if e.options.Now == nil {
		return time.Time{}
	}
	return e.options.Now()
}

// bestReading holds the text against the rules as a reply and as an error, and
// returns the first reading that names a reason with the rules that match it;
// when none does, the more specific one.
func (e *Engine) bestReading(x excerpt, host string) (best rules.Symptom, hits []*rules.Rule) {
	provider := e.set.Provider(rules.Hints{Host: or(x.speaker, host), Reply: x.whole})
	if provider == "" {
		provider = e.set.Provider(rules.Hints{Host: host})
	}
	readings := x.symptoms()
	best = readings[0]
	points := 0
	for _, s := range readings {
		s.Provider = provider
		found := e.set.Match(s)
		if len(found) == 0 {
			continue
		}
		if !found[0].When.Vague {
			return s, found
		}
		if p := e.set.Points(found[0], s); hits == nil || p > points {
			best, hits, points = s, found, p
		}
	}
	return best, hits
}

// splitUpstream takes host and port from host, host:port or a URL.
func splitUpstream(s string) (host, port string) {
	if u, err := url.Parse(s); err == nil && u.Host != "" {
		s = u.Host
	}
	if host, port, err := net.SplitHostPort(s); err == nil {
		return host, port
	}
	return s, ""
}

// known fills the placeholders that a text can.
func (x *excerpt) known(name, host, port string) string {
	switch name {
	case "host":
		return or(host, x.speaker)
	case "upstream":
		if port != "" {
			return net.JoinHostPort(host, port)
		}
		return or(host, x.speaker)
	case "port":
		return port
	case "rcpt":
		return x.address
	case "rcpt_domain":
		return domain(x.address)
	}
	return ""
}

// phase names that a text may state.
var phaseWords = []struct{ words, phase string }{
	{"in reply to end of data", string(session.PhaseDot)}, {"after end of data", string(session.PhaseDot)},
	{"in reply to rcpt to", string(session.PhaseRcpt)}, {"after rcpt to", string(session.PhaseRcpt)},
	{"in reply to mail from", string(session.PhaseMail)}, {"after mail from", string(session.PhaseMail)},
	{"in reply to data", string(session.PhaseData)}, {"after data", string(session.PhaseData)},
	{"while performing the ehlo", string(session.PhaseHelo)}, {"in reply to ehlo", string(session.PhaseHelo)}, {"after ehlo", string(session.PhaseHelo)},
	{"after initial connection", string(session.PhaseConnect)}, {"while performing the initial", string(session.PhaseConnect)},
	{"rcpt failed", string(session.PhaseRcpt)}, {"mail failed", string(session.PhaseMail)}, {"data failed", string(session.PhaseData)}, // curl
	{"refused to talk to me", string(session.PhaseConnect)}, {"in reply to auth", string(session.PhaseAuth)},
}

// phase tells where in a session the text stood, as far as it says so or its
// code can come at one point only.
func (x *excerpt) phase() string {
	whole := strings.ToLower(x.whole)
	for _, p := range phaseWords {
		if strings.Contains(whole, p.words) {
			return p.phase
		}
	}
	switch x.code {
	case 534, 535, 538, 525:
		return string(session.PhaseAuth)
	}
	return ""
}
