package session

import (
	"bytes"
	"strings"
)

// publicPrefixes mark the kind of a key, by its maker's own documents; they
// are the same for all keys of that kind and tell nothing of the secret.
var publicPrefixes = [...]string{
	"SG.",        // SendGrid API key
	"AKIA",       // AWS access key id
	"ASIA",       // AWS temporary access key id
	"xkeysib-",   // Brevo API key
	"xsmtpsib-",  // Brevo SMTP key
	"key-",       // Mailgun API key
	"re_",        // Resend API key
	"md-",        // Mandrill API key
	"ya29.",      // Google OAuth access token
	"eyJ",        // a JSON Web Token
	"EwB", "EwA", // Microsoft OAuth access token
}

// shapeOf measures a secret without keeping it.
func shapeOf(secret []byte) *Secret {
	s := &Secret{Length: len(secret), Alphabet: alphabet(secret), Blanks: blanks(secret)}
	for _, p := range publicPrefixes {
		// Short secrets would be told in good part by their prefix.
		if len(secret) >= 4*len(p) && bytes.HasPrefix(secret, []byte(p)) {
			s.Prefix = p
			break
		}
	}
	for _, c := range secret {
		s.NonASCII = s.NonASCII || c >= 0x80
	}
	return s
}

// alphabet names the smallest common set that all octets belong to.
func alphabet(secret []byte) string {
	if bytes.HasPrefix(secret, []byte("eyJ")) && bytes.Count(secret, []byte(".")) == 2 {
		return "jwt"
	}
	const lower, upper, digits = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
	text := strings.ReplaceAll(string(secret), " ", "")
	for _, set := range []struct{ name, chars string }{
		{"digits", digits}, {"lower", lower}, {"upper", upper}, {"alpha", lower + upper},
		{"hex", digits + "abcdef"}, {"alnum", lower + upper + digits}, {"base64", lower + upper + digits + "+/="},
	} {
		if strings.Trim(text, set.chars) == "" {
			return set.name
		}
	}
	for _, c := range secret {
		if c < ' ' && c != '\t' && c != '\r' && c != '\n' || c == 0x7f {
			return "binary"
		}
	}
	return "mixed"
}

// blanks says where white space stands that was probably pasted along.
func blanks(secret []byte) string {
	switch trimmed := bytes.TrimSpace(secret); {
	case bytes.ContainsAny(secret, "\r\n"):
		return "line-end"
	case len(trimmed) == 0 && len(secret) > 0, len(secret) > 0 && trimmed[0] != secret[0]:
		return "leading"
	case len(trimmed) < len(secret):
		return "trailing"
	case len(secret) == 19 && secret[4] == ' ' && secret[9] == ' ' && secret[14] == ' ':
		return "groups-of-4" // as Google shows an app password
	case bytes.IndexByte(secret, ' ') >= 0:
		return "inside"
	}
	return ""
}
