package probe

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"slices"
	"testing"

	"smtp-proxy/proxy/wire"
)

// answerOf is what a smarthost of Go's library sends to an offer, up to the
// end of its first flight.
func answerOf(t *testing.T, hello []byte, shares map[uint16]share, cfg *tls.Config) []byte {
	t.Helper()
	near, far := net.Pipe()
	ended := make(chan struct{})
	go func() { // ends with near
		defer close(ended)
		_ = tls.Server(far, cfg).HandshakeContext(context.Background())
		far.Close()
	}()
	defer func() { near.Close(); <-ended }()
	if _, err := near.Write(hello); err != nil {
		t.Fatal(err)
	}
	var all []byte
	for {
		record := make([]byte, recordHeader)
		if _, err := io.ReadFull(near, record); err != nil {
			t.Fatalf("the smarthost left behind %d octets: %v", len(all), err)
		}
		record = append(record, make([]byte, int(record[3])<<8|int(record[4]))...)
		if _, err := io.ReadFull(near, record[recordHeader:]); err != nil {
			t.Fatalf("the smarthost left in a record: %v", err)
		}
		all = append(all, record...)
		if _, err := readFlight(hello, all, shares); !errors.Is(err, errCut) {
			return all
		}
	}
}

// hello13 is an offer of TLS 1.3 with one suite and one group.
func hello13(t *testing.T, suite, group uint16) (hello []byte, shares map[uint16]share) {
	t.Helper()
	o := offer{wire.ClientHello{
		Versions: []uint16{wire.VersionTLS13}, Suites: []uint16{suite}, Groups: []uint16{group}, Signatures: allSignatures(),
		SNI: "smtp.example.com", ALPN: []string{"smtp"}, StatusRequest: true,
	}}
	o.setShares()
	shares, err := newShares(o.KeyShares)
	if err != nil {
		t.Fatal(err)
	}
	return o.AppendRecord(nil, [32]byte{1}, publics(shares)), shares
}

// certificate is one that can be served: what it says is not looked at.
func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"smtp.example.com"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der, der}, PrivateKey: key, OCSPStaple: []byte("an OCSP answer")}
}

func TestFlight(t *testing.T) {
	cert := certificate(t)
	cfg := &tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequestClientCert, NextProtos: []string{"smtp"}}
	for _, suite := range []uint16{0x1301, 0x1302, 0x1303} {
		for _, group := range []uint16{groupX25519, groupP256, groupP384, groupP521, groupX25519MLKEM} {
			hello, shares := hello13(t, suite, group)
			f, err := readFlight(hello, answerOf(t, hello, shares, cfg), shares)
			if err != nil {
				t.Errorf("suite %04X, group %d: %v", suite, group, err)
				continue
			}
			if !slices.EqualFunc(f.chain, cert.Certificate, bytes.Equal) || string(f.staple) != "an OCSP answer" || !f.asked || f.alpn != "smtp" || !f.whole {
				t.Errorf("suite %04X, group %d: %d certificates, staple %q, asked %v, protocol %q, whole %v", suite, group, len(f.chain), f.staple, f.asked, f.alpn, f.whole)
			}
		}
	}
}

// TestFlightInPieces reads every beginning of a flight, and a flight with each
// octet changed: neither ever shows a whole one.
func TestFlightInPieces(t *testing.T) {
	hello, shares := hello13(t, 0x1301, groupX25519)
	whole := answerOf(t, hello, shares, &tls.Config{Certificates: []tls.Certificate{certificate(t)}})
	for n := range whole {
		if _, err := readFlight(hello, whole[:n], shares); !errors.Is(err, errCut) {
			t.Fatalf("%d of %d octets: %v, want that more is to come", n, len(whole), err)
		}
	}
	serverHello, _ := cutRecord(whole)
	for i := len(serverHello) + 6; i < len(whole); i++ { // behind the ChangeCipherSpec
		bad := slices.Clone(whole)
		bad[i] ^= 0x40
		if f, err := readFlight(hello, bad, shares); err == nil {
			t.Fatalf("octet %d changed: read as %+v", i, f)
		}
	}
}

// TestFlightWithoutKey reads an answer in a group that no key was made for.
func TestFlightWithoutKey(t *testing.T) {
	hello, shares := hello13(t, 0x1301, groupX25519)
	whole := answerOf(t, hello, shares, &tls.Config{Certificates: []tls.Certificate{certificate(t)}})
	if _, err := readFlight(hello, whole, nil); err == nil || errors.Is(err, errCut) {
		t.Errorf("without a key: %v, want an error", err)
	}
	if _, err := readFlight(hello, make([]byte, maxFlightOctets+1), shares); err == nil || errors.Is(err, errCut) {
		t.Errorf("a flight of %d octets: %v, want an error", maxFlightOctets+1, err)
	}
}

// FuzzFlight reads anything as an answer. Nothing that was not encrypted to
// the offer's own key shows a certificate.
func FuzzFlight(f *testing.F) {
	f.Add([]byte("\x16\x03\x03\x00\x04\x02\x00\x00\x00"), []byte("\x00\x00\x00\x05\x00\x00\x01x\x00\x00"))
	f.Add([]byte("\x14\x03\x03\x00\x01\x01\x17\x03\x03\x00\x01x"), []byte{})
	f.Fuzz(func(t *testing.T, sent, body []byte) {
		shares := map[uint16]share{groupX25519: {secret: func(peer []byte) ([]byte, error) { return slices.Clone(peer), nil }}}
		got, err := readFlight([]byte("\x16\x03\x01\x00\x01\x01"), sent, shares)
		if err == nil || len(got.chain) > 0 {
			t.Fatalf("%q was read as a flight: %+v", sent, got)
		}
		var c flight
		c.certificates(body)
		size := 0
		for _, der := range c.chain {
			size += len(der)
		}
		if size+len(c.staple) > len(body) || len(c.chain) > maxChain {
			t.Fatalf("%d octets were read as %d certificates of %d octets and a staple of %d", len(body), len(c.chain), size, len(c.staple))
		}
	})
}
