package testenv

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/hex"
)

// xoauth2 is the client's side of Google's and Microsoft's mechanism, which
// go-sasl has left out in favour of OAUTHBEARER.
type xoauth2 struct{ user, token string }

func (x *xoauth2) Start() (string, []byte, error) {
	return "XOAUTH2", []byte("user=" + x.user + "\x01auth=Bearer " + x.token + "\x01\x01"), nil
}

// Next answers the reason of a refusal with nothing, as documented.
func (x *xoauth2) Next([]byte) ([]byte, error) { return nil, nil }

// cramMD5 is the client's side of RFC 2195, which go-sasl lacks.
type cramMD5 struct{ user, secret string }

func (c *cramMD5) Start() (string, []byte, error) { return "CRAM-MD5", nil, nil }

// Next signs the challenge.
func (c *cramMD5) Next(challenge []byte) ([]byte, error) {
	mac := hmac.New(md5.New, []byte(c.secret))
	mac.Write(challenge)
	return []byte(c.user + " " + hex.EncodeToString(mac.Sum(nil))), nil
}
