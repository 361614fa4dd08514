package probe

import (
	"fmt"
	"strings"
)

// lines say what the policy is, and then, each for itself, what is wrong with
// the record.
func (d dmarcFacts) lines() (lines []Line) {
	warn := func(format string, args ...any) {
		lines = append(lines, Line{Status: StatusWarn, Text: fmt.Sprintf(format, args...)})
	}
	switch {
	case d.fault != nil:
		return []Line{{Status: StatusSkip, Text: d.words()}}
	case d.count == 0 && d.near != "":
		warn("%s, and this is none, for it has to begin with v=DMARC1: %q", d.words(), printable(d.near))
	case d.count == 0:
		warn("%s: Gmail and Yahoo want one of all who send much; begin with _dmarc.%s TXT \"v=DMARC1; p=none; rua=mailto:<address>\"", d.words(), orElse(organization(d.domain), d.domain))
	case d.policy() == "":
		warn("%s", d.words())
	default:
		lines = append(lines, Line{Status: StatusOK, Text: d.words() + "; " + d.terms()})
	}
	for _, fault := range d.record.faults {
		warn("the DMARC record of %s: %s", d.at, fault)
	}
	for _, to := range d.unwilling {
		warn("reports for %s will not arrive: %s does not say that it wants them (no TXT record at %s._report._dmarc.%s)", d.at, to, d.at, to)
	}
	return lines
}

// terms say when mail passes, and who hears of the rest.
func (d dmarcFacts) terms() string {
	alike := func(strict bool) string {
		if strict {
			return d.domain + " itself"
		}
		return d.domain + " or another domain of its organization"
	}
	text := fmt.Sprintf("mail passes with DKIM of %s, or SPF of %s", alike(d.record.strictID), alike(d.record.strictIP))
	if d.record.percent < 100 {
		text += fmt.Sprintf("; for %d%% of the mail", d.record.percent)
	}
	if d.record.testing {
		text += "; as a test"
	}
	if len(d.record.reports) == 0 {
		return text + "; nobody gets reports"
	}
	return text + "; reports go to " + printable(strings.Join(d.record.reports, ", "))
}
