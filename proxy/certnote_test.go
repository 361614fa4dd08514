package proxy_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"smtp-proxy/proxy"
	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
)

// ending makes a certificate for this machine, trusted as it is, with so long
// to go of a life of a year.
func ending(t *testing.T, left time.Duration) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	until := time.Now().Add(left)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: until.AddDate(-1, 0, 0), NotAfter: until,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// sendOver delivers a message through a proxy whose smarthost shows cert, and
// returns the session's history.
func sendOver(t *testing.T, cert tls.Certificate, mode upstream.Mode, app testenv.App, change func(*proxy.Route)) []session.Record {
	t.Helper()
	box, err := testenv.NewSandbox(testenv.SandboxOptions{
		Implicit: mode == upstream.ModeImplicit,
		TLS:      &tls.Config{Certificates: []tls.Certificate{cert}, MaxVersion: tls.VersionTLS12},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { box.Close() })
	r := start(t, box.Addr(), func(o *proxy.Options, u *upstream.Options) {
		o.Routes[0].Target.Mode = mode
		u.Roots = x509.NewCertPool()
		u.Roots.AddCert(cert.Leaf)
		change(&o.Routes[0])
	})
	app.Addr = r.addr
	if _, err := app.Send(within(t)); err != nil {
		t.Fatal(err)
	}
	return r.wait()
}

func TestExpiryIsNoted(t *testing.T) {
	const aDay = 24 * time.Hour
	for _, mode := range []upstream.Mode{upstream.ModeSTARTTLS, upstream.ModeImplicit} {
		for left, due := range map[time.Duration]bool{40 * aDay: false, 29*aDay + time.Hour: true} {
			history := sendOver(t, ending(t, left), mode, testenv.App{}, func(*proxy.Route) {})
			shook := find(history, func(e *session.Entry) bool { return e.Kind == session.KindTLS })
			note := find(history, func(e *session.Entry) bool { return e.Odd == session.OddExpiring })
			if shook == nil || shook.Fault != nil || (note != nil) != due {
				t.Fatalf("%s, %s to go: handshake %+v, note %+v; want one without fault, and a note: %v", mode, left, shook, note, due)
			}
			if due && (note.Seq < shook.Seq || note.Leg != session.Upstream || note.Kind != session.KindNote || !strings.Contains(note.Text, "in 29 days")) {
				t.Errorf("%s: noted %+v, want it behind the handshake, with the days left", mode, note)
			}
		}
	}
}

// In passthrough the certificate shows up to TLS 1.2.
func TestExpiryIsNotedInPassthrough(t *testing.T) {
	cert := ending(t, 12*24*time.Hour)
	app := testenv.App{TLS: testenv.AppSTARTTLS, Config: &tls.Config{InsecureSkipVerify: true, ServerName: "127.0.0.1"}}
	history := sendOver(t, cert, upstream.ModeAuto, app, func(r *proxy.Route) { r.Passthrough = true })
	note := find(history, func(e *session.Entry) bool { return e.Odd == session.OddExpiring })
	if note == nil || note.Leg != session.Upstream || !strings.Contains(note.Text, "ends on") {
		t.Errorf("noted %+v, want the end of the certificate that went by", note)
	}
}
