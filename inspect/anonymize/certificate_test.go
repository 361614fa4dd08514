package anonymize_test

import (
	"strings"
	"testing"

	"smtp-proxy/inspect/anonymize"
)

// An authority that names itself in somebody's certificate does not keep him in
// the export; its own name stays.
func TestSubjects(t *testing.T) {
	for _, dn := range []string{
		"OU=GT77,OU=Domain Control Validated - RapidSSL(R),CN=mail.planted-corp.com", "CN=mail.planted-corp.com,OU=Hosted by Sectigo", "CN=*.planted-corp.com,O=Amazon",
		"EMAILADDRESS=ca@planted-corp.com,CN=Thawte", "UID=planted,O=Microsoft",
	} {
		s := whole()
		s.Upstream.TLS.Chain[0].Subject = dn
		if got := anonymize.New().Session(s).Upstream.TLS.Chain[0].Subject; strings.Contains(got, "planted") {
			t.Errorf("%q: got %q, want it without the planted name", dn, got)
		}
	}
	for _, dn := range []string{"CN=R11,O=Let's Encrypt,C=US", "CN=SSL.com RSA SSL subCA,O=SSL Corporation,C=US", "CN=Amazon RSA 2048 M02,O=Amazon,C=US"} {
		s := whole()
		s.Upstream.TLS.Chain[0].Issuer = dn
		if got := anonymize.New().Session(s).Upstream.TLS.Chain[0].Issuer; got != dn {
			t.Errorf("%q: got %q, want it as it is", dn, got)
		}
	}
}
