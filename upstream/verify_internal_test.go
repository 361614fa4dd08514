package upstream

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"strings"
	"testing"
	"time"

	"smtp-proxy/proxy/session"
)

// signer is a certificate and its key.
type signer struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// sign makes a certificate of that name with key, signed by parent or, with
// none, by itself. A name with a dot is a server's.
func sign(t *testing.T, name string, key crypto.Signer, parent *signer) *signer {
	return signAs(t, name, key, parent, func(*x509.Certificate) {})
}

// signAs is sign for a certificate with something of its own.
func signAs(t *testing.T, name string, key crypto.Signer, parent *signer, change func(*x509.Certificate)) *signer {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
	}
	if strings.Contains(name, ".") {
		template.DNSNames = []string{name}
	} else {
		template.IsCA, template.BasicConstraintsValid = true, true
	}
	change(template)
	if parent == nil {
		parent = &signer{template, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent.cert, key.Public(), parent.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &signer{cert, key}
}

func newTestKey(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// judged verifies a chain for mail.example against roots.
func judged(chain []*signer, roots ...*signer) trust {
	v := verifier{host: "mail.example", now: time.Now()}
	if len(roots) > 0 {
		v.roots = x509.NewCertPool()
	}
	for _, root := range roots {
		v.roots.AddCert(root.cert)
	}
	var sent []*x509.Certificate
	for _, s := range chain {
		sent = append(sent, s.cert)
	}
	return v.judge(sent, nil)
}

func TestJudgeIncompleteOrUntrusted(t *testing.T) {
	key := newTestKey(t)
	issue := func(name string, parent *signer) *signer { return sign(t, name, key, parent) }
	root, again, other := issue("Acme Root", nil), sign(t, "Acme Root", newTestKey(t), nil), issue("Other Root", nil)
	upper := issue("Acme Intermediate", root)
	lower := issue("Acme Issuing CA", upper)
	plain := issue("Acme", nil)
	tests := []struct {
		name  string
		chain []*signer
		roots []*signer
		want  session.VerifyFault
	}{
		{"complete", []*signer{issue("mail.example", lower), lower, upper}, []*signer{root}, session.VerifyOK},
		{"in disorder", []*signer{issue("mail.example", lower), root, upper, lower}, []*signer{root}, session.VerifyOK},
		{"the root itself as leaf's issuer", []*signer{issue("mail.example", root)}, []*signer{root}, session.VerifyOK},
		{"beside the leaf one that did not issue it", []*signer{issue("mail.example", lower), other}, []*signer{root}, session.VerifyIncomplete},
		{"an issuer of any name, the owner having named a root", []*signer{issue("mail.example", lower)}, []*signer{other}, session.VerifyIncomplete},
		{"a root by its name", []*signer{issue("mail.example", root)}, []*signer{other}, session.VerifyUntrusted},
		{"a root made anew under its old name", []*signer{issue("mail.example", root)}, []*signer{again}, session.VerifyUntrusted},
		{"only the root left out", []*signer{issue("mail.example", lower), lower, upper}, []*signer{other}, session.VerifyUntrusted},
		{"with its root", []*signer{issue("mail.example", plain), plain}, []*signer{other}, session.VerifyUntrusted},
		{"an issuer of any name, unknown to the system", []*signer{issue("mail.example", plain)}, nil, session.VerifyUntrusted},
		{"an intermediate by its name", []*signer{issue("mail.example", lower)}, nil, session.VerifyIncomplete},
	}
	for _, tt := range tests {
		if got := judged(tt.chain, tt.roots...); got.fault != tt.want || (got.words == "") != (tt.want == session.VerifyOK) {
			t.Errorf("%s: %q (%s), want %q", tt.name, got.fault, got.words, tt.want)
		}
	}
}

// In passthrough nobody but the judge sees a key that this machine's own TLS
// would refuse to verify with.
func TestJudgeWeakKey(t *testing.T) {
	issuer := sign(t, "Acme", newTestKey(t), nil)
	for bits, want := range map[uint]session.VerifyFault{512: session.VerifyWeak, 1023: session.VerifyWeak, 1024: session.VerifyOK, 2048: session.VerifyOK} {
		modulus := new(big.Int).Lsh(big.NewInt(1), bits-1)
		template := &x509.Certificate{
			SerialNumber: big.NewInt(1), DNSNames: []string{"mail.example"},
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		}
		key := &rsa.PublicKey{N: modulus.Add(modulus, big.NewInt(1)), E: 65537}
		der, err := x509.CreateCertificate(rand.Reader, template, issuer.cert, key, issuer.key)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		if got := judged([]*signer{{cert: leaf}}, issuer); got.fault != want {
			t.Errorf("RSA key of %d bits: %q (%s), want %q", bits, got.fault, got.words, want)
		}
	}
}

func TestJudgeNoCertificate(t *testing.T) {
	if got := judged(nil); got.fault != session.VerifyOther || got.words == "" {
		t.Errorf("no certificate: %+v, want other", got)
	}
}

func TestCertificateFacts(t *testing.T) {
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rivest, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		key             crypto.Signer
		name, signature string
	}{
		{newTestKey(t), "ECDSA P-384", "ECDSA-SHA384"},
		{edwards, "Ed25519", "Ed25519"},
		{rivest, "RSA 2048", "SHA256-RSA"},
	}
	for _, tt := range tests {
		got := certificate(sign(t, "mail.example", tt.key, nil).cert)
		if got.Key != tt.name || got.Signature != tt.signature || got.Subject != "CN=mail.example" || got.Names[0] != "mail.example" {
			t.Errorf("recorded %+v, want key %s and signature %s", got, tt.name, tt.signature)
		}
	}
}

func TestTicketsAreBounded(t *testing.T) {
	tickets, now := newTickets(), time.Now()
	for i := range 3 * maxTickets {
		tickets.keep(strings.Repeat("x", i), ticket{until: now.Add(time.Minute)})
	}
	if len(tickets.kept) > maxTickets {
		t.Errorf("%d sessions are kept, want at most %d", len(tickets.kept), maxTickets)
	}
	last := strings.Repeat("x", 3*maxTickets-1)
	if _, ok := tickets.recall(last, now); !ok {
		t.Error("the last session is not kept")
	}
	if _, ok := tickets.recall(last, now.Add(time.Minute)); ok {
		t.Error("a session is kept beyond its time")
	}
}
