package proxy

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// How long the certificates last. A root is trusted by hand, so it lasts; a
// leaf is made anew in memory, so it need not, and no client refuses it for
// its length.
const (
	rootLife  = 10 * 365 * 24 * time.Hour
	leafLife  = 30 * 24 * time.Hour
	leafRenew = 10 * 24 * time.Hour // what a leaf that is handed out still has to last
	clockSlop = time.Hour           // how far the app's clock may be behind
	maxLeaves = 256
)

// Authority is the local certificate authority of the app's leg. It makes the
// certificates with which the proxy answers the app's TLS.
//
// It carries no name constraints: an app may know the proxy by any name (a
// container's, or behind a firewall's redirection the smarthost's own), and
// whether the app's TLS library honours constraints cannot be known. What
// bounds the harm is that the key never leaves a 0600 file, that it may sign
// nothing but servers' certificates, and no further authority.
type Authority struct {
	root *x509.Certificate
	key  *ecdsa.PrivateKey
	leaf *ecdsa.PrivateKey // one key for all leaves; it lives no longer than the process

	mu     sync.Mutex
	leaves map[string]*tls.Certificate
	clock  func() time.Time
}

// EphemeralAuthority makes an authority that lasts as long as the process,
// for a proxy that keeps no data.
func EphemeralAuthority(now time.Time) (*Authority, error) {
	bundle, err := newBundle(now)
	if err != nil {
		return nil, err
	}
	return readBundle(bundle, now)
}

// CertPEM returns the root certificate in PEM, for apps to trust.
func (a *Authority) CertPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.root.Raw})
}

// Root returns the root certificate.
func (a *Authority) Root() *x509.Certificate { return a.root }

// Leaf returns a certificate for the app that said hello: for this machine's
// own names and addresses, the address it connected to and the name it asked
// for. It fits [tls.Config.GetCertificate].
func (a *Authority) Leaf(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	names := ownNames()
	if name := strings.ToLower(strings.TrimSuffix(hello.ServerName, ".")); isName(name) && !slices.Contains(names, name) {
		names = append(names, name)
	}
	if addr := localAddr(hello.Conn); addr != "" && !slices.Contains(names, addr) {
		names = append(names, addr)
	}
	key := strings.Join(names, " ")
	now := a.clock()
	a.mu.Lock()
	defer a.mu.Unlock()
	if known := a.leaves[key]; known != nil && now.Add(leafRenew).Before(known.Leaf.NotAfter) {
		return known, nil
	}
	made, err := a.issue(names, now)
	if err != nil {
		return nil, err
	}
	for other := range a.leaves {
		if len(a.leaves) < maxLeaves {
			break
		}
		delete(a.leaves, other)
	}
	a.leaves[key] = made
	return made, nil
}

// issue signs a leaf for names, the root itself not sent: the app has it, or
// would not trust it anyway.
func (a *Authority) issue(names []string, now time.Time) (*tls.Certificate, error) {
	template := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      pkix.Name{CommonName: "smtp-proxy"},
		NotBefore:    now.Add(-clockSlop),
		NotAfter:     now.Add(leafLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
			continue
		}
		template.DNSNames = append(template.DNSNames, name)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.root, a.leaf.Public(), a.key)
	if err != nil {
		return nil, fmt.Errorf("sign a certificate for %s: %w", strings.Join(names, ", "), err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read back a certificate: %w", err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: a.leaf, Leaf: leaf}, nil
}

// ownNames are the names under which this machine is known to itself.
func ownNames() []string {
	names := []string{"localhost", "127.0.0.1", "::1"}
	host, err := os.Hostname()
	host = strings.ToLower(host)
	if err == nil && isName(host) && host != "localhost" {
		names = append(names, host)
	}
	return names
}

// isName reports whether s can stand in a certificate as a DNS name. What a
// stranger asks for is signed, so it must at least be one.
func isName(s string) bool {
	if s == "" || len(s) > 253 || net.ParseIP(s) != nil {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
}

// localAddr is the address that the app connected to, which it may have
// named in its settings.
func localAddr(conn net.Conn) string {
	if conn == nil || conn.LocalAddr() == nil {
		return ""
	}
	addr, err := netip.ParseAddrPort(conn.LocalAddr().String())
	if err != nil {
		return ""
	}
	return addr.Addr().Unmap().WithZone("").String()
}

func newKey() (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	return key, nil
}

// serial is a random serial number of 120 bits.
func serial() *big.Int {
	b := make([]byte, 15)
	rand.Read(b) // never fails: crypto/rand ends the program instead
	return new(big.Int).SetBytes(b)
}
