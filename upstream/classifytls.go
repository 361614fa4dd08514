package upstream

import (
	"crypto/tls"
	"errors"
	"net"
	"strings"

	"smtp-proxy/proxy/session"
)

// fromTLS recognizes what crypto/tls says: an alert of the peer, an alert of
// ours, bytes that are no TLS, or one of its own findings.
func fromTLS(f *session.Fault, err error) bool {
	var header tls.RecordHeaderError
	if errors.As(err, &header) {
		f.Class = session.FaultCorrupt
		if !looksLikeTLS(header.RecordHeader[:]) {
			f.Class, f.First = session.FaultNotTLS, header.RecordHeader[:]
		}
		return true
	}
	var op *net.OpError
	if errors.As(err, &op) && isAlertOp(op) {
		return fromAlert(f, op)
	}
	return fromWords(f, err.Error())
}

// looksLikeTLS reports whether b begins like a TLS record (RFC 8446, section
// 5.1): a known content type, then major version 3.
func looksLikeTLS(b []byte) bool {
	return len(b) >= 2 && b[0] >= 20 && b[0] <= 23 && b[1] == 3
}

// isAlertOp reports whether crypto/tls has wrapped an alert.
func isAlertOp(op *net.OpError) bool {
	return op.Op == "remote error" || op.Op == "local error"
}

// fromAlert names the alert that ended a connection.
func fromAlert(f *session.Fault, op *net.OpError) bool {
	number, ok := alertNumber(op.Err.Error())
	if !ok {
		return false
	}
	f.Alert, f.Sent = number, op.Op == "local error"
	f.Class = session.FaultAlert
	if f.Sent {
		f.Class = classOfOwnAlert(number)
	}
	return true
}

// alertNumber finds the number of an alert by its wording: outside QUIC,
// crypto/tls wraps a type of its own that has the text of [tls.AlertError]
// and nothing else in common with it.
func alertNumber(text string) (int, bool) {
	for n := range 256 {
		if tls.AlertError(n).Error() == text {
			return n, true
		}
	}
	return 0, false
}

// The alerts that say something about the other side (RFC 8446, section 6.2).
const (
	alertBadRecordMAC         = 20
	alertHandshakeFailure     = 40
	alertBadCertificate       = 42
	alertDecryptError         = 51
	alertProtocolVersion      = 70
	alertInsufficientSecurity = 71
	alertInternalError        = 80
)

// classOfOwnAlert is what it means that this side gave up with an alert.
func classOfOwnAlert(number int) session.FaultClass {
	switch number {
	case alertProtocolVersion:
		return session.FaultVersion
	case alertHandshakeFailure, alertInsufficientSecurity:
		return session.FaultCipher
	case alertBadCertificate:
		return session.FaultCertificate
	case alertInternalError:
		return session.FaultOther
	}
	return session.FaultCorrupt
}

// ownWords are the findings that crypto/tls reports as plain text, with the
// alert that it has sent for each.
func ownWords() []struct {
	words string
	class session.FaultClass
	alert int
} {
	return []struct {
		words string
		class session.FaultClass
		alert int
	}{
		{"tls: server selected unsupported protocol version", session.FaultVersion, alertProtocolVersion},
		{"tls: client offered only unsupported versions", session.FaultVersion, alertProtocolVersion},
		{"tls: client using inappropriate protocol fallback", session.FaultVersion, 86},
		{"tls: no cipher suite supported by both", session.FaultCipher, alertHandshakeFailure},
		{"tls: no key exchanges supported by both", session.FaultCipher, alertHandshakeFailure},
		{"tls: no supported elliptic curves", session.FaultCipher, alertHandshakeFailure},
		{"tls: server chose an unconfigured cipher suite", session.FaultCipher, alertHandshakeFailure},
		{"tls: server selected unsupported", session.FaultCipher, 47},
		{"tls: server selected unoffered curve", session.FaultCipher, 47},
		{"tls: peer doesn't support any of the certificate's signature algorithms", session.FaultCipher, alertHandshakeFailure},
		{"tls: server sent certificate containing RSA key larger", session.FaultCertificate, alertBadCertificate},
		{"tls: failed to parse certificate from server", session.FaultCertificate, alertBadCertificate},
		{"tls: received empty certificates message", session.FaultCertificate, alertBadCertificate},
		{"tls: server's certificate contains an unsupported type", session.FaultCertificate, 43},
	}
}

// fromWords classifies an error of crypto/tls that carries nothing but text.
// What is left after the known ones is a peer that broke the protocol.
func fromWords(f *session.Fault, text string) bool {
	_, words, found := strings.Cut(text, "tls: ")
	if !found {
		return false
	}
	words = "tls: " + words
	switch {
	case strings.HasPrefix(words, "tls: protocol is shutdown"):
		f.Class = session.FaultLocal
		return true
	case strings.Contains(words, "keys are insecure"): // a key below the library's limit
		f.Class, f.Alert, f.Sent = session.FaultCertificate, alertDecryptError, true
		return true
	}
	for _, own := range ownWords() {
		if strings.HasPrefix(words, own.words) {
			f.Class, f.Alert, f.Sent = own.class, own.alert, true
			return true
		}
	}
	f.Class, f.Sent = session.FaultCorrupt, true
	return true
}
