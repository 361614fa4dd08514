package probe

import (
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Lengths of RSA keys: receivers take no shorter one than the first, and one is
// not to sign with a shorter one than the second (RFC 8301, section 3.2).
const (
	leastRSA   = 1024
	advisedRSA = 2048
)

// maxKeyBits bounds which keys are taken for such: receivers need not read
// longer ones than 4096.
const maxKeyBits = 16384

// dkimKey is a public key as a domain publishes it for DKIM (RFC 6376, section
// 3.6.1).
type dkimKey struct {
	kind    string // rsa, ed25519, or what the record says
	bits    int    // of an RSA key
	public  []byte // what p= holds
	revoked bool   // p= is empty
	testing bool   // receivers are to treat signed mail like unsigned
	faults  []string
}

// isDKIM reports whether a text is meant for a key: a name may have other
// records, of a wildcard for example.
func isDKIM(text string) bool {
	l := parseTags(text)
	return strings.EqualFold(l.get("v"), "DKIM1") || l.has("p")
}

// parseDKIM reads a record.
func parseDKIM(text string) (k dkimKey) {
	l := parseTags(text)
	if l.has("v") && (l.tags[0].name != "v" || l.get("v") != "DKIM1") {
		l.fault("v= has to be DKIM1, and to come first")
	}
	k.kind = orElse(strings.ToLower(l.get("k")), "rsa")
	for _, flag := range l.words("t") {
		k.testing = k.testing || flag == "y"
	}
	if hashes := l.words("h"); len(hashes) > 0 && !slices.Contains(hashes, "sha256") {
		l.fault("h=%s leaves out sha256, the only digest that receivers take", printable(l.get("h")))
	}
	if services := l.words("s"); len(services) > 0 && !slices.Contains(services, "*") && !slices.Contains(services, "email") {
		l.fault("s=%s: the key is not for mail", printable(l.get("s")))
	}
	k.read(&l)
	k.faults = l.faults
	return k
}

// words returns the words of a value, which colons keep apart.
func (l tagList) words(name string) (list []string) {
	for _, word := range strings.Split(l.get(name), ":") {
		if word = strings.ToLower(trimFWS(word)); word != "" {
			list = append(list, word)
		}
	}
	return list
}

// read reads the key itself.
func (k *dkimKey) read(l *tagList) {
	text := strings.Join(strings.Fields(l.get("p")), "")
	switch {
	case !l.has("p"):
		l.fault("it has no key (p=)")
		return
	case text == "":
		k.revoked = true
		return
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		l.fault("p= is no base64: a part was lost, or a quotation mark or blank got in")
		return
	}
	k.public = raw
	if err := k.measure(); err != nil {
		l.fault("p= %v", err)
	}
}

// measure tells the length of the key.
func (k *dkimKey) measure() error {
	switch k.kind {
	case "rsa":
		return k.measureRSA()
	case "ed25519":
		if len(k.public) != ed25519.PublicKeySize { // RFC 8463, section 4.2
			return fmt.Errorf("has %d octets, a key of Ed25519 has %d", len(k.public), ed25519.PublicKeySize)
		}
		return nil
	}
	return fmt.Errorf("is of kind %s, which receivers do not know", printable(k.kind))
}

// measureRSA reads both forms in use (RFC 6376, erratum 3017).
func (k *dkimKey) measureRSA() error {
	key, err := x509.ParsePKIXPublicKey(k.public)
	if err != nil {
		key, err = x509.ParsePKCS1PublicKey(k.public)
	}
	public, ok := key.(*rsa.PublicKey)
	if err != nil || !ok {
		return errors.New("is no RSA key")
	}
	if k.bits = public.N.BitLen(); k.bits > maxKeyBits {
		return fmt.Errorf("is a key of %d bits, which no receiver reads", k.bits)
	}
	return nil
}

// name is the kind and length of the key.
func (k dkimKey) name() string {
	switch {
	case k.bits > 0:
		return fmt.Sprintf("RSA %d", k.bits)
	case k.kind == "ed25519":
		return "Ed25519"
	}
	return printable(k.kind)
}
