package probe

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/miekg/dns"
	"golang.org/x/net/idna"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

// maxText bounds what of a TXT record is read; RFC 7208, section 3.4, wants
// those of SPF far shorter, and the keys of DKIM fit, too.
const maxText = 8 << 10

// senderOf returns the domain whose records speak for an address, as the DNS
// has it. The error says why none do.
func senderOf(address string) (domain string, err error) {
	if address == "" {
		return "", errors.New("no sender given (--from)")
	}
	return nameInDNS(domainOf(address), address)
}

// nameInDNS puts a domain into the form that the DNS has (RFC 5891, A-labels).
// shown is how the error names it.
func nameInDNS(domain, shown string) (string, error) {
	domain = strings.ToLower(strings.TrimSuffix(domain, "."))
	if ascii, err := idna.Lookup.ToASCII(domain); err == nil {
		domain = ascii
	}
	if _, ok := dns.IsDomainName(domain); !ok || !plain(domain) || !strings.Contains(domain, ".") {
		return "", fmt.Errorf("%s has no domain that the DNS could know", printable(shown))
	}
	return domain, nil
}

// plain reports a name that means the same to the DNS as to a person: with
// nothing that a zone file would escape.
func plain(name string) bool {
	return !strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`\"();@$/`, r) })
}

// texts are the TXT records of a name. Without any, fault says why, unless that
// is certain.
type texts struct {
	list  []string
	alias string // the name at the end of the aliases; empty without any
	fault *session.Fault
}

// textsOf asks for the TXT records of a name.
func textsOf(ctx context.Context, c *upstream.Connector, name string) (t texts) {
	r := c.Lookup(ctx, name, dns.TypeTXT)
	for _, rr := range r.List {
		t.list = append(t.list, textOf(rr))
	}
	if chain := r.Lookup.CNAME; len(chain) > 0 {
		t.alias = chain[len(chain)-1]
	}
	if r.Fault != nil && r.Fault.Class != session.FaultNoSuchHost {
		t.fault = r.Fault
	}
	return t
}

// textOf joins the strings of a record as RFC 7208, section 3.3, and RFC 6376,
// section 3.6.2.2, have it: with nothing in between.
func textOf(rr dns.RR) string {
	txt, ok := rr.(*dns.TXT)
	if !ok {
		return ""
	}
	text := unquoted(strings.Join(txt.Txt, ""))
	return text[:min(len(text), maxText)]
}

// unquoted undoes what the library does to octets that a zone file would
// escape: \" and \\ and \DDD (RFC 1035, section 5.1).
func unquoted(text string) string {
	if !strings.Contains(text, `\`) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c != '\\' || i+1 == len(text):
			b.WriteByte(c)
		case i+3 < len(text) && digits(text[i+1:i+4]):
			b.WriteByte((text[i+1]-'0')*100 + (text[i+2]-'0')*10 + text[i+3] - '0')
			i += 3
		default:
			i++
			b.WriteByte(text[i])
		}
	}
	return b.String()
}

func digits(s string) bool { return strings.Trim(s, "0123456789") == "" }
