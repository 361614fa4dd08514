package wire

import (
	"crypto/ecdh"
	"crypto/rand"
	"crypto/tls"
	"reflect"
	"strings"
	"testing"
)

// shareless gives every group of a hello a key of one octet.
func shareless(h *ClientHello) map[uint16][]byte {
	shares := map[uint16][]byte{}
	for _, group := range h.KeyShares {
		shares[group] = []byte{1}
	}
	return shares
}

// unrecord joins the contents of records.
func unrecord(b []byte) (msg []byte) {
	for len(b) >= recordHeader {
		n := int(b[3])<<8 | int(b[4])
		msg = append(msg, b[recordHeader:recordHeader+n]...)
		b = b[recordHeader+n:]
	}
	return msg
}

// FuzzClientHello checks that an offer that was read is built again as it was.
func FuzzClientHello(f *testing.F) {
	for _, h := range []ClientHello{
		{Version: VersionSSL30, Suites: []uint16{0x0005}},
		{Version: VersionTLS12, Suites: []uint16{0xc02f}, Groups: []uint16{29}, Signatures: []uint16{0x0804}, SNI: "smtp.example.com"},
		{Versions: []uint16{VersionTLS13}, Suites: []uint16{0x1301}, Groups: []uint16{29}, KeyShares: []uint16{29}, ALPN: []string{"smtp"}, StatusRequest: true},
	} {
		f.Add(unrecord(h.AppendRecord(nil, [32]byte{}, shareless(&h))))
	}
	f.Fuzz(func(t *testing.T, msg []byte) {
		want, err := ParseClientHello(msg)
		if err != nil {
			return
		}
		record := want.AppendRecord(nil, [32]byte{}, shareless(want))
		got, err := ParseClientHello(unrecord(record))
		if err != nil {
			t.Fatalf("%v; built from %+v", err, want)
		}
		// These are not built: they belong to a session, or follow from the rest.
		want.Extensions, want.Ticket, want.PSK, want.EarlyData = nil, false, false, false
		got.Extensions = nil
		if want.Version == 0 {
			got.Version = 0 // derived
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v; input %x", got, want, msg)
		}
	})
}

func TestBuiltHelloIsAnswered(t *testing.T) {
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	shares := map[uint16][]byte{29: key.PublicKey().Bytes()}
	for _, version := range []uint16{VersionTLS10, VersionTLS11, VersionTLS12, VersionTLS13} {
		t.Run(VersionName(version), func(t *testing.T) {
			h := &ClientHello{Version: min(version, VersionTLS12), SNI: "smtp.example.com", ALPN: []string{"smtp"},
				Suites: []uint16{0x1301, 0xc02b, 0xc009, 0x00ff}, Groups: []uint16{23, 29}, Signatures: []uint16{0x0403}}
			if version == VersionTLS13 {
				h.Versions, h.KeyShares = []uint16{VersionTLS13}, []uint16{29}
			}
			_, upstream := rig(t, version)
			upstream.NextProtos = []string{"smtp"}
			o := answerTo(t, h, shares, upstream)
			seen := o.Seen()
			if seen.Server == nil || seen.Server.Version != version || seen.Alert[TLSUpstream] != nil {
				t.Fatalf("got answer %+v, alert %+v; want one of %s", seen.Server, seen.Alert[TLSUpstream], VersionName(version))
			}
			if !reflect.DeepEqual(seen.Client.Suites, h.Suites) || seen.Client.SNI != h.SNI {
				t.Errorf("got hello %+v, want %+v", seen.Client, h)
			}
			if version < VersionTLS13 && (len(seen.Chain) != 1 || seen.Server.ALPN != "smtp") {
				t.Errorf("got %d certificates and protocol %q", len(seen.Chain), seen.Server.ALPN)
			}
		})
	}
}

// answerTo sends a built hello to a server of crypto/tls and observes what
// comes back until its flight is whole.
func answerTo(t *testing.T, h *ClientHello, shares map[uint16][]byte, upstream *tls.Config) *TLSObserver {
	t.Helper()
	a, u := pair(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = tls.Server(u, upstream).Handshake()
		u.Close()
	}()
	defer func() { a.Close(); <-done }()
	o := &TLSObserver{}
	record := h.AppendRecord(nil, [32]byte{1}, shares)
	if _, err := a.Write(record); err != nil {
		t.Fatal(err)
	}
	o.App(record, 0)
	b := make([]byte, 4096)
	for {
		if side, ok := o.Owes(); !ok || side == TLSApp {
			return o
		}
		n, err := a.Read(b)
		if err != nil {
			t.Fatalf("the upstream closed: %v; seen %+v", err, o.Seen())
		}
		o.Upstream(b[:n], 0)
	}
}

// TestHelloPadding checks that no hello has a length on which some load
// balancers hang.
func TestHelloPadding(t *testing.T) {
	for n := range 600 {
		h := &ClientHello{Version: VersionTLS12, Suites: []uint16{0xc02f}, SNI: strings.Repeat("n", n)}
		msg := unrecord(h.AppendRecord(nil, [32]byte{}, nil))
		if len(msg) >= 256 && len(msg) < 512 {
			t.Errorf("a name of %d octets: got a message of %d", n, len(msg))
		}
		if got, err := ParseClientHello(msg); err != nil || got.SNI != h.SNI {
			t.Errorf("a name of %d octets: got %+v, %v", n, got, err)
		}
	}
}

