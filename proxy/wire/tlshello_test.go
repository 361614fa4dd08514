package wire

import (
	"crypto/ecdh"
	"crypto/rand"
	"crypto/tls"
	"reflect"
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
