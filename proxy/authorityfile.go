package proxy

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// The authority's files. The key file holds the certificate too and is what
// counts; ca.pem is the copy that people hand to their apps.
const (
	rootFile = "ca.pem"
	keyFile  = "ca.key"
)

// OpenAuthority loads the authority of a data directory, or makes one that is
// there for the next start. Files that cannot be read are an error and stay as
// they are: apps may trust what they hold.
func OpenAuthority(dir string, now time.Time) (*Authority, error) {
	path := filepath.Join(dir, keyFile)
	bundle, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		bundle, err = createBundle(dir, now)
	}
	if err != nil {
		return nil, fmt.Errorf("local certificate authority: %w", err)
	}
	a, err := readBundle(bundle, now)
	if err != nil {
		return nil, fmt.Errorf("local certificate authority %s: %w; restore it from a backup, or remove it and %s "+
			"to have a new one made, which the apps must then be told to trust", path, err, rootFile)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, fmt.Errorf("local certificate authority: protect the key: %w", err)
	}
	if err := a.publish(filepath.Join(dir, rootFile)); err != nil {
		return nil, fmt.Errorf("local certificate authority: %w", err)
	}
	return a, nil
}

// createBundle makes a new authority and writes it whole or not at all. When
// another process was quicker, its authority is the one.
func createBundle(dir string, now time.Time) ([]byte, error) {
	root := filepath.Join(dir, rootFile)
	if _, err := os.Stat(root); err == nil {
		return nil, fmt.Errorf("%s is there, but the key that belongs to it, %s, is not: "+
			"bring the key back, or remove %s to have a new authority made", root, keyFile, rootFile)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	bundle, err := newBundle(now)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, keyFile)
	err = writeOnce(path, bundle)
	if errors.Is(err, fs.ErrExist) {
		return os.ReadFile(path)
	}
	return bundle, err
}

// writeOnce writes a new private file under a name that must not be taken. A
// reader never sees half of it.
func writeOnce(path string, data []byte) error {
	temp, err := writeTemp(path, data)
	if err != nil {
		return err
	}
	defer os.Remove(temp)
	err = os.Link(temp, path)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return os.Rename(temp, path) // a file system without hard links
	}
	return err
}

// writeTemp writes data to a private file beside path, and to the disk. The
// mode is set apart from the creation: a umask may take too much away.
func writeTemp(path string, data []byte) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(0o600), f.Sync(), f.Close())
	if err != nil {
		os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

// newBundle makes a root and its key, both in PEM.
func newBundle(now time.Time) ([]byte, error) {
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	host, _ := os.Hostname() // only to tell several machines' roots apart
	template := &x509.Certificate{
		SerialNumber:          serial(),
		Subject:               pkix.Name{CommonName: strings.TrimSpace("smtp-proxy local CA " + host)},
		NotBefore:             now.Add(-clockSlop),
		NotAfter:              now.Add(rootLife),
		KeyUsage:              x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("sign the root: %w", err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode the key: %w", err)
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...), nil
}

// readBundle reads what newBundle has written.
func readBundle(bundle []byte, now time.Time) (*Authority, error) {
	pair, err := tls.X509KeyPair(bundle, bundle)
	if err != nil {
		return nil, fmt.Errorf("damaged: %w", err)
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	switch {
	case !ok || !pair.Leaf.IsCA:
		return nil, errors.New("damaged: it holds a certificate that is no authority of smtp-proxy")
	case now.After(pair.Leaf.NotAfter):
		return nil, fmt.Errorf("expired on %s", pair.Leaf.NotAfter.UTC().Format(time.DateOnly))
	}
	leaf, err := newKey()
	if err != nil {
		return nil, err
	}
	return &Authority{root: pair.Leaf, key: key, leaf: leaf, leaves: map[string]*tls.Certificate{}, clock: time.Now}, nil
}

// publish puts the root where people look for it. One that is there already
// must be the same.
func (a *Authority) publish(path string) error {
	published, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = writeOnce(path, a.CertPEM()); !errors.Is(err, fs.ErrExist) {
			return err
		}
		published, err = os.ReadFile(path)
	}
	if err != nil {
		return err
	}
	if block, _ := pem.Decode(published); block == nil || !slices.Equal(block.Bytes, a.root.Raw) {
		return fmt.Errorf("%s is damaged or is not the certificate of %s: remove %s to have it written again", path, keyFile, rootFile)
	}
	return nil
}
