package probe

import (
	"crypto/x509/pkix"
	"strings"
	"testing"
	"time"

	"smtp-proxy/proxy/session"
)

func TestShortName(t *testing.T) {
	tests := []struct{ dn, want string }{
		{"CN=smtp.example.com", "smtp.example.com"},
		{"CN=R11,O=Let's Encrypt,C=US", "R11"},
		{"O=Example\\, Inc.,CN=Mail", "Mail"},
		{`CN=Example\, Inc.+SERIALNUMBER=1,C=DE`, "Example, Inc."},
		{"O=Example,C=DE", "O=Example,C=DE"},
		{"", ""},
		{`CN=\`, `\`},
	}
	for _, test := range tests {
		if got := shortName(test.dn); got != test.want {
			t.Errorf("shortName(%q) = %q, want %q", test.dn, got, test.want)
		}
	}
}

// FuzzShortName has a common name come back out of a distinguished name as the
// library writes it.
func FuzzShortName(f *testing.F) {
	f.Add("smtp.example.com", "Example, Inc.")
	f.Add(" a+b=c\\", "#\"<>;")
	f.Fuzz(func(t *testing.T, common, organization string) {
		dn := pkix.Name{CommonName: common, Organization: []string{organization}}.String()
		want := string([]rune(common)) // the library mends what is no UTF-8
		if got := shortName(dn); common != "" && got != want {
			t.Errorf("shortName(%q) = %q, want %q", dn, got, want)
		}
		_ = shortName(organization) // whatever it is, it ends
	})
}

// TestAutopsy reads what no certificate of the test authority has.
func TestAutopsy(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	valid := session.Certificate{
		Subject: "CN=mx", Issuer: "CN=mid", Names: []string{"mx.example.com"}, Key: "RSA 2048", Signature: "SHA256-RSA",
		NotBefore: now.AddDate(0, -1, 0), NotAfter: now.AddDate(0, 2, 0), Serial: "1",
	}
	change := func(f func(*session.Certificate)) session.TLS {
		c := valid
		f(&c)
		return session.TLS{Chain: []session.Certificate{c}}
	}
	tests := []struct {
		name  string
		facts session.TLS
		line  string
	}{
		{"a short key", change(func(c *session.Certificate) { c.Key = "RSA 1024" }), "warn 1: \"mx\", issued by \"mid\", RSA 1024, 61 days left; the key is short"},
		{"a key that is refused", change(func(c *session.Certificate) { c.Key = "RSA 512" }), "fail 1: \"mx\", issued by \"mid\", RSA 512, 61 days left; so short a key is refused"},
		{"MD5", change(func(c *session.Certificate) { c.Signature = "MD5-RSA" }), "signed with MD5-RSA"},
		{"a root's own signature", change(func(c *session.Certificate) { c.Signature, c.Issuer = "SHA1-RSA", c.Subject }), "ok 1: \"mx\", issued by itself, RSA 2048, 61 days left"},
		{"29 days", change(func(c *session.Certificate) { c.NotAfter = now.AddDate(0, 0, 29) }), "warn 1: \"mx\", issued by \"mid\", RSA 2048, 29 days left; ends soon"},
		{"six days of six", change(func(c *session.Certificate) { c.NotBefore, c.NotAfter = now, now.AddDate(0, 0, 6) }), "ok 1: \"mx\", issued by \"mid\", RSA 2048, 6 days left"},
		{"one day of six", change(func(c *session.Certificate) { c.NotBefore, c.NotAfter = now.AddDate(0, 0, -5), now.AddDate(0, 0, 1) }), "warn 1: \"mx\", issued by \"mid\", RSA 2048, 24 hours left; ends soon"},
		{"no subject", change(func(c *session.Certificate) { c.Subject = "" }), "1: \"mx.example.com\", issued by"},
		{"control characters", change(func(c *session.Certificate) { c.Subject = "CN=a\x1b[31m\nb" }), "1: \"a?[31m?b\", issued by"},
		{"no answer although it must", session.TLS{Chain: []session.Certificate{valid}, Stapled: "missing"}, "warn the certificate demands an OCSP answer"},
		{"somebody in between", session.TLS{Chain: []session.Certificate{valid}, Interceptor: "Example Antivirus"}, "fail somebody seems to stand in between and to show a certificate of its own: Example Antivirus"},
		{"issuers in a ring", session.TLS{Chain: []session.Certificate{
			{Subject: "CN=a", Issuer: "CN=b", NotAfter: now.AddDate(1, 0, 0)}, {Subject: "CN=b", Issuer: "CN=a", NotAfter: now.AddDate(1, 0, 0), Serial: "2"},
		}}, "ok 2: \"b\", issued by \"a\""},
	}
	for _, test := range tests {
		var all []string
		for _, l := range (autopsy{facts: &test.facts, host: "mx.example.com", now: now}).lines() {
			all = append(all, string(l.Status)+" "+l.Text)
		}
		if got := strings.Join(all, "\n"); !strings.Contains(got, test.line) {
			t.Errorf("%s: no %q in\n%s", test.name, test.line, got)
		}
	}
}

func TestCovers(t *testing.T) {
	tests := []struct {
		name, host string
		want       bool
	}{
		{"mx.example.com", "mx.example.com", true},
		{"MX.Example.COM", "mx.example.com", true},
		{"*.example.com", "mx.example.com", true},
		{"*.example.com", "a.mx.example.com", false},
		{"*.example.com", "example.com", false},
		{"192.0.2.1", "192.0.2.1", true},
		{"2001:db8::1", "2001:db8::1", true},
		{"fe80::1", "fe80::1%eth0", true},
		{"192.0.2.1", "192.0.2.2", false},
	}
	for _, test := range tests {
		if got := covers(test.name, test.host); got != test.want {
			t.Errorf("covers(%q, %q) = %v, want %v", test.name, test.host, got, test.want)
		}
	}
}

// TestCertificateWords names a certificate in the dialogue as the chain does.
func TestCertificateWords(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	facts := &session.TLS{Chain: []session.Certificate{{
		Names: []string{"mx.example.com"}, Issuer: `CN=Acme\, Inc. CA,O=Acme`, NotAfter: now.Add(30 * time.Hour),
	}}}
	if got, want := certificateWords(facts, now), "for mx.example.com, by Acme, Inc. CA, 30 hours left"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
