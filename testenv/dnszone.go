package testenv

import (
	"fmt"
	"strings"

	"github.com/miekg/dns"
)

// A adds IPv4 addresses of name.
func (d *DNS) A(name string, addrs ...string) { d.addEach(name, "A", addrs) }

// AAAA adds IPv6 addresses of name.
func (d *DNS) AAAA(name string, addrs ...string) { d.addEach(name, "AAAA", addrs) }

// CNAME makes name an alias of target.
func (d *DNS) CNAME(name, target string) { d.addEach(name, "CNAME", []string{dns.Fqdn(target)}) }

// MX adds mail exchangers of name, each as "10 mail.example.com.".
func (d *DNS) MX(name string, exchangers ...string) { d.addEach(name, "MX", exchangers) }

// TXT adds one text record of name.
func (d *DNS) TXT(name, text string) { d.addEach(name, "TXT", []string{fmt.Sprintf("%q", text)}) }

// PTR names the host of an IP address.
func (d *DNS) PTR(ip, host string) {
	name, err := dns.ReverseAddr(ip)
	if err != nil {
		panic("testenv: PTR of " + ip + ": " + err.Error())
	}
	d.addEach(name, "PTR", []string{dns.Fqdn(host)})
}

func (d *DNS) addEach(name, kind string, values []string) {
	for _, value := range values {
		d.Add(fmt.Sprintf("%s 60 IN %s %s", dns.Fqdn(name), kind, value))
	}
}

// Add adds a record in zone-file form: "name. 60 IN A 192.0.2.1". It panics
// on one that cannot be read, which is a mistake of the test.
func (d *DNS) Add(record string) {
	rr, err := dns.NewRR(record)
	if err != nil {
		panic("testenv: DNS record " + record + ": " + err.Error())
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	name := strings.ToLower(rr.Header().Name)
	d.records[name] = append(d.records[name], rr)
}

// Remove forgets all records and troubles of name.
func (d *DNS) Remove(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	name = strings.ToLower(dns.Fqdn(name))
	delete(d.records, name)
	for q := range d.troubles {
		if q.name == name {
			delete(d.troubles, q)
		}
	}
}

// Trouble makes questions about name go wrong, all of them or those of the
// given types (dns.TypeA …).
func (d *DNS) Trouble(name string, t Trouble, types ...uint16) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(types) == 0 {
		types = []uint16{0}
	}
	for _, qtype := range types {
		d.troubles[question{strings.ToLower(dns.Fqdn(name)), qtype}] = t
	}
}

// PartialAliases makes the server answer a question about an alias with the
// alias alone, as servers do that do not follow it.
func (d *DNS) PartialAliases() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.partial = true
}

// Sign makes the server say of answers about names that DNSSEC vouches for
// them, as a resolver that validates does, to those who want to know. "." is
// the name by which such a resolver is told from others.
func (d *DNS) Sign(names ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, name := range names {
		d.signed[strings.ToLower(dns.Fqdn(name))] = true
	}
}

// Unsign takes back what Sign has said.
func (d *DNS) Unsign() {
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.signed)
}

// Asked returns how often a question was put, over UDP and TCP together.
func (d *DNS) Asked(name string, qtype uint16) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.asked[question{strings.ToLower(dns.Fqdn(name)), qtype}]
}
