package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"smtp-proxy/proxy/session"
)

// certificateFacet compares the leaf certificates that the upstream sent.
func certificateFacet() facet {
	return facet{of: func(p *profile) string { return fingerprint(p.cert) }, tell: tellCertificate}
}

// fingerprint tells certificates apart by what is on record of them.
func fingerprint(c *session.Certificate) string {
	if c == nil {
		return ""
	}
	return strings.Join([]string{c.Serial, c.Issuer, c.Subject, c.NotAfter.UTC().String(), strings.Join(c.Names, " ")}, "\n")
}

func tellCertificate(old, now *profile) []change {
	is, was := now.cert, old.cert
	parts := []string{}
	differ := func(what, a, b string) {
		if a != b {
			parts = append(parts, fmt.Sprintf("%s %s instead of %s", what, shown(or(a, "nothing")), shown(or(b, "nothing"))))
		}
	}
	differ("for", namesOf(is), namesOf(was))
	differ("issued by", is.Issuer, was.Issuer)
	differ("valid until", day(is.NotAfter), day(was.NotAfter))
	differ("with serial", is.Serial, was.Serial)
	return []change{{"the upstream's certificate is another one: " + strings.Join(parts, ", "),
		[]string{"tls.certificate-", "tls.chain-incomplete", "tls.sni-required"}}}
}

// namesOf lists the names of a certificate, the first few of many.
func namesOf(c *session.Certificate) string {
	const most = 4
	names := slices.Clone(c.Names[:min(len(c.Names), most)])
	if len(c.Names) > most {
		names = append(names, "…")
	}
	if len(names) == 0 {
		return c.Subject
	}
	return strings.Join(names, ", ")
}
