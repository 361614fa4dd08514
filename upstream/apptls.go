package upstream

import (
	"bytes"
	"crypto/tls"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
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
	tap, ok := conn.NetConn().(*Tap)
	if !ok {
		tap = &Tap{}
	}
	fault := faultOfHandshake(err, tap)
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
	hello := wire.ClientHello{
		Versions:   meant(h.SupportedVersions),
		Suites:     meant(h.CipherSuites),
		Groups:     meant(h.SupportedCurves),
		Signatures: meant(h.SignatureSchemes),
		Extensions: meant(h.Extensions),
		SNI:        h.ServerName,
		ALPN:       atMost(h.SupportedProtos),
	}
	return &session.Hello{
		Versions:   wire.Names(hello.Versions, wire.VersionName),
		Ciphers:    wire.Names(hello.Suites, wire.SuiteName),
		Groups:     wire.Names(hello.Groups, wire.GroupName),
		Signatures: wire.Names(hello.Signatures, wire.SignatureName),
		SNI:        hello.SNI,
		ALPN:       hello.ALPN,
		JA4:        hello.JA4(),
	}
}

// atMost bounds what is recorded; a hello has room for thousands.
func atMost[T any](list []T) []T { return list[:min(len(list), 100)] }

// meant are the values that offer something: some clients mix in reserved ones
// to keep servers tolerant (RFC 8701).
func meant[T ~uint16](list []T) []uint16 {
	var values []uint16
	for _, v := range atMost(list) {
		if v := uint16(v); v&0x0f0f != 0x0a0a || v>>8 != v&0xff {
			values = append(values, v)
		}
	}
	return values
}
