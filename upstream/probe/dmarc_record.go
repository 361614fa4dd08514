package probe

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// The policies of DMARC.
const (
	policyNone       = "none"
	policyQuarantine = "quarantine"
	policyReject     = "reject"
)

// dmarcRecord is what a domain asks receivers to do with mail that fails (RFC
// 7489, section 6.3).
type dmarcRecord struct {
	policy   string // none, quarantine, reject
	below    string // for the domains below; the policy itself where nothing else is said
	strictID bool   // DKIM has to be of this very domain
	strictIP bool   // SPF has to be
	percent  int
	testing  bool
	reports  []string // the addresses for aggregate reports
	faults   []string // for a person
}

// isDMARC reports whether a text is a record of DMARC: the version comes first,
// in this very form.
func isDMARC(text string) bool {
	version, _, _ := strings.Cut(text, ";")
	name, value, ok := strings.Cut(version, "=")
	return ok && trimFWS(name) == "v" && trimFWS(value) == "DMARC1"
}

// parseDMARC reads a record. Receivers take no notice of one whose policy is ""
// here.
func parseDMARC(text string) (r dmarcRecord) {
	l := parseTags(text)
	r.percent = 100
	if !isDMARC(text) {
		l.fault("it does not begin with v=DMARC1")
		r.faults = l.faults
		return r
	}
	r.readReports(&l)
	r.readPolicy(&l)
	r.strictID, r.strictIP = l.strict("adkim"), l.strict("aspf")
	if n, err := strconv.Atoi(l.get("pct")); err == nil && n >= 0 && n <= 100 {
		r.percent = n
	} else if l.has("pct") {
		l.fault("pct=%s is no number from 0 to 100", printable(l.get("pct")))
	}
	r.testing = strings.EqualFold(l.get("t"), "y")
	l.strangers("v", "p", "sp", "np", "adkim", "aspf", "fo", "pct", "rf", "ri", "rua", "ruf", "psd", "t")
	r.faults = l.faults
	return r
}

// readPolicy follows RFC 7489, section 6.6.3: a record without a policy, or with
// one for the domains below that is none, stands for p=none where it asks for
// reports, and for nothing otherwise.
func (r *dmarcRecord) readPolicy(l *tagList) {
	r.policy = l.policy("p")
	below, lacks := l.policy("sp"), "a policy in p="
	if r.policy != "" && below == "" && l.has("sp") {
		r.policy, lacks = "", "a valid policy"
	}
	switch {
	case r.policy != "":
		r.below = orElse(below, r.policy)
	case len(r.reports) > 0:
		l.fault("without %s it stands for p=none", lacks)
		r.policy, r.below = policyNone, policyNone
	default:
		l.fault("without %s receivers take no notice of it", lacks)
	}
	l.policy("np")
}

// policy reads a tag that holds one.
func (l *tagList) policy(name string) string {
	policy := strings.ToLower(l.get(name))
	if slices.Contains([]string{policyNone, policyQuarantine, policyReject}, policy) {
		return policy
	}
	if l.has(name) {
		l.fault("%s=%s is no policy: use none, quarantine or reject", name, printable(l.get(name)))
	}
	return ""
}

// strict reads a tag that says how alike domains have to be.
func (l *tagList) strict(name string) bool {
	switch mode := strings.ToLower(l.get(name)); mode {
	case "s":
		return true
	case "r", "":
	default:
		l.fault("%s=%s is neither r nor s", name, printable(mode))
	}
	return false
}

// readReports reads the addresses for reports. One without "mailto:" is the
// usual mistake.
func (r *dmarcRecord) readReports(l *tagList) {
	for _, name := range []string{"rua", "ruf"} {
		for _, text := range strings.Split(l.get(name), ",") {
			text = trimFWS(text)
			at, err := url.Parse(text)
			switch {
			case text == "":
			case err != nil || at.Scheme == "":
				l.slip("%s=%s is no URI: write mailto: in front of the address", name, printable(text))
			case name == "rua":
				to, _, _ := strings.Cut(at.Opaque, "!") // the size that a report may have
				r.reports = append(r.reports, orElse(to, text))
			}
		}
	}
}

// strangers names the tags that nobody reads: a policy in one is none.
func (l *tagList) strangers(known ...string) {
	for _, t := range l.tags {
		if !slices.Contains(known, t.name) {
			l.slip("%s= means nothing", printable(t.name))
		}
	}
}
