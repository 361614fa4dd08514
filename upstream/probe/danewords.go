package probe

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/miekg/dns"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

// The results of a record, as they stand in [session.Found].
const (
	daneMatch    = "match"
	daneMismatch = "mismatch"
	daneUnusable = "unusable"
)

// daneTrust is how far the records themselves are vouched for. Senders go by
// those only that DNSSEC vouches for (RFC 7672, section 2.2).
type daneTrust int

const (
	trustUnknown  daneTrust = iota // the resolver does not validate
	trustUnsigned                  // it does, and does not vouch for these
	trustVouched
)

// trustOf tells a zone that is not signed from a resolver that does not look:
// one that validates vouches for the root.
func trustOf(ctx context.Context, c *upstream.Connector, validated bool) daneTrust {
	switch {
	case validated:
		return trustVouched
	case c.LookupValidated(ctx, ".", dns.TypeSOA).Validated:
		return trustUnsigned
	}
	return trustUnknown
}

// verdict says what senders make of it all.
func (d *danePlace) verdict() (Status, string) {
	switch {
	case d.fault != nil:
		return StatusWarn, fmt.Sprintf("the question for %s TLSA has no answer here: %s; senders that use DANE and get none either put mail off", d.owner, d.fault.Text)
	case len(d.records) == 0:
		return StatusOK, fmt.Sprintf("no TLSA record at %s: senders deliver without DANE", d.owner)
	case len(d.usable()) == 0:
		return StatusWarn, fmt.Sprintf("senders use none of the TLSA records at %s: of %s %s", d.owner, d.records[0], d.records[0].flaw())
	case d.unseen != nil:
		return d.without()
	case len(d.matches()) == 0:
		return d.broken(d.mismatch())
	}
	status, vouched := d.vouching()
	return status, fmt.Sprintf("%s at %s fits the certificate shown%s; %s", d.matches()[0].record, d.owner, d.others(), vouched)
}

// without words records that nothing could be held against.
func (d *danePlace) without() (Status, string) {
	if u := (*Unreached)(nil); errors.As(d.unseen, &u) && (u.Cause == "tls.not-offered" || u.Cause == "tls.starttls-refused") {
		return d.broken(fmt.Sprintf("there are TLSA records at %s, and no TLS: %v", d.owner, d.unseen))
	}
	return StatusSkip, fmt.Sprintf("there are TLSA records at %s, and no certificate to hold them against: %v", d.owner, d.unseen)
}

// broken says what a contradiction means, which hangs on who vouches for the
// records.
func (d *danePlace) broken(text string) (Status, string) {
	switch d.trust {
	case trustVouched:
		return StatusFail, text + "; senders that use DANE deliver nothing here"
	case trustUnsigned:
		return StatusWarn, text + "; senders pass these records over, as DNSSEC does not vouch for them"
	}
	return StatusWarn, fmt.Sprintf("%s; if the zone is signed, senders that use DANE deliver nothing here (%s does not say: it does not validate)", text, d.server)
}

// vouching says for how much good records count.
func (d *danePlace) vouching() (Status, string) {
	switch d.trust {
	case trustVouched:
		return StatusOK, "DNSSEC vouches for it, says " + d.server
	case trustUnsigned:
		return StatusWarn, "senders pass it over: DNSSEC does not vouch for it, says " + d.server
	}
	return StatusOK, fmt.Sprintf("whether DNSSEC vouches for it %s does not say: it does not validate", d.server)
}

// held is a record that was held against the chain; err says why the chain is
// not good by it.
type held struct {
	record tlsa
	err    error
}

func (h held) found() session.Found {
	f := session.Found{What: h.record.String(), Result: daneMatch}
	switch {
	case h.record.flaw() != "":
		f.Result, f.Text = daneUnusable, h.record.flaw()
	case h.err != nil:
		f.Result, f.Text = daneMismatch, printable(h.err.Error())
	}
	return f
}

// matches are the records by which the chain is good.
func (d *danePlace) matches() []held {
	return slices.DeleteFunc(slices.Clone(d.results), func(h held) bool { return h.err != nil })
}

// others counts the records that do not match, as those of a certificate to
// come do not.
func (d *danePlace) others() string {
	switch n := len(d.records) - len(d.matches()); n {
	case 0:
		return ""
	case 1:
		return " (another record does not)"
	default:
		return fmt.Sprintf(" (%d other records do not)", n)
	}
}

// mismatch says why the first record does not fit, and which one would.
func (d *danePlace) mismatch() string {
	var why []string
	for _, h := range d.results {
		if h.record.flaw() == "" {
			why = append(why, fmt.Sprintf("%s: %s", h.record, printable(h.err.Error())))
		}
	}
	due := hex.EncodeToString(association(d.chain[0], selectorKey, matchSHA256))
	return fmt.Sprintf("no TLSA record at %s fits the certificate shown (%s), for which it would be 3 1 1 %s", d.owner, list(why), due)
}