// TestLongHello checks that a hello longer than a record is cut.
func TestLongHello(t *testing.T) {
	h := &ClientHello{Version: VersionTLS12, Suites: []uint16{0xc02f}, SNI: strings.Repeat("n", 16214), ALPN: []string{strings.Repeat("a", 100)}}
	b := h.AppendRecord(nil, [32]byte{}, nil)
	var o TLSObserver
	if o.App(b, 0); o.Seen().Client == nil || o.Seen().Client.SNI != h.SNI || o.Seen().Flights[0].Records != 2 {
		t.Errorf("got %d records of %d octets, corrupt %q; want the hello in two", o.Seen().Flights[0].Records, len(b), o.Seen().Corrupt)
	}
}

func TestMalformedHellos(t *testing.T) {
	with := func(ext string) string { // a ClientHello with one extension
		body := "\x03\x03" + strings.Repeat("r", 32) + "\x00\x00\x02\xc0\x2f\x01\x00"
		return string(appendVector([]byte{1}, 3, appendVector([]byte(body), 2, []byte(ext))))
	}
	tests := []struct{ name, in, want string }{
		{"nothing", "", "ClientHello: the lengths in it do not add up"},
		{"another message", "\x02\x00\x00\x00", "ClientHello: the message is of type 2"},
		{"too long", "\x01\x00\x40\x01" + strings.Repeat("x", 16385), "ClientHello: 16385 octets are more than 16384"},
		{"half an extension", with("\x00\x0a\x00\x04\x00"), "ClientHello: the lengths in it do not add up"},
		{"an odd list", with("\x00\x0a\x00\x05\x00\x03\x00\x17\x00"), "ClientHello: extension 10: the lengths in it do not add up"},
		{"more than its list", with("\x00\x0d\x00\x05\x00\x02\x08\x04\x00"), "ClientHello: extension 13: the lengths in it do not add up"},
		{"an empty protocol", with("\x00\x10\x00\x03\x00\x01\x00"), "ClientHello: extension 16: the lengths in it do not add up"},
		{"half a name", with("\x00\x00\x00\x05\x00\x03\x00\x00\x05"), "ClientHello: extension 0: the lengths in it do not add up"},
		{"half a key", with("\x00\x33\x00\x06\x00\x04\x00\x1d\x00\x20"), "ClientHello: extension 51: the lengths in it do not add up"},
	}
	for _, tt := range tests {
		if h, err := ParseClientHello([]byte(tt.in)); err == nil || err.Error() != tt.want {
			t.Errorf("%s: got %+v, %v, want %s; input %.60q", tt.name, h, err, tt.want, tt.in)
		}
	}
	if h, err := ParseServerHello([]byte("\x02\x00\x00\x02\x03\x03")); err == nil {
		t.Errorf("half a ServerHello: got %+v", h)
	}
}

// FuzzServerHello checks that what an answer is made of is what is read of it.
func FuzzServerHello(f *testing.F) {
	f.Add(uint16(0x0303), uint16(0xc02f), uint16(0), "", false, false)
	f.Add(uint16(0x0304), uint16(0x1301), uint16(29), "smtp", true, false)
	f.Add(uint16(0x0304), uint16(0x1302), uint16(24), "", false, true)
	f.Fuzz(func(t *testing.T, version, suite, group uint16, alpn string, resumed, retry bool) {
		if len(alpn) > 255 || version == 0 {
			return
		}
		want := &ServerHello{Version: version, Suite: suite, Group: group, ALPN: alpn, Resumed: resumed, Retry: retry}
		msg := answerOf(want)
		got, err := ParseServerHello(msg)
		if err != nil {
			t.Fatalf("%v; input %x", err, msg)
		}
		if got.Extensions = nil; !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v; input %x", got, want, msg)
		}
		for n := range msg {
			if h, err := ParseServerHello(msg[:n]); err == nil {
				t.Fatalf("of %d octets of %d: got %+v", n, len(msg), h)
			}
		}
	})
}

// answerOf writes a ServerHello.
func answerOf(h *ServerHello) []byte {
	body := append([]byte{3, 3}, make([]byte, 32)...)
	if h.Retry {
		copy(body[2:], retryRandom)
	}
	body = append(append(body, 0), ids([]uint16{h.Suite})...)
	ext := appendExtension(nil, extVersions, ids([]uint16{h.Version}))
	if h.Group != 0 {
		share := ids([]uint16{h.Group})
		if !h.Retry {
			share = appendVector(share, 2, []byte("key"))
		}
		ext = appendExtension(ext, extKeyShare, share)
	}
	if h.ALPN != "" {
		ext = appendExtension(ext, extALPN, appendVector(nil, 2, appendVector(nil, 1, []byte(h.ALPN))))
	}
	if h.Resumed {
		ext = appendExtension(ext, extPreSharedKey, []byte{0, 0})
	}
	return appendVector([]byte{msgServerHello}, 3, appendVector(append(body, 0), 2, ext))
}
