package probe

import (
	"fmt"
	"strings"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
	"smtp-proxy/upstream"
)

// handshake says how TLS was agreed on, and what the certificate is worth.
func (l *ladder) handshake(e *session.Entry) {
	if e.TLS == nil {
		return
	}
	distrust := e.Fault != nil && e.Fault.Class == session.FaultCertificate
	if e.Fault != nil && !distrust {
		l.line(partTLS, StatusFail, e.TLS.Duration, inLine(brokenHandshake(e.Fault)))
		return
	}
	l.secure = e.Fault == nil
	chose := []string{e.TLS.Version, e.TLS.Cipher}
	if e.TLS.Group != "" {
		chose = append(chose, e.TLS.Group)
	}
	l.line(partTLS, StatusOK, e.TLS.Duration, strings.Join(chose, ", "))
	l.certificate(e.TLS, e.At, distrust)
}

// brokenHandshake says what ended a handshake, for those who do not know the
// words of the TLS library.
func brokenHandshake(f *session.Fault) string {
	switch f.Class {
	case session.FaultAlert:
		return fmt.Sprintf("the smarthost ended the handshake with alert %d (%s)", f.Alert, strings.TrimPrefix(strings.TrimPrefix(f.Text, "remote error: "), "tls: "))
	case session.FaultTimeout:
		return "the handshake was begun, and then nothing more came"
	case session.FaultClosed:
		return "the connection was closed in the handshake, without an alert"
	case session.FaultReset:
		return "the connection was reset in the handshake, without an alert"
	case session.FaultNotTLS:
		if words, _, _ := strings.Cut(string(f.First), "\r\n"); !wire.LooksLikeTLS(f.First) {
			return fmt.Sprintf("the answer to the TLS hello is no TLS, but %q", words)
		}
	}
	return strings.TrimPrefix(f.Text, "tls: ")
}

// certificate says whose it is and whether it is trusted. One that is not can
// be let pass by the settings.
func (l *ladder) certificate(facts *session.TLS, now time.Time, distrust bool) {
	text := certificateWords(facts, now)
	note, due := upstream.ExpiryNote(facts, now)
	weak, short := upstream.StrengthNote(facts)
	switch {
	case distrust:
		l.line(partCertificate, StatusFail, 0, inLine(facts.Error))
	case !facts.Verified:
		l.line(partCertificate, StatusWarn, 0, sentence("let pass by --upstream-insecure: "+inLine(facts.Error), text))
	case due || short:
		l.line(partCertificate, StatusWarn, 0, sentence(text, orElse(note, weak)))
	default:
		l.line(partCertificate, StatusOK, 0, text+", trusted")
	}
}

// certificateWords say for whom a certificate is, by whom, and for how long.
func certificateWords(facts *session.TLS, now time.Time) string {
	if len(facts.Chain) == 0 {
		return "no certificate was shown"
	}
	leaf := &facts.Chain[0]
	names := list(leaf.Names)
	if len(leaf.Names) == 0 {
		names = shortName(leaf.Subject)
	}
	text := fmt.Sprintf("for %s, by %s, %s", names, shortName(leaf.Issuer), lifeLeft(leaf, now))
	if facts.AskedCert {
		text += ", and asks for one of this side"
	}
	return inLine(text)
}
