package probe_test

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"testing"

	"smtp-proxy/testenv"
)

// smarthost is one side of a pair: how it is set up, and what it takes, as the
// expectation needs it.
type smarthost struct {
	name     string
	min, max uint16   // versions; 0 means TLS 1.2 and 1.3
	suites   []uint16 // up to TLS 1.2; nil means those of the library
	groups   []tls.CurveID
	alpn     []string
	key      string // ecdsa (the default), rsa, ed25519
	cert     func(*testenv.CA, ...string) (tls.Certificate, error)
	trust    string // cause of a certificate that fails
	strange  bool   // the authority is unknown here
	sni      string // required, refused, or picks: another certificate without one
	client   tls.ClientAuthType
}

var ecdheRSA = []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA}

var ecdheECDSA = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}

var plainRSA = []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_AES_128_CBC_SHA}

var brokenSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA, tls.TLS_ECDHE_RSA_WITH_RC4_128_SHA, tls.TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA, tls.TLS_RSA_WITH_RC4_128_SHA}

func smarthosts() []smarthost {
	return []smarthost{
		{name: "usual"},
		{name: "TLS 1.3 alone", min: tls.VersionTLS13},
		{name: "TLS 1.2 alone", max: tls.VersionTLS12},
		{name: "TLS 1.0 and 1.1", min: tls.VersionTLS10, max: tls.VersionTLS11},
		{name: "all versions", min: tls.VersionTLS10},
		{name: "TLS 1.0 alone", min: tls.VersionTLS10, max: tls.VersionTLS10},
		{name: "RSA key", key: "rsa"},
		{name: "RSA key, TLS 1.2, ECDHE", key: "rsa", max: tls.VersionTLS12, suites: ecdheRSA},
		{name: "RSA key exchange, TLS 1.2", key: "rsa", max: tls.VersionTLS12, suites: plainRSA},
		{name: "Ed25519 key", key: "ed25519"},
		{name: "P-256", groups: []tls.CurveID{tls.CurveP256}},
		{name: "X25519", groups: []tls.CurveID{tls.X25519}},
		{name: "X25519, RSA key", key: "rsa", groups: []tls.CurveID{tls.X25519}},
		{name: "another protocol", alpn: []string{"h2"}},
		{name: "needs a name", sni: "required"},
		{name: "needs a name, TLS 1.2", sni: "required", max: tls.VersionTLS12},
		{name: "refuses its name", sni: "refused"},
		{name: "picks by name", sni: "picks"},
		{name: "picks by name, TLS 1.2", sni: "picks", max: tls.VersionTLS12},
		{name: "expired", cert: (*testenv.CA).Expired, trust: "tls.certificate-expired"},
		{name: "expired, TLS 1.2", cert: (*testenv.CA).Expired, max: tls.VersionTLS12, trust: "tls.certificate-expired"},
		{name: "expired intermediate", cert: (*testenv.CA).ExpiredIntermediate, trust: "tls.certificate-expired"},
		{name: "not yet valid", cert: (*testenv.CA).NotYetValid, trust: "tls.certificate-not-yet-valid"},
		{name: "incomplete", cert: (*testenv.CA).WithoutIntermediate, trust: "tls.chain-incomplete"},
		{name: "incomplete, TLS 1.2", cert: (*testenv.CA).WithoutIntermediate, max: tls.VersionTLS12, trust: "tls.chain-incomplete"},
		{name: "weak", cert: (*testenv.CA).Weak, trust: "tls.certificate-weak"},
		{name: "another name", cert: otherName, trust: "tls.certificate-name-mismatch"},
		{name: "self-signed", cert: selfSigned, trust: "tls.certificate-self-signed"},
		{name: "untrusted", cert: (*testenv.CA).WithRoot, strange: true, trust: "tls.certificate-untrusted"},
		{name: "wants a certificate", client: tls.RequireAnyClientCert},
		{name: "wants a certificate, TLS 1.2", client: tls.RequireAnyClientCert, max: tls.VersionTLS12},
		{name: "asks for a certificate", client: tls.RequestClientCert},
		{name: "asks for a certificate, TLS 1.2", client: tls.RequestClientCert, max: tls.VersionTLS12},
	}
}

func otherName(ca *testenv.CA, _ ...string) (tls.Certificate, error) {
	return ca.Leaf("other.example.net")
}

func selfSigned(_ *testenv.CA, names ...string) (tls.Certificate, error) {
	return testenv.SelfSigned(names...)
}

// open starts the smarthost with a certificate of ca, or of an authority that
// nobody knows.
func (s smarthost) open(t *testing.T, ca *testenv.CA) string {
	t.Helper()
	if s.strange {
		ca = newCA(t)
	}
	leaf := s.leaf(t, ca)
	other, err := ca.Leaf("other.example.net")
	if err != nil {
		t.Fatal(err)
	}
	cfg := &tls.Config{
		MinVersion: s.min, MaxVersion: s.max, CipherSuites: s.suites, CurvePreferences: s.groups,
		NextProtos: s.alpn, ClientAuth: s.client,
		GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
			switch {
			case s.sni == "required" && h.ServerName == "", s.sni == "refused" && h.ServerName == host:
				return nil, nil // makes unrecognized_name of it
			case s.sni == "picks" && h.ServerName == "":
				return &other, nil
			}
			return &leaf, nil
		},
	}
	return start(t, testenv.SmarthostOptions{TLS: cfg}).Addr()
}

func (s smarthost) leaf(t *testing.T, ca *testenv.CA) tls.Certificate {
	t.Helper()
	var leaf tls.Certificate
	var err error
	switch key := s.signer(t); {
	case key != nil:
		leaf, err = ca.LeafOf(key, host)
	case s.cert != nil:
		leaf, err = s.cert(ca, host)
	default:
		leaf, err = ca.Leaf(host)
	}
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}

func (s smarthost) signer(t *testing.T) crypto.Signer {
	t.Helper()
	switch s.key {
	case "rsa":
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		return key
	case "ed25519":
		_, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	return nil
}
