package upstream

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"slices"
	"strings"
)

// How an interception is told: a certificate made for the name that was asked
// for, by an issuer known for making such; or a name that everybody knows and
// a certificate that cannot be its owner's. An appliance that is itself the
// smarthost shows its maker's certificate too, but for its own name; a company
// has an authority of its own for its own names. Both are left alone.

// suspects are those who are known to show certificates of their own making,
// and those in whose name they are shown.
type suspects struct {
	products  []product
	hosters   map[string]string
	providers []mailProvider
	public    []string
}

func newSuspects() *suspects {
	return &suspects{products: products(), hosters: hosters(), providers: mailProviders(), public: publicAuthorities()}
}

// between says who seems to stand between the proxy and host and to show a
// certificate of its own; empty where nothing points to that.
func (s *suspects) between(host string, chain []*x509.Certificate, t trust) string {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if len(chain) == 0 || strings.Contains(subjectWords(chain[0].Subject), "no sni provided") {
		return "" // what Google shows to those who name no host
	}
	owner := s.ownerOf(host)
	named := chain[0].VerifyHostname(bareHost(host)) == nil
	if named || owner != nil {
		if name := s.productBehind(host, chain); name != "" {
			return name
		}
	}
	switch {
	case owner == nil:
		return ""
	case !named && t.path != nil && !owner.shows(chain[0]):
		return s.redirector(chain[0])
	case t.adrift && !s.mayIssue(owner, chain):
		return fmt.Sprintf("%s, who is no authority that %s uses", issuerName(chain[0]), owner.name)
	}
	return ""
}

// productBehind finds a product by the names of all issuers of the chain.
func (s *suspects) productBehind(host string, chain []*x509.Certificate) string {
	for _, c := range chain {
		issuer := subjectWords(c.Issuer)
		for _, p := range s.products {
			if containsAny(issuer, p.marks) && !inOwnHouse(host, p) {
				return p.name
			}
		}
	}
	return ""
}

// inOwnHouse reports that host is the maker's own.
func inOwnHouse(host string, p product) bool {
	return slices.ContainsFunc(p.marks, func(mark string) bool {
		return !strings.Contains(mark, " ") && strings.Contains(host, mark)
	})
}

// redirector names whose mail server has answered in another's place, with a
// certificate that is good for its own name.
func (s *suspects) redirector(leaf *x509.Certificate) string {
	names := namesOf(leaf)
	for _, name := range names {
		for domain, hoster := range s.hosters {
			if within(name, domain) {
				return fmt.Sprintf("%s, whose server %s takes outgoing SMTP over", hoster, name)
			}
		}
	}
	if len(names) == 0 {
		return nameOf(leaf)
	}
	return fmt.Sprintf("the mail server of %s, which answers in its place", names[0])
}

// ownerOf finds the well-known provider to whom a host name belongs.
func (s *suspects) ownerOf(host string) *mailProvider {
	for i := range s.providers {
		if s.providers[i].owns(host) {
			return &s.providers[i]
		}
	}
	return nil
}

func (p *mailProvider) owns(name string) bool {
	return slices.ContainsFunc(p.domains, func(domain string) bool { return within(name, domain) })
}

// shows reports that a certificate is the provider's for some other name.
func (p *mailProvider) shows(leaf *x509.Certificate) bool {
	return slices.ContainsFunc(namesOf(leaf), p.owns) || containsAny(subjectWords(leaf.Subject), p.issues)
}

// mayIssue reports that some certificate of the chain names an authority of
// the owner's or a public one.
func (s *suspects) mayIssue(owner *mailProvider, chain []*x509.Certificate) bool {
	return slices.ContainsFunc(chain, func(c *x509.Certificate) bool {
		issuer := subjectWords(c.Issuer)
		return containsAny(issuer, owner.issues) || containsAny(issuer, s.public)
	})
}

// within reports whether name is domain or beneath it; a wildcard counts as
// what it stands for.
func within(name, domain string) bool {
	name = strings.ToLower(name)
	return name == domain || strings.HasSuffix(name, "."+domain)
}

// subjectWords are the parts of a name that say who somebody is.
func subjectWords(n pkix.Name) string {
	parts := append([]string{n.CommonName}, n.Organization...)
	return strings.ToLower(strings.Join(append(parts, n.OrganizationalUnit...), "\n"))
}

func containsAny(text string, words []string) bool {
	return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(text, word) })
}
