package anonymize

import (
	"reflect"
	"regexp"
	"strings"

	"smtp-proxy/proxy/session"
)

// tls replaces the names in a handshake. The certificates of public services
// stay; raw ones, which are there while a chain is judged, go.
func (a *Anonymizer) tls(t session.TLS) session.TLS {
	facts := t
	facts.Sent, facts.Staple, facts.Chain, facts.Path, facts.Repaired = nil, nil, nil, nil, nil
	facts.RootHint, facts.Interceptor = "", ""
	out := a.each(reflect.ValueOf(facts)).Interface().(session.TLS)
	out.Chain, out.Path, out.Repaired = a.chain(t.Chain), a.chain(t.Path), a.chain(t.Repaired)
	out.RootHint = a.subject(t.RootHint)
	out.Interceptor = a.text(t.Interceptor)
	return out
}

func (a *Anonymizer) chain(list []session.Certificate) []session.Certificate {
	if list == nil {
		return nil
	}
	out := make([]session.Certificate, len(list))
	for i, c := range list {
		out[i] = a.certificate(c)
	}
	return out
}

func (a *Anonymizer) certificate(c session.Certificate) session.Certificate {
	subject, issuer := a.subject(c.Subject), a.subject(c.Issuer)
	if subject != c.Subject || issuer != c.Issuer {
		c.Serial = a.name(c.Serial)
	}
	c.Subject, c.Issuer = subject, issuer
	names := make([]string, len(c.Names))
	for i, n := range c.Names {
		names[i] = a.endpoint(n)
		if strings.Contains(n, "@") {
			names[i] = a.address(n)
		}
	}
	if c.Names != nil {
		c.Names = names
	}
	c.AIA = a.value(reflect.ValueOf(c.AIA), "Certificate.AIA").Interface().([]string)
	return c
}

// authorities are the organizations that certify for everybody, and the names
// of this program's own certificates.
var authorities = regexp.MustCompile(`(?i)let's encrypt|internet security research group|\bisrg\b|digicert|sectigo|comodo|usertrust|globalsign|google trust services|\bamazon\b|microsoft|entrust|godaddy|starfield|actalis|buypass|swisssign|certum|asseco|identrust|t-systems|telesec|zerossl|cloudflare|\bapple\b|geotrust|thawte|rapidssl|quovadis|d-trust|\btelia\b|ssl\.com|trustwave|harica|microsec|gandi|verisign|symantec|baltimore|dst root|smtp-proxy`)

// subscriber is the name of a host or a mailbox: whoever certifies may stand
// beside it, as in OU=Domain Control Validated - RapidSSL(R).
var subscriber = regexp.MustCompile(`(?i)CN=[^ ,+]+\.[^ ,+]+(?:[,+]|$)|@|EMAILADDRESS=|UID=`)

// attribute is one part of a distinguished name (RFC 4514). A comma in a value
// is written with a backslash.
var attribute = regexp.MustCompile(`((?:^|[,+])\s*(?i:CN|OU?|L|ST|C|DC|UID|STREET|SERIALNUMBER|POSTALCODE|EMAILADDRESS|[\d.]+)=)((?:\\.|[^,+\\])*)`)

// subject replaces a distinguished name value by value. One that names a
// public authority, or a host that stays, stays whole.
func (a *Anonymizer) subject(dn string) string {
	if authorities.MatchString(dn) && !subscriber.MatchString(dn) {
		return dn
	}
	var b strings.Builder
	at := 0
	rest := scan{Anonymizer: a, strict: true}
	for _, m := range attribute.FindAllStringSubmatchIndex(dn, -1) {
		b.WriteString(rest.text(dn[at:m[0]]) + dn[m[2]:m[3]])
		b.WriteString(a.attribute(strings.ToUpper(strings.Trim(dn[m[2]:m[3]], ",+= ")), dn[m[4]:m[5]]))
		at = m[1]
	}
	return b.String() + rest.text(dn[at:])
}

func (a *Anonymizer) attribute(key, value string) string {
	switch {
	case key == "C": // a country is nobody's
		return value
	case key == "CN" && !strings.ContainsAny(value, " \\"):
		return a.certified(value)
	}
	a.learn(value)
	return a.name(value)
}

func (a *Anonymizer) certified(name string) string {
	if strings.Contains(name, "@") {
		return a.address(name)
	}
	return a.endpoint(name)
}
