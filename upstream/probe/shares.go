package probe

import (
	"crypto/ecdh"
	"crypto/mlkem"
	"crypto/rand"
	"fmt"
)

// The groups that keys can be made for.
const (
	groupP256         = 23
	groupP384         = 24
	groupP521         = 25
	groupX25519       = 29
	groupX25519MLKEM  = 4588
	groupP256MLKEM    = 4587
	groupP384MLKEM    = 4589
	groupFFDHE2048    = 256
	groupFFDHE3072    = 257
	groupX448         = 30
	groupBrainpool256 = 26
	groupBrainpool384 = 27
)

func curveOf(group uint16) (ecdh.Curve, bool) {
	switch group {
	case groupP256:
		return ecdh.P256(), true
	case groupP384:
		return ecdh.P384(), true
	case groupP521:
		return ecdh.P521(), true
	case groupX25519:
		return ecdh.X25519(), true
	}
	return nil, false
}

func canShare(group uint16) bool {
	_, curve := curveOf(group)
	return curve || group == groupX25519MLKEM
}

// newShares makes a public key for each group. The private halves are not
// kept: no handshake is ever completed with them.
func newShares(groups []uint16) (map[uint16][]byte, error) {
	shares := map[uint16][]byte{}
	for _, group := range groups {
		key, err := newShare(group)
		if err != nil {
			return nil, fmt.Errorf("make a key for group %d: %w", group, err)
		}
		shares[group] = key
	}
	return shares, nil
}

func newShare(group uint16) ([]byte, error) {
	if group != groupX25519MLKEM {
		return newPoint(group)
	}
	// The encapsulation key comes first (draft-ietf-tls-ecdhe-mlkem).
	key, err := mlkem.GenerateKey768()
	if err != nil {
		return nil, err
	}
	point, err := newPoint(groupX25519)
	return append(key.EncapsulationKey().Bytes(), point...), err
}

func newPoint(group uint16) ([]byte, error) {
	curve, ok := curveOf(group)
	if !ok {
		return nil, fmt.Errorf("no key can be made")
	}
	key, err := curve.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	return key.PublicKey().Bytes(), nil
}
