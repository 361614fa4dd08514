package probe

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"

	"golang.org/x/crypto/chacha20poly1305"
)

// TLS 1.3 hides a smarthost's certificate from everybody but the one who made
// the offer, which here is this program: with the key of its own offer it
// reads the flight behind the ServerHello (RFC 8446, section 7.1). A
// certificate is chosen by what the offer holds, so that a handshake of
// another kind may show another one.

// schedule is the hash and the cipher that a suite of TLS 1.3 stands for.
type schedule struct {
	hash   func() hash.Hash
	keyLen int
	aead   func(key []byte) (cipher.AEAD, error)
}

// scheduleOf knows the suites with GCM and ChaCha20; those with CCM are not
// read.
func scheduleOf(suite uint16) (schedule, bool) {
	switch suite {
	case 0x1301:
		return schedule{sha256.New, 16, gcm}, true
	case 0x1302:
		return schedule{sha512.New384, 32, gcm}, true
	case 0x1303:
		return schedule{sha256.New, chacha20poly1305.KeySize, chacha20poly1305.New}, true
	}
	return schedule{}, false
}

func gcm(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// seal decrypts the records of a smarthost's handshake flight.
type seal struct {
	aead cipher.AEAD
	iv   []byte
	seq  uint64
}

// newSeal derives the keys of the flight from what both halves of the key
// exchange come to, and from the two hellos.
func newSeal(suite uint16, secret, hellos []byte) (*seal, error) {
	s, ok := scheduleOf(suite)
	if !ok {
		return nil, fmt.Errorf("cipher suite 0x%04X is not read", suite)
	}
	none := make([]byte, s.hash().Size())
	early, err := hkdf.Extract(s.hash, none, none)
	if err != nil {
		return nil, err
	}
	salt := s.expand(early, "derived", s.sum(nil), len(none))
	handshake, err := hkdf.Extract(s.hash, secret, salt)
	if err != nil {
		return nil, err
	}
	traffic := s.expand(handshake, "s hs traffic", s.sum(hellos), len(none))
	aead, err := s.aead(s.expand(traffic, "key", nil, s.keyLen))
	return &seal{aead: aead, iv: s.expand(traffic, "iv", nil, 12)}, err
}

func (s schedule) sum(b []byte) []byte {
	h := s.hash()
	h.Write(b)
	return h.Sum(nil)
}

// expand is HKDF-Expand-Label. It fails for lengths only that are never asked
// for.
func (s schedule) expand(secret []byte, label string, context []byte, length int) []byte {
	info := binary.BigEndian.AppendUint16(nil, uint16(length))
	info = append(info, byte(len("tls13 ")+len(label)))
	info = append(info, "tls13 "+label...)
	info = append(append(info, byte(len(context))), context...)
	out, err := hkdf.Expand(s.hash, secret, string(info), length)
	if err != nil {
		panic("probe: " + err.Error())
	}
	return out
}

// open decrypts the next record, header included, and returns what it carries
// and of which kind that is.
func (s *seal) open(record []byte) (kind byte, content []byte, err error) {
	nonce := append([]byte{}, s.iv...)
	for i := range 8 {
		nonce[4+i] ^= byte(s.seq >> (56 - 8*i))
	}
	s.seq++
	content, err = s.aead.Open(nil, nonce, record[recordHeader:], record[:recordHeader])
	if err != nil {
		return 0, nil, err
	}
	for len(content) > 0 && content[len(content)-1] == 0 {
		content = content[:len(content)-1] // padding
	}
	if len(content) == 0 {
		return 0, nil, errors.New("an empty record")
	}
	return content[len(content)-1], content[:len(content)-1], nil
}
