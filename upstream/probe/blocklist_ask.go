package probe

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

// What a list says of an address.
const (
	listListed   = "listed"
	listClear    = "clear"
	listRefused  = "refused"  // it does not answer this resolver
	listSilent   = "silent"   // no answer
	listUnusable = "unusable" // it answers, and its test points show that the answer means nothing
)

// listOpinion is what one list says.
type listOpinion struct {
	list   *blocklist
	result string
	weight weight // of a listing: the heaviest
	text   string // for a person
	said   string // of a listing: the list's own words; may be empty
	page   string // of a listing: where it is looked up and removed
	took   time.Duration
}

// listAnswer is a list's answer to one question.
type listAnswer struct {
	codes   []string // addresses, as they came
	absent  bool     // the list says that it does not have it
	refused bool     // by an rcode
	trouble string   // why there is neither; empty when there is one
}

// askLists asks all lists that have addresses of the family side by side.
func askLists(ctx context.Context, c *upstream.Connector, lists []blocklist, addr netip.Addr) []listOpinion {
	lists = slices.DeleteFunc(slices.Clone(lists), func(l blocklist) bool { return addr.Is6() && !l.IPv6 })
	opinions := make([]listOpinion, len(lists))
	var asking sync.WaitGroup
	for i := range lists {
		asking.Go(func() { opinions[i] = askList(ctx, c, &lists[i], addr) })
	}
	asking.Wait()
	return opinions
}

// askList asks one list about an address and, at the same time, about its test
// points.
func askList(ctx context.Context, c *upstream.Connector, l *blocklist, addr netip.Addr) listOpinion {
	began := time.Now()
	var about, listed, clear listAnswer
	var asking sync.WaitGroup
	asking.Go(func() { about = l.ask(ctx, c, addr) })
	asking.Go(func() { listed = l.ask(ctx, c, l.Listed) })
	asking.Go(func() { clear = l.ask(ctx, c, l.never(addr)) })
	asking.Wait()
	v := l.judge(about, listed, clear)
	if v.result == listListed {
		v.said, v.page = l.reason(ctx, c, addr), l.page(addr)
	}
	v.took = time.Since(began)
	return v
}

// ask puts one question. Three of its answers are told apart: codes, a name
// that does not exist, and none.
func (l *blocklist) ask(ctx context.Context, c *upstream.Connector, addr netip.Addr) listAnswer {
	r := c.Lookup(ctx, l.question(addr), dns.TypeA)
	switch {
	case len(r.List) > 0:
		return listAnswer{codes: r.Lookup.Answers}
	case r.Fault != nil && r.Fault.Class == session.FaultNoSuchHost:
		return listAnswer{absent: true}
	case r.Fault != nil:
		return listAnswer{refused: r.Lookup.Rcode == dns.RcodeToString[dns.RcodeRefused], trouble: r.Fault.Text}
	}
	return listAnswer{trouble: "no answer"}
}

// judge says what the answers mean together. A list is believed to have an
// address only if it does not have the one that none has, and to lack one only
// if it has the one that all have: a list that closed may say either of
// everything.
func (l *blocklist) judge(about, listed, clear listAnswer) listOpinion {
	for _, a := range []listAnswer{about, listed, clear} {
		if why := l.refusal(a); why != "" {
			return listOpinion{list: l, result: listRefused, text: why}
		}
	}
	switch {
	case about.trouble != "":
		return l.unanswered(about)
	case foreign(about.codes) != "":
		return l.unusable(fmt.Sprintf("answers with %s, which no blocklist does: its domain or the resolver is in other hands", foreign(about.codes)))
	case len(about.codes) > 0 && clear.trouble != "":
		return l.unanswered(clear)
	case len(about.codes) > 0 && !clear.absent:
		return l.unusable(fmt.Sprintf("lists even %s, which no list has: it lists everything", l.Clear))
	case len(about.codes) > 0:
		return l.listing(about.codes)
	case listed.trouble != "":
		return l.unanswered(listed)
	case listed.absent || foreign(listed.codes) != "":
		return l.unusable(fmt.Sprintf("does not list %s, which every list has: it lists nothing", l.Listed))
	}
	return listOpinion{list: l, result: listClear, text: "not listed"}
}

// refusal says why a list did not want to answer; empty when it did.
func (l *blocklist) refusal(a listAnswer) string {
	for _, code := range a.codes {
		if means := l.Refusals[code]; means != "" {
			return means + " (" + code + ")"
		}
		// Others have taken over the codes of Spamhaus, or use the address that
		// no listing may have (RFC 5782, section 2.1).
		if strings.HasPrefix(code, "127.255.255.") || code == "127.0.0.1" {
			return "it does not answer the questions of this resolver (" + code + ")"
		}
	}
	if a.refused {
		return "the question was refused (" + a.trouble + ")"
	}
	return ""
}

func (l *blocklist) unanswered(a listAnswer) listOpinion {
	return listOpinion{list: l, result: listSilent, text: a.trouble}
}

func (l *blocklist) unusable(why string) listOpinion {
	return listOpinion{list: l, result: listUnusable, text: why}
}

// listing says what the codes of a listing mean, the heaviest first.
func (l *blocklist) listing(codes []string) listOpinion {
	var meant []returnCode
	for _, code := range codes {
		c, ok := l.Codes[code]
		if !ok {
			c = returnCode{Means: "code " + code + ", whose meaning is not known here", Weight: l.Weight}
		}
		if !slices.Contains(meant, c) {
			meant = append(meant, c)
		}
	}
	slices.SortStableFunc(meant, func(a, b returnCode) int { return b.Weight.order() - a.Weight.order() })
	var means []string
	for _, c := range meant {
		means = append(means, c.Means)
	}
	return listOpinion{list: l, result: listListed, weight: meant[0].Weight, text: strings.Join(means, "; ")}
}

// foreign returns the first address that cannot be a list's answer.
func foreign(codes []string) string {
	for _, code := range codes {
		if !isCode(code) {
			return code
		}
	}
	return ""
}

// reason is what the list itself says of a listing.
func (l *blocklist) reason(ctx context.Context, c *upstream.Connector, addr netip.Addr) string {
	list := c.Lookup(ctx, l.question(addr), dns.TypeTXT).List
	if len(list) == 0 {
		return ""
	}
	return printable(textOf(list[0]))
}
