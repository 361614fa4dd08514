package probe

import (
	"crypto/ecdh"
	"crypto/mlkem"
	"crypto/rand"
	"errors"
	"fmt"
)

// The groups that are offered; keys can be made for some of them.
const (
	groupP256         = 23
	groupP384         = 24
	groupP521         = 25
	groupBrainpool256 = 26
	groupBrainpool384 = 27
	groupX25519       = 29
	groupX448         = 30
	groupFFDHE2048    = 256
	groupFFDHE3072    = 257
	groupX25519MLKEM  = 4588
)

// share is the proxy's half of a key exchange. It lives as long as its offer.
type share struct {
	public []byte
	secret func(peer []byte) ([]byte, error) // what both halves come to
}

func canShare(group uint16) bool { return curveOf(group) != nil || group == groupX25519MLKEM }

func curveOf(group uint16) ecdh.Curve {
	switch group {
	case groupP256:
		return ecdh.P256()
	case groupP384:
		return ecdh.P384()
	case groupP521:
		return ecdh.P521()
	case groupX25519:
		return ecdh.X25519()
	}
	return nil
}

// newShares makes a key for each group.
func newShares(groups []uint16) (map[uint16]share, error) {
	shares := map[uint16]share{}
	for _, group := range groups {
		s, err := newShare(group)
		if err != nil {
			return nil, fmt.Errorf("make a key for group %d: %w", group, err)
		}
		shares[group] = s
	}
	return shares, nil
}

func newShare(group uint16) (share, error) {
	if group == groupX25519MLKEM {
		return newHybrid()
	}
	curve := curveOf(group)
	if curve == nil {
		return share{}, errors.New("no key can be made")
	}
	key, err := curve.GenerateKey(rand.Reader)
	if err != nil {
		return share{}, err
	}
	return share{public: key.PublicKey().Bytes(), secret: func(peer []byte) ([]byte, error) {
		point, err := curve.NewPublicKey(peer)
		if err != nil {
			return nil, err
		}
		return key.ECDH(point)
	}}, nil
}

// newHybrid makes a key of X25519MLKEM768, in which ML-KEM's part comes first
// each time (draft-ietf-tls-ecdhe-mlkem).
func newHybrid() (share, error) {
	kem, err := mlkem.GenerateKey768()
	if err != nil {
		return share{}, err
	}
	point, err := newShare(groupX25519)
	if err != nil {
		return share{}, err
	}
	return share{public: append(kem.EncapsulationKey().Bytes(), point.public...), secret: func(peer []byte) ([]byte, error) {
		if len(peer) < mlkem.CiphertextSize768 {
			return nil, errors.New("the key share is short")
		}
		first, err := kem.Decapsulate(peer[:mlkem.CiphertextSize768])
		if err != nil {
			return nil, err
		}
		second, err := point.secret(peer[mlkem.CiphertextSize768:])
		return append(first, second...), err
	}}, nil
}

// publics are the halves that go out.
func publics(shares map[uint16]share) map[uint16][]byte {
	keys := map[uint16][]byte{}
	for group, s := range shares {
		keys[group] = s.public
	}
	return keys
}
