package probe

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sort"
	"strings"

	"blitiri.com.ar/go/spf"

	"smtp-proxy/upstream"
)

// The bounds of finding out what decides.
const (
	spfLookUps   = 10 // that RFC 7208, section 4.6.4, allows
	maxSPFNeeds  = 40 // look-ups up to which a record's need is measured
	maxSPFNested = 10 // records that lead to each other
)

// spfAsker evaluates the SPF of one sender's domain for any number of
// addresses.
type spfAsker struct {
	zone   *spfZone
	sender string // user@domain
	domain string
	helo   string
}

func newSPFAsker(c *upstream.Connector, sender, domain, helo string) *spfAsker {
	user, _, _ := strings.Cut(sender, "@")
	return &spfAsker{zone: newSPFZone(c), sender: orElse(user, "postmaster") + "@" + domain, domain: domain, helo: orElse(helo, domain)}
}

// spfVerdict is what SPF says of mail from one address.
type spfVerdict struct {
	addr   netip.Addr
	result spf.Result
	err    error    // why; the library has one for a match, too
	path   []string // the terms that decided, those of the domain's own record first
	needs  int      // look-ups that the evaluation takes; 0 where that was not measured
}

// verdict evaluates the records for an address.
func (a *spfAsker) verdict(ctx context.Context, addr netip.Addr) spfVerdict {
	v := spfVerdict{addr: addr}
	a.zone.six = addr.Is6()
	v.result, v.err = a.evaluate(ctx, addr, spfLookUps)
	switch v.result {
	case spf.None, spf.TempError:
		return v
	}
	v.needs = sort.Search(maxSPFNeeds, func(limit int) bool {
		_, err := a.evaluate(ctx, addr, limit)
		return !errors.Is(err, spf.ErrLookupLimitReached)
	})
	v.path = a.decider(ctx, addr)
	clear(a.zone.instead)
	return v
}

func (a *spfAsker) evaluate(ctx context.Context, addr netip.Addr, lookUps int) (spf.Result, error) {
	return spf.CheckHostWithSender(addr.AsSlice(), a.helo, a.sender,
		spf.WithContext(ctx), spf.WithResolver(a.zone), spf.OverrideLookupLimit(uint(lookUps)))
}

// decider finds the term behind which an evaluation does not go on, in the
// domain's record, and then in the one that it leads to. The library does not
// name it; but it decides the same when all that stands behind that term is
// taken away, and nothing is decided when that term is, too.
func (a *spfAsker) decider(ctx context.Context, addr netip.Addr) (path []string) {
	z := a.zone
	for domain := a.domain; domain != "" && len(path) < maxSPFNested; {
		list := z.records(ctx, domain)
		if _, again := z.instead[domain]; again || len(list) != 1 {
			break
		}
		terms := spfTerms(list[0])
		i := sort.Search(len(terms), func(i int) bool {
			z.instead[domain] = "v=spf1 " + strings.Join(terms[:i+1], " ")
			result, err := a.evaluate(ctx, addr, spfLookUps)
			return result != spf.Neutral || err != nil
		})
		if i == len(terms) {
			break
		}
		path = append(path, terms[i])
		z.instead[domain] = "v=spf1 " + terms[i]
		domain = spfLeads(terms[i])
	}
	return path
}

// why words what decided: the term, or what is wrong with the record.
func (v spfVerdict) why() string {
	term := strings.Join(v.path, " -> ")
	switch {
	case errors.Is(v.err, spf.ErrMultipleRecords):
		return "it has more than one SPF record, and none of them counts then"
	case errors.Is(v.err, spf.ErrLookupLimitReached) && v.needs >= maxSPFNeeds:
		return fmt.Sprintf("it takes more look-ups than the %d allowed, without end", spfLookUps)
	case errors.Is(v.err, spf.ErrLookupLimitReached):
		return fmt.Sprintf("it takes %d look-ups, %d are allowed", v.needs, spfLookUps)
	case errors.Is(v.err, spf.ErrVoidLookupLimitReached):
		return "more than two of its terms name what does not exist"
	case v.result == spf.PermError && term != "" && errors.Is(v.err, spf.ErrNoResult):
		return term + " leads to a domain without an SPF record"
	case v.result == spf.PermError && term != "":
		return fmt.Sprintf("%s: %v", term, v.err)
	case v.result == spf.PermError, v.result == spf.TempError:
		return fmt.Sprint(v.err)
	case v.result == spf.None:
		return "it has no SPF record"
	case term == "":
		return "no term matches, and there is no \"all\""
	}
	return term
}

// words are the result and what decided it.
func (v spfVerdict) words() string {
	if v.result == spf.None || v.result == spf.TempError {
		return fmt.Sprintf("%s: %s", v.result, printable(v.why()))
	}
	if v.result == spf.PermError {
		return "permerror: " + printable(v.why())
	}
	return fmt.Sprintf("%s by %s", v.result, printable(v.why()))
}
