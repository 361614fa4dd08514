package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
)

// JA4 returns the fingerprint of the software that made the hello: FoxIO's
// JA4 for TLS over TCP, as "t13d1516h2_8daaf6152771_e5627efa2ab1". Two hellos
// of one program share it whatever name they ask for and in whatever order
// they put their suites and extensions.
// https://github.com/FoxIO-LLC/ja4/blob/main/technical_details/JA4.md
func (h *ClientHello) JA4() string {
	name := 'i'
	if slices.Contains(h.Extensions, extServerName) {
		name = 'd'
	}
	return fmt.Sprintf("t%s%c%02d%02d%s_%s_%s", ja4Version(h.Max()), name,
		min(len(h.Suites), 99), min(len(h.Extensions), 99), ja4ALPN(h.ALPN),
		ja4Hash(hexList(sorted(h.Suites))), ja4Hash(h.ja4Extensions()))
}

// ja4Extensions is the text behind the third part: the extensions but for the
// two that name where the hello goes to, then the signature algorithms in the
// order in which they came.
func (h *ClientHello) ja4Extensions() string {
	var kinds []uint16
	for _, kind := range h.Extensions {
		if kind != extServerName && kind != extALPN {
			kinds = append(kinds, kind)
		}
	}
	text := hexList(sorted(kinds))
	if len(h.Signatures) > 0 {
		text += "_" + hexList(h.Signatures)
	}
	return text
}

func ja4Version(version uint16) string {
	switch version {
	case VersionTLS13:
		return "13"
	case VersionTLS12:
		return "12"
	case VersionTLS11:
		return "11"
	case VersionTLS10:
		return "10"
	case VersionSSL30:
		return "s3"
	case VersionSSL20:
		return "s2"
	}
	return "00"
}

// ja4ALPN is the first and the last character of the first protocol, or of its
// hexadecimal form when one of them is no letter or digit.
func ja4ALPN(protocols []string) string {
	if len(protocols) == 0 || protocols[0] == "" {
		return "00"
	}
	p := protocols[0]
	if !alphanumeric(p[0]) || !alphanumeric(p[len(p)-1]) {
		p = hex.EncodeToString([]byte(p))
	}
	return p[:1] + p[len(p)-1:]
}

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}

// ja4Hash shortens a text to twelve digits; of nothing they are all zero.
func ja4Hash(text string) string {
	if text == "" {
		return "000000000000"
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:6])
}

func hexList(ids []uint16) string {
	text := make([]byte, 0, 5*len(ids))
	for i, id := range ids {
		if i > 0 {
			text = append(text, ',')
		}
		text = hex.AppendEncode(text, []byte{byte(id >> 8), byte(id)})
	}
	return string(text)
}

func sorted(ids []uint16) []uint16 { return slices.Sorted(slices.Values(ids)) }
