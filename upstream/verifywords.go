package upstream

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"strings"
	"time"
)

// nameWords says whom a certificate is for instead of host.
func nameWords(leaf *x509.Certificate, host string) string {
	names := namesOf(leaf)
	switch n := len(names); {
	case n == 0 && leaf.Subject.CommonName != "":
		return fmt.Sprintf("the certificate is not for %s: it names %q in its common name only, which does not count (RFC 9525)",
			host, leaf.Subject.CommonName)
	case n == 0:
		return "the certificate is not for " + host + ": it names no host at all"
	case n > 5:
		return fmt.Sprintf("the certificate is not for %s, but for %s and %d more", host, strings.Join(names[:5], ", "), n-5)
	}
	return fmt.Sprintf("the certificate is not for %s, but for %s", host, strings.Join(names, ", "))
}

// nameOf is the short name of a certificate's subject. Public authorities
// leave the subject of a server's empty; then it is the first name it is for.
func nameOf(c *x509.Certificate) string {
	if name := shortName(c.Subject); name != "" || len(c.DNSNames) == 0 {
		return name
	}
	return c.DNSNames[0]
}

// issuerName is the short name of a certificate's issuer.
func issuerName(c *x509.Certificate) string { return shortName(c.Issuer) }

func shortName(n pkix.Name) string {
	if n.CommonName != "" {
		return n.CommonName
	}
	return n.String()
}

func day(t time.Time) string    { return t.UTC().Format("2006-01-02") }
func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// span words the time since a certificate has ended.
func span(d time.Duration) string {
	switch days := int(d.Hours() / 24); {
	case days > 1:
		return fmt.Sprintf("%d days", days)
	case days == 1:
		return "1 day"
	}
	return d.Round(time.Minute).String()
}

// bareHost takes the zone off an IPv6 address: certificates know none.
func bareHost(host string) string {
	bare, _, _ := strings.Cut(host, "%")
	return bare
}
