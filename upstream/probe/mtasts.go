package probe

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
)

const nameMTASTS = "mta-sts"

// maxPolicies bounds for how many domains the policies are fetched.
const maxPolicies = 4

// MTASTSStep reads the policies of the domains whose mail exchanger the
// smarthost is (RFC 8461), and says what senders make of it by them.
func (steps) MTASTSStep() step {
	return step{
		name: nameMTASTS, rank: 54, after: []string{nameMX, nameDialogue},
		about: "the MTA-STS policies of the domains that the smarthost takes mail for",
		run:   runMTASTS,
	}
}

func runMTASTS(ctx context.Context, x *examination) {
	domains := x.known.mailFor
	if why := x.exchangerOnly(); why != "" {
		x.say(nameMTASTS, Line{Status: StatusSkip, Text: why})
		return
	}
	list := make([]published, min(len(domains), maxPolicies))
	var asking sync.WaitGroup
	for i, domain := range domains[:len(list)] {
		asking.Go(func() { list[i] = x.prober.policyOf(ctx, domain) })
	}
	asking.Wait()
	if ctx.Err() != nil {
		return
	}
	seen, _ := x.handshake()
	for _, p := range list {
		p.clear = inClear(x.known.dialogue)
		l := p.line(x.known.mailAs, seen)
		x.say(nameMTASTS, l)
		x.answer(x.prober.answer(x.target, p.entry(l)))
	}
}

// published is what a domain has published for senders.
type published struct {
	domain  string
	record  bool // there is one TXT record that says so
	trouble string
	policy  policy
	clear   bool  // the smarthost offers no TLS
	err     error // why there is no policy though there is a record
	took    time.Duration
}

// policyOf asks for the record of a domain, and for the policy behind it.
func (p *Prober) policyOf(ctx context.Context, domain string) (s published) {
	began := time.Now()
	defer func() { s.took = time.Since(began) }()
	s.domain = domain
	records := p.options.Connector.Lookup(ctx, "_mta-sts."+domain, dns.TypeTXT)
	if f := records.Fault; f != nil && f.Class != session.FaultNoSuchHost {
		s.trouble = "whether there is a policy is not known: " + f.Text
		return s
	}
	var texts []string
	for _, rr := range records.List {
		texts = append(texts, textOf(rr))
	}
	if s.record, s.trouble = policyRecord(texts); s.record {
		s.policy, s.err = p.fetchPolicy(ctx, domain)
	}
	return s
}

// policyRecord looks for the record that announces a policy. Several count as
// none (RFC 8461, section 3.1).
func policyRecord(texts []string) (found bool, trouble string) {
	announced := slices.DeleteFunc(slices.Clone(texts), func(s string) bool {
		version, _, more := strings.Cut(s, ";")
		return !more || strings.TrimRight(version, " \t") != "v=STSv1"
	})
	switch {
	case len(announced) > 1:
		return false, fmt.Sprintf("there are %d records where one has to stand, and senders go by none", len(announced))
	case len(announced) == 1 && policyID(announced[0]) == "":
		return false, fmt.Sprintf("the record %.80q has no usable id, and senders do not go by it", announced[0])
	}
	return len(announced) == 1, ""
}

// policyID is the id in a record: 1 to 32 letters and digits.
func policyID(record string) string {
	for field := range strings.SplitSeq(record, ";") {
		id, ok := strings.CutPrefix(strings.Trim(field, " \t"), "id=")
		odd := strings.IndexFunc(id, func(r rune) bool {
			return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
		})
		if ok && odd < 0 && len(id) <= 32 {
			return id
		}
	}
	return ""
}

// shortAge is the age below which a policy hardly protects: senders forget it
// between two messages (RFC 8461, section 3.2, expects weeks).
const shortAge = 24 * time.Hour

// line says what senders make of the smarthost by the policy; shown is what it
// shows them, nil when that was not seen.
func (s published) line(name string, shown *session.TLS) Line {
	l := Line{Status: StatusOK, Took: s.took}
	switch {
	case s.trouble != "":
		l.Status, l.Text = StatusWarn, fmt.Sprintf("MTA-STS of %s: %s", s.domain, s.trouble)
	case !s.record:
		l.Text = fmt.Sprintf("%s has no MTA-STS policy: senders that go by them deliver without", s.domain)
	case s.err != nil:
		l.Status, l.Text = StatusWarn, fmt.Sprintf("%s announces an MTA-STS policy that cannot be had: %v; senders go by an older one if they have it, otherwise by none", s.domain, s.err)
	case s.policy.mode == modeNone:
		l.Text = fmt.Sprintf("the MTA-STS policy of %s is none: it asks for nothing", s.domain)
	default:
		l.Status, l.Text = s.judge(name, shown)
	}
	return l
}

// judge holds the smarthost against the policy.
func (s published) judge(name string, shown *session.TLS) (Status, string) {
	about := fmt.Sprintf("the MTA-STS policy of %s (mode %s, for %s)", s.domain, s.policy.mode, ageWords(s.policy.age))
	bad, means := StatusFail, "senders that go by it deliver nothing here"
	if s.policy.mode == modeTesting {
		bad, means = StatusWarn, "senders report it; with enforce they would deliver nothing"
	}
	switch {
	case !s.policy.allows(name):
		return bad, fmt.Sprintf("%s does not name %s, but %s: %s", about, name, list(s.policy.mx), means)
	case s.clear:
		return bad, fmt.Sprintf("%s wants TLS, and it is not on offer: %s", about, means)
	case shown != nil && len(shown.Chain) > 0 && !shown.Verified:
		return bad, fmt.Sprintf("%s wants a certificate that verifies, and %s: %s", about, shown.Error, means)
	case s.policy.age < shortAge:
		return StatusWarn, fmt.Sprintf("%s names %s, for so short a time that it hardly protects", about, name)
	}
	return StatusOK, fmt.Sprintf("%s names %s", about, name)
}

// inClear reports that a dialogue ended in clear, with a reply to EHLO that does
// not offer TLS.
func inClear(dialogue []session.Entry) (clear bool) {
	for i := range dialogue {
		switch e := &dialogue[i]; {
		case e.Leg == session.Upstream && e.Kind == session.KindTLS:
			return false
		case e.From == session.FromUpstream && e.Kind == session.KindReply && e.Verb == "EHLO" && e.Code == 250:
			reply, ok := wire.ParseReply(e.Text)
			clear = ok && !offers(reply, "STARTTLS")
		}
	}
	return clear
}

func ageWords(d time.Duration) string {
	if d >= 48*time.Hour {
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	}
	return d.String()
}

// entry is the answer for the diagnosis.
func (s published) entry(l Line) session.Entry {
	e := session.Entry{Text: l.Text, Probe: &session.Probe{Name: nameMTASTS, Result: resultOK, Duration: s.took}}
	if l.Status == StatusFail {
		e.Probe.Result = resultFail
	}
	found := session.Found{What: s.domain, Result: s.policy.mode}
	switch {
	case s.trouble != "" || s.err != nil:
		found.Result = "unknown"
	case !s.record:
		found.Result = "absent"
	default:
		found.Text = strings.Join(s.policy.mx, " ")
	}
	e.Probe.Found = []session.Found{found}
	return e
}

var errNoPolicy = errors.New("it is no policy")
