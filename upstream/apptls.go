package upstream

import (
	"bytes"
	"crypto/tls"
	"fmt"

	"smtp-proxy/proxy/session"
)

// AppFacts is what a handshake on the app's leg showed, for a proxy that was
// the TLS server in it: hello is what the app offered (nil if none came) and
// err how the handshake ended. The fault is nil when it ended well. A
// connection made over a [Tap] can show what the app spoke instead of TLS.
func AppFacts(conn *tls.Conn, hello *tls.ClientHelloInfo, err error) (*session.TLS, *session.Fault) {
	facts := &session.TLS{Chain: []session.Certificate{}}
	describe(facts, conn.ConnectionState())
	facts.ServerName = conn.ConnectionState().ServerName
	if hello != nil {
		facts.Hello = offered(hello)
		facts.ServerName = hello.ServerName
	}
	if err == nil {
		return facts, nil
	}
	var first []byte
	if tap, ok := conn.NetConn().(*Tap); ok {
		first = tap.first
	}
	fault := faultOfHandshake(err, first)
	fault.First = firstWord(fault.First)
	facts.Error = fault.Text
	return facts, fault
}

// firstWord is as much of what an app said in clear as may be kept: behind the
// verb of a command or the method of a request there may be a password.
func firstWord(b []byte) []byte {
	if end := bytes.IndexAny(b, " \t\r\n"); end >= 0 {
		b = b[:end]
	}
	return b[:min(len(b), 16)]
}

// offered is the app's first message in words.
func offered(h *tls.ClientHelloInfo) *session.Hello {
	o := &session.Hello{SNI: h.ServerName, ALPN: atMost(h.SupportedProtos)}
	for _, v := range atMost(h.SupportedVersions) {
		if !grease(v) {
			o.Versions = append(o.Versions, tls.VersionName(v))
		}
	}
	for _, s := range atMost(h.CipherSuites) {
		if !grease(s) {
			o.Ciphers = append(o.Ciphers, suiteName(s))
		}
	}
	for _, g := range atMost(h.SupportedCurves) {
		if !grease(uint16(g)) {
			o.Groups = append(o.Groups, groupName(g))
		}
	}
	return o
}

// atMost bounds what is recorded; a hello has room for thousands.
func atMost[T any](list []T) []T { return list[:min(len(list), 100)] }

// grease reports one of the reserved values that clients mix in to keep
// servers tolerant (RFC 8701).
func grease(v uint16) bool { return v&0x0f0f == 0x0a0a && v>>8 == v&0xff }

// suiteName names a cipher suite, the two signalling values included, which
// Go does not.
func suiteName(id uint16) string {
	switch id {
	case 0x00ff:
		return "TLS_EMPTY_RENEGOTIATION_INFO_SCSV"
	case 0x5600:
		return "TLS_FALLBACK_SCSV"
	}
	if name := tls.CipherSuiteName(id); name != "" {
		return name
	}
	return fmt.Sprintf("0x%04X", id)
}
