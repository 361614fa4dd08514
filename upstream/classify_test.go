package upstream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"

	"smtp-proxy/proxy/session"
)

// dialError is an error as the net package returns it.
func dialError(err error) error {
	return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", err)}
}

func TestClassifyErrnos(t *testing.T) {
	for _, e := range errnos() {
		f := Classify("dial", dialError(e.number))
		if f.Class != e.class || f.Errno != e.name || f.Text != e.number.Error() {
			t.Errorf("%s classified as %+v, want %s in the system's own words", e.name, f, e.class)
		}
	}
}

func TestClassify(t *testing.T) {
	remote := func(alert tls.AlertError) error { return &net.OpError{Op: "remote error", Err: alert} }
	local := func(alert tls.AlertError) error { return &net.OpError{Op: "local error", Err: alert} }
	tests := []struct {
		err   error
		class session.FaultClass
		alert int
		sent  bool
	}{
		{io.EOF, session.FaultClosed, 0, false},
		{io.ErrUnexpectedEOF, session.FaultClosed, 0, false},
		{net.ErrClosed, session.FaultLocal, 0, false},
		{context.Canceled, session.FaultLocal, 0, false},
		{context.DeadlineExceeded, session.FaultTimeout, 0, false},
		{&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, session.FaultTimeout, 0, false},
		{errors.New("something else"), session.FaultOther, 0, false},
		{remote(48), session.FaultAlert, 48, false},
		{fmt.Errorf("read: %w", remote(45)), session.FaultAlert, 45, false},
		{remote(0), session.FaultAlert, 0, false},
		{remote(200), session.FaultAlert, 200, false},
		{local(20), session.FaultCorrupt, 20, true},
		{local(70), session.FaultVersion, 70, true},
		{local(80), session.FaultOther, 80, true},
		{tls.RecordHeaderError{Msg: "x", RecordHeader: [5]byte{'2', '2', '0', ' ', 'm'}}, session.FaultNotTLS, 0, false},
		{tls.RecordHeaderError{Msg: "x", RecordHeader: [5]byte{22, 3, 3, 255, 255}}, session.FaultCorrupt, 0, false},
		{errors.New("tls: client offered only unsupported versions: [302]"), session.FaultVersion, 70, true},
		{errors.New("tls: no cipher suite supported by both client and server; client offered: a"), session.FaultCipher, 40, true},
		{errors.New("tls: failed to parse certificate from server: x509: negative serial number"), session.FaultCertificate, 42, true},
		{errors.New("tls: invalid signature by the server certificate: crypto/rsa: 512-bit keys are insecure (see https://go.dev/pkg/crypto/rsa#hdr-Minimum_key_size)"), session.FaultCertificate, 51, true},
		{errors.New("tls: invalid signature by the server certificate: ECDSA verification failure"), session.FaultCorrupt, 0, true},
		{errors.New("tls: protocol is shutdown"), session.FaultLocal, 0, false},
	}
	for _, tt := range tests {
		f := Classify("read", tt.err)
		if f.Class != tt.class || f.Alert != tt.alert || f.Sent != tt.sent || f.Op != "read" || f.Text == "" {
			t.Errorf("%q classified as %+v; want class %s, alert %d, ours %v", tt.err, f, tt.class, tt.alert, tt.sent)
		}
	}
	if got, want := Classify("handshake", context.DeadlineExceeded).Text, "no answer in time"; got != want {
		t.Errorf("a deadline is worded %q, want %q", got, want)
	}
	if f := Classify("read", nil); f != nil {
		t.Errorf("no error classified as %+v", f)
	}
}
