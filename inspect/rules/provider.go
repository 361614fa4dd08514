package rules

import (
	_ "embed"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/BurntSushi/toml"
)

//go:embed providers.toml
var providersFile string

// Provider is a mail service or a mail server's software, and how it is
// recognized. All lists are in lower case; all but Hosts are found anywhere
// in what was said.
type Provider struct {
	ID       string   `toml:"id"`
	Name     string   `toml:"name"`
	Software bool     `toml:"software"` // a program that anyone may run; a service is the better answer
	Hosts    []string `toml:"hosts"`    // a host name, or with a leading dot all names below it
	Banner   []string `toml:"banner"`
	EHLO     []string `toml:"ehlo"`
	Reply    []string `toml:"reply"`  // wording that nobody else uses
	Submit   string   `toml:"submit"` // documented host:port for sending
	User     string   `toml:"user"`   // "address" when the user name is the full address, "apikey" … when it is a literal
	Refs     []string `toml:"refs"`
}

// Hints is what may tell a provider.
type Hints struct {
	Host   string // as configured
	Banner string // the greeting
	EHLO   string // the EHLO reply
	Reply  string // a failing reply
}

func loadProviders(text string) ([]Provider, error) {
	var file struct {
		Provider []Provider `toml:"provider"`
	}
	meta, err := toml.Decode(text, &file)
	if err != nil {
		return nil, fmt.Errorf("providers.toml: %w", err)
	}
	errs := unknownKeys("providers.toml", meta)
	seen := map[string]bool{}
	for _, p := range file.Provider {
		if p.ID == "" || p.Name == "" || seen[p.ID] {
			errs = append(errs, fmt.Errorf("providers.toml: %q: id or name is missing or stands there twice", p.ID))
		}
		seen[p.ID] = true
		for _, list := range [][]string{p.Hosts, p.Banner, p.EHLO, p.Reply} {
			for _, s := range list {
				if s != strings.ToLower(s) || len(s) < 3 {
					errs = append(errs, fmt.Errorf("providers.toml: %s: %q: want lower case, three characters at least", p.ID, s))
				}
			}
		}
	}
	return file.Provider, errors.Join(errs...)
}

// Provider returns the id of the provider that the hints tell, or an empty
// string. A service's host name is the best hint, then its banner, its EHLO
// reply, its wording; software counts only when no service fits.
func (s *Set) Provider(h Hints) string {
	host := hostName(h.Host)
	if id := s.fits(false, func(p *Provider) bool { return hostFits(p.Hosts, host) }); id != "" {
		return id
	}
	banner, ehlo, reply := strings.ToLower(h.Banner), strings.ToLower(h.EHLO), strings.ToLower(h.Reply)
	for _, software := range []bool{false, true} {
		for _, fits := range []func(p *Provider) bool{
			func(p *Provider) bool { return software && hostFits(p.Hosts, host) },
			func(p *Provider) bool { return containsAny(banner, p.Banner) },
			func(p *Provider) bool { return containsAny(ehlo, p.EHLO) },
			func(p *Provider) bool { return containsAny(reply, p.Reply) },
		} {
			if id := s.fits(software, fits); id != "" {
				return id
			}
		}
	}
	return ""
}

// fits returns the first service, or program, that a test fits.
func (s *Set) fits(software bool, fits func(*Provider) bool) string {
	for i := range s.providers {
		if p := &s.providers[i]; p.Software == software && fits(p) {
			return p.ID
		}
	}
	return ""
}

// saidBy returns the provider that the words of a reply betray.
func (s *Set) saidBy(words string) string {
	for i := range s.providers {
		if containsAny(words, s.providers[i].Reply) {
			return s.providers[i].ID
		}
	}
	return ""
}

// ProviderByID returns what is known of a provider.
func (s *Set) ProviderByID(id string) (Provider, bool) {
	for _, p := range s.providers {
		if p.ID == id {
			return p, true
		}
	}
	return Provider{}, false
}

// Providers returns all providers, in the file's order.
func (s *Set) Providers() []Provider { return s.providers }

// hostName returns a host name as lists have it; an address is none.
func hostName(host string) string {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if net.ParseIP(host) != nil {
		return ""
	}
	return host
}

// hostFits compares a host name with a list.
func hostFits(hosts []string, host string) bool {
	if host == "" {
		return false
	}
	for _, h := range hosts {
		if host == h || (h[0] == '.' && (strings.HasSuffix(host, h) || host == h[1:])) {
			return true
		}
	}
	return false
}

func containsAny(text string, list []string) bool {
	for _, s := range list {
		if text != "" && strings.Contains(text, s) {
			return true
		}
	}
	return false
}
