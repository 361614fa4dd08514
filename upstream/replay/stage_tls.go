package replay

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/proxy/wire"
)

// config is how the smarthost shook hands, as far as that can be seen from
// outside: no higher version than it chose, and of TLS 1.2 the suite that it
// chose.
func (h *Handshake) config(cert *tls.Certificate) *tls.Config {
	c := &tls.Config{Certificates: []tls.Certificate{*cert}}
	if version, ok := wire.VersionID(h.Version); ok && version >= tls.VersionTLS10 {
		c.MaxVersion, c.MinVersion = version, min(version, tls.VersionTLS12)
		if suite, known := wire.SuiteID(h.Cipher); known && version == tls.VersionTLS12 {
			c.CipherSuites = []uint16{suite}
		}
	}
	if h.AskedCert {
		c.ClientAuth = tls.RequestClientCert
	}
	if h.rejects != 0 || h.AskedCert && h.Fault != nil && h.Fault.Class == session.FaultAlert {
		c.ClientAuth = tls.RequireAnyClientCert
	}
	return c
}

// shake plays the recorded handshake. Plaintext that came with the STARTTLS is
// dropped.
func (t *talk) shake(ctx context.Context) bool {
	h := t.stage.model.handshake
	if h == nil || t.stage.tls == nil {
		t.deviate("a handshake was not recorded: the connection is closed")
		return false
	}
	if h.breaks() {
		return t.breakOff(ctx, h)
	}
	return t.secure(ctx, t.raw)
}

// breaks reports whether the smarthost's side was what broke the handshake. A
// certificate that the relay refused is the app's to judge.
func (h *Handshake) breaks() bool {
	return h.Fault != nil && h.Fault.Class != session.FaultCertificate && !h.AskedCert
}

func (t *talk) secure(ctx context.Context, c net.Conn) bool {
	limited, cancel := context.WithTimeout(ctx, stageShake)
	defer cancel()
	secure := tls.Server(c, t.stage.tls)
	if err := secure.HandshakeContext(limited); err != nil {
		t.stage.refusedTLS(t, err)
		return false
	}
	t.use(secure)
	t.at.shaken()
	return true
}

// refusedTLS notes a handshake that did not end well. It is no difference where
// the recorded one ended badly, too.
func (s *Stage) refusedTLS(t *talk, err error) {
	h := s.model.handshake
	if h.Fault == nil && h.rejects == 0 {
		t.deviate("the handshake failed: " + err.Error())
	}
}

// breakOff breaks the handshake where it broke, and in the same way.
func (t *talk) breakOff(ctx context.Context, h *Handshake) bool {
	first := h.Fault.First
	if len(first) > 0 && !wire.LooksLikeTLS(first) && t.stage.model.implicit {
		t.spoke = true // without waiting for the hello
		return t.send(strings.ReplaceAll(firstReply(first), "\r\n", "\n")) == nil
	}
	if h.Version != "" {
		c := &flawed{Conn: t.raw, good: 1}
		if len(h.Chain) > 0 {
			c.good = 1 << 10 // the whole flight
		}
		limited, cancel := context.WithTimeout(ctx, stageShake)
		defer cancel()
		_ = tls.Server(c, t.stage.tls).HandshakeContext(limited)
		return t.misbehave(h, []byte("no TLS record\r\n"))
	}
	_ = t.raw.SetReadDeadline(time.Now().Add(stageShake))
	if _, err := io.CopyN(io.Discard, t.r, 5); err != nil {
		return false
	}
	_, _ = io.CopyN(io.Discard, t.r, int64(t.r.Buffered())) // unread octets would make a RST of the end
	return t.misbehave(h, first)
}

// firstReply cuts off what answered the hello: octets that are no command.
func firstReply(words []byte) string {
	n := 0
	for line := range bytes.SplitAfterSeq(words, []byte("\n")) {
		n += len(line)
		if _, more, _, ok := wire.ReplyLine(line); ok && !more {
			break
		}
	}
	return string(words[:n])
}

// misbehave does what the smarthost did instead of shaking hands.
func (t *talk) misbehave(h *Handshake, words []byte) bool {
	c := t.raw
	_ = c.SetWriteDeadline(time.Now().Add(stageIdle))
	switch h.Fault.Class {
	case session.FaultAlert:
		sendAlert(c, h.Fault.Alert)
	case session.FaultVersion:
		sendAlert(c, 70) // protocol_version
	case session.FaultCipher:
		sendAlert(c, 40) // handshake_failure
	case session.FaultReset:
		hardClose(c)
		return false
	case session.FaultTimeout:
		t.listen()
		return false
	case session.FaultNotTLS:
		_, _ = c.Write(words)
	case session.FaultCorrupt:
		_, _ = c.Write([]byte("\x16\x03\x03\x00\x08garbage!"))
	}
	half(c)
	t.listen()
	return false
}

// sendAlert sends a fatal alert in clear (RFC 8446, section 6).
func sendAlert(c net.Conn, alert int) { _, _ = c.Write([]byte{21, 3, 3, 0, 2, 2, byte(alert)}) }

// half ends the own direction, so that what was written arrives before the end
// does.
func half(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
}

// flawed is a connection that carries so many TLS records of a handshake and no
// more. What follows is for its owner to play.
type flawed struct {
	net.Conn
	good int
	flew bool // the first flight is out
}

// Read fails once the first flight is out: nothing of the handshake is left to
// be heard.
func (f *flawed) Read(b []byte) (int, error) {
	if f.flew {
		return 0, io.ErrUnexpectedEOF
	}
	return f.Conn.Read(b)
}

func (f *flawed) Write(b []byte) (int, error) {
	f.flew = true
	n := 0
	for f.good > 0 && len(b)-n >= 5 {
		n = min(len(b), n+5+int(binary.BigEndian.Uint16(b[n+3:])))
		f.good--
	}
	if _, err := f.Conn.Write(b[:n]); err != nil {
		return 0, err
	}
	return len(b), nil
}
