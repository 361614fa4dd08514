package session

import (
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// flight is what one side sent of a TLS session before the other spoke.
type flight struct {
	from Side
	data []byte
}

// tlsTape records who sent what in a TLS session.
type tlsTape struct {
	mu      sync.Mutex
	flights []flight
	cut     bool // the next octets begin a flight, whoever sends them
}

func (t *tlsTape) add(from Side, b []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if k := len(t.flights) - 1; k >= 0 && t.flights[k].from == from && !t.cut {
		t.flights[k].data = append(t.flights[k].data, b...)
		return
	}
	t.cut = false
	t.flights = append(t.flights, flight{from, append([]byte(nil), b...)})
}

// shaken marks the end of the handshake.
func (t *tlsTape) shaken() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cut = true
}

// taped is one side's connection.
type taped struct {
	net.Conn
	tape *tlsTape
	side Side
}

func (c taped) Write(b []byte) (int, error) {
	c.tape.add(c.side, b)
	return c.Conn.Write(b)
}

// recordTLS makes a TLS session of the kind named ("1.2", "1.3", with
// "-resumed", "-asked" for a client certificate that is asked for, or
// "-refused" for an app that does not trust the certificate) and returns its
// flights: those of the handshake, a line of the app's, a line of the
// smarthost's, and the app's goodbye. The sizes are the same each time.
func recordTLS(t testing.TB, kind string) []flight {
	t.Helper()
	version, variant, _ := strings.Cut(kind, "-")
	app, up := tlsConfigs(t, map[string]uint16{"1.0": tls.VersionTLS10, "1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}[version])
	switch variant {
	case "resumed":
		app.ClientSessionCache = tls.NewLRUClientSessionCache(1)
		playTLS(t, app, up)
	case "asked":
		up.ClientAuth = tls.RequestClientCert
	case "refused":
		app.InsecureSkipVerify, app.RootCAs = false, x509.NewCertPool()
	}
	return playTLS(t, app, up)
}

func tlsConfigs(t testing.TB, version uint16) (app, up *tls.Config) {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mx.test"}, DNSNames: []string{"mx.test"},
		NotBefore: time.Unix(1_700_000_000, 0), NotAfter: time.Unix(2_000_000_000, 0),
	}
	der, err := x509.CreateCertificate(nil, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	up = &tls.Config{MinVersion: version, MaxVersion: version, Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	app = &tls.Config{MinVersion: version, MaxVersion: version, ServerName: "mx.test", InsecureSkipVerify: true}
	return app, up
}

// playTLS lets the two speak with each other over loopback.
func playTLS(t testing.TB, app, up *tls.Config) []flight {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	tape := &tlsTape{}
	shaken := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		conn, err := l.Accept()
		if err == nil {
			answerTLS(tls.Server(taped{conn, tape, Upstream}, up), shaken)
		}
	})
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	speakTLS(tls.Client(taped{conn, tape, App}, app), shaken)
	wg.Wait()
	return tape.flights
}

func answerTLS(c *tls.Conn, shaken chan<- struct{}) {
	defer c.NetConn().Close()
	err := c.Handshake()
	c.NetConn().(taped).tape.shaken()
	close(shaken)
	if err != nil {
		return
	}
	var line [64]byte
	_, _ = c.Read(line[:])
	_, _ = io.WriteString(c, "250 mx.test\r\n")
	_, _ = io.Copy(io.Discard, c)
}

// speakTLS waits for the other side's end of the handshake, so that the order
// of the flights is always the same.
func speakTLS(c *tls.Conn, shaken <-chan struct{}) {
	defer c.NetConn().Close()
	err := c.Handshake()
	<-shaken
	if err != nil {
		return
	}
	_, _ = io.WriteString(c, "EHLO app\r\n")
	var line [64]byte
	_, _ = c.Read(line[:])
	_ = c.CloseWrite()
}
