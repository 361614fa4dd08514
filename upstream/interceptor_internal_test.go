package upstream

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"strings"
	"testing"
	"time"
)

// authority signs for itself under a name with an organization.
func authorityOf(t *testing.T, name, organization string, parent *signer) *signer {
	return signAs(t, name, newTestKey(t), parent, func(c *x509.Certificate) {
		c.Subject = pkix.Name{CommonName: name, Organization: []string{organization}}
		c.IsCA, c.BasicConstraintsValid, c.DNSNames = true, true, nil
	})
}

func serverOf(t *testing.T, parent *signer, names ...string) *signer {
	return signAs(t, names[0], newTestKey(t), parent, func(c *x509.Certificate) { c.DNSNames = names })
}

func TestInterceptor(t *testing.T) {
	public := authorityOf(t, "DigiCert Global Root G2", "DigiCert Inc", nil)
	google := authorityOf(t, "WR2", "Google Trust Services", nil)
	avast := authorityOf(t, "Avast Web/Mail Shield Root", "Avast Web/Mail Shield", nil)
	fortinet := authorityOf(t, "FG100ETK18000000", "Fortinet", nil)
	zscaler := authorityOf(t, "Zscaler Root CA", "Zscaler Inc.", nil)
	below := authorityOf(t, "Acme TLS", "Acme", zscaler)
	acme := authorityOf(t, "Acme Issuing CA", "Acme Corp", nil)
	sophos := authorityOf(t, "Sophos Internal CA", "Sophos Ltd", nil)
	noSNI := signAs(t, "invalid2.invalid", newTestKey(t), nil, func(c *x509.Certificate) {
		c.Subject.OrganizationalUnit = []string{"No SNI provided; please fix your client."}
	})
	tests := []struct {
		name, host string
		chain      []*signer
		roots      []*signer
		want       string // the beginning; empty means nobody
	}{
		{"an antivirus", "mail.example", []*signer{serverOf(t, avast, "mail.example")}, nil, "Avast (it scans"},
		{"an antivirus that this machine trusts", "mail.example", []*signer{serverOf(t, avast, "mail.example")}, []*signer{avast}, "Avast (it scans"},
		{"a firewall", "smtp.gmail.com", []*signer{serverOf(t, fortinet, "smtp.gmail.com")}, nil, "Fortinet FortiGate (it inspects"},
		{"known only by its root", "mail.example", []*signer{serverOf(t, below, "mail.example"), below, zscaler}, nil, "Zscaler (it inspects"},
		{"a company's proxy before a well-known name", "smtp.office365.com", []*signer{serverOf(t, acme, "smtp.office365.com")}, nil, "Acme Issuing CA, who is no authority that Microsoft uses"},
		{"a hoster in its place", "smtp.gmail.com", []*signer{serverOf(t, public, "*.web-hosting.com", "web-hosting.com")}, []*signer{public}, "Namecheap, whose server *.web-hosting.com"},
		{"another server in its place", "smtp.gmail.com", []*signer{serverOf(t, public, "mx.hoster.example")}, []*signer{public}, "the mail server of mx.hoster.example"},

		{"a provider's own", "smtp.gmail.com", []*signer{serverOf(t, google, "smtp.gmail.com")}, []*signer{google}, ""},
		{"a provider's own, unknown to an empty trust store", "smtp.gmail.com", []*signer{serverOf(t, google, "smtp.gmail.com")}, nil, ""},
		{"a provider's by a public authority that is not known", "smtp.office365.com", []*signer{serverOf(t, public, "smtp.office365.com")}, nil, ""},
		{"a provider's for another of its names", "smtp.googlemail.com", []*signer{serverOf(t, google, "smtp.gmail.com")}, []*signer{google}, ""},
		{"Google to those who name no host", "smtp.gmail.com", []*signer{noSNI}, nil, ""},
		{"a healthy public chain", "mail.example", []*signer{serverOf(t, public, "mail.example")}, []*signer{public}, ""},
		{"a company's own authority", "mail.acme.example", []*signer{serverOf(t, acme, "mail.acme.example")}, nil, ""},
		{"a company's own authority, trusted", "mail.acme.example", []*signer{serverOf(t, acme, "mail.acme.example")}, []*signer{acme}, ""},
		{"a maker's own house", "smtp.sophos.com", []*signer{serverOf(t, sophos, "smtp.sophos.com")}, nil, ""},
		{"an appliance that is the smarthost", "mail.acme.example", []*signer{serverOf(t, fortinet, "fe400.local")}, nil, ""},
		{"a shared hoster's certificate", "mail.acme.example", []*signer{serverOf(t, public, "*.web-hosting.com")}, []*signer{public}, ""},
	}
	for _, tt := range tests {
		v := verifier{host: tt.host, now: time.Now(), roots: x509.NewCertPool()}
		for _, root := range tt.roots {
			v.roots.AddCert(root.cert)
		}
		var chain []*x509.Certificate
		for _, s := range tt.chain {
			chain = append(chain, s.cert)
		}
		got := newSuspects().between(tt.host, chain, v.judge(chain, nil))
		if !strings.HasPrefix(got, tt.want) || (got == "") != (tt.want == "") {
			t.Errorf("%s: %s is answered by %q, want %q", tt.name, tt.host, got, tt.want)
		}
	}
}

// Marks are compared with lower-case text, and none may be part of a public
// authority's name.
func TestInterceptorTables(t *testing.T) {
	for _, p := range products() {
		for _, mark := range p.marks {
			if mark != strings.ToLower(mark) || len(mark) < 4 || containsAny(strings.Join(publicAuthorities(), "\n"), []string{mark}) {
				t.Errorf("%s: mark %q is not lower case, too short, or a public authority's", p.name, mark)
			}
		}
	}
	for _, p := range mailProviders() {
		for _, domain := range p.domains {
			if owner := newSuspects().ownerOf("smtp." + domain); owner == nil || owner.name != p.name {
				t.Errorf("smtp.%s belongs to %v, want %s", domain, owner, p.name)
			}
		}
	}
}
