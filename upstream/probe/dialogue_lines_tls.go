package probe

import (
	"fmt"
	"math"
	"strings"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/upstream"
)

// handshake says how TLS was agreed on, and what the certificate is worth.
func (l *ladder) handshake(e *session.Entry) {
	if e.TLS == nil {
		return
	}
	distrust := e.Fault != nil && e.Fault.Class == session.FaultCertificate
	if e.Fault != nil && !distrust {
		l.line(partTLS, StatusFail, e.TLS.Duration, printable(e.Fault.Text))
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

// certificate says whose it is and whether it is trusted. One that is not can
// be let pass by the settings.
func (l *ladder) certificate(facts *session.TLS, now time.Time, distrust bool) {
	text := certificateWords(facts, now)
	note, due := upstream.ExpiryNote(facts, now)
	weak, short := upstream.StrengthNote(facts)
	switch {
	case distrust:
		l.line(partCertificate, StatusFail, 0, sentence(printable(facts.Error), text))
	case !facts.Verified:
		l.line(partCertificate, StatusWarn, 0, sentence("let pass by --upstream-insecure: "+printable(facts.Error), text))
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
		names = commonName(leaf.Subject)
	}
	text := fmt.Sprintf("for %s, by %s, %s", names, commonName(leaf.Issuer), daysLeft(leaf.NotAfter.Sub(now)))
	if facts.AskedCert {
		text += ", and asks for one of this side"
	}
	return printable(text)
}

func daysLeft(left time.Duration) string {
	days := int(math.Floor(left.Hours() / 24))
	switch {
	case left < 0:
		return fmt.Sprintf("ended %d days ago", -days-1)
	case days == 1:
		return "1 day left"
	}
	return fmt.Sprintf("%d days left", days)
}

// commonName is the part of a distinguished name that people know.
func commonName(dn string) string {
	for part := range strings.SplitSeq(dn, ",") {
		if name, ok := strings.CutPrefix(strings.TrimSpace(part), "CN="); ok {
			return name
		}
	}
	return dn
}
