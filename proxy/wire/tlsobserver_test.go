package wire

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"reflect"
	"sync"
	"testing"
	"time"
)

// said is what one side wrote at once.
type said struct {
	side int
	b    []byte
}

// ear is a connection that notes what is written to it, in the order of both
// sides.
type ear struct {
	net.Conn
	side int
	log  *dialogue
}

type dialogue struct {
	mu   sync.Mutex
	said []said
}

func (e *ear) Write(b []byte) (int, error) {
	e.log.mu.Lock()
	e.log.said = append(e.log.said, said{e.side, bytes.Clone(b)})
	e.log.mu.Unlock()
	return e.Conn.Write(b)
}

// pair returns the two ends of a loopback connection.
func pair(t testing.TB) (app, upstream net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if app, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if upstream, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return app, upstream
}

// talk is one connection of crypto/tls with itself: a handshake, a word of the
// app, an answer, a close. leave, if set, takes the app's part behind its
// handshake.
func talk(t testing.TB, app, upstream *tls.Config, leave func(*tls.Conn)) []said {
	t.Helper()
	log := &dialogue{}
	a, u := pair(t)
	var wg sync.WaitGroup
	wg.Go(func() {
		conn := tls.Server(&ear{u, TLSUpstream, log}, upstream)
		defer u.Close()
		b := make([]byte, 64)
		n, err := conn.Read(b)
		if err == nil && n > 0 {
			_, _ = conn.Write([]byte("250 smtp.example.com\r\n"))
		}
		_, _ = conn.Read(b)
	})
	conn := tls.Client(&ear{a, TLSApp, log}, app)
	if err := conn.Handshake(); err == nil {
		if leave == nil {
			leave = converse
		}
		leave(conn)
	}
	a.Close()
	wg.Wait()
	return log.said
}

// converse is what an app does that is content.
func converse(conn *tls.Conn) {
	_, _ = conn.Write([]byte("EHLO app.example.net\r\n"))
	_, _ = conn.Read(make([]byte, 64))
	_ = conn.Close()
}

// observe plays a dialogue to an observer in pieces of the given size, 0 for
// one piece each, until it wants no more.
func observe(dialogue []said, piece int) *TLSObserver {
	o := &TLSObserver{}
	for i, s := range dialogue {
		if s.side == end {
			o.End()
			continue
		}
		for b := s.b; len(b) > 0; {
			n := len(b)
			if piece > 0 {
				n = min(piece, n)
			}
			feed(o, s.side, b[:n], moment(i))
			b = b[n:]
		}
	}
	return o
}

// end in place of a side stands for the end of one.
const end = 2

func feed(o *TLSObserver, side int, b []byte, at time.Duration) {
	if side == TLSApp {
		o.App(b, at)
	} else {
		o.Upstream(b, at)
	}
}

// moment is when the i-th write of a dialogue came.
func moment(i int) time.Duration { return time.Duration(i) * time.Millisecond }

// certificate makes a certificate of its own issue for smtp.example.com.
func certificate(t testing.TB) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "smtp.example.com"},
		DNSNames:     []string{"smtp.example.com"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// rig is a pair of configurations that get on with each other at one version.
func rig(t testing.TB, version uint16) (app, upstream *tls.Config) {
	t.Helper()
	cert := certificate(t)
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	app = &tls.Config{ServerName: "smtp.example.com", RootCAs: roots, MinVersion: version, MaxVersion: version}
	upstream = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: version, MaxVersion: version}
	return app, upstream
}

// outcome is what a test wants to see of a handshake.
type outcome struct {
	stage    TLSStage
	finished bool
	resumed  bool
	retried  bool
	asked    bool
	alert    [2]int // -1 for none
	hidden   [2]bool
	done     bool
}

func outcomeOf(o *TLSObserver) outcome {
	seen := o.Seen()
	if seen.Finished && !o.Settled() || o.Done() && !o.Settled() {
		return outcome{} // an observer that contradicts itself
	}
	got := outcome{stage: seen.Stage, finished: seen.Finished, retried: seen.Retried, asked: seen.AskedCert,
		hidden: seen.HiddenAlert, done: o.Done(), alert: [2]int{-1, -1}}
	got.resumed = seen.Server != nil && seen.Server.Resumed
	for side, a := range seen.Alert {
		if a != nil {
			got.alert[side] = int(a.Number)
		}
	}
	return got
}

var none = [2]int{-1, -1}

func TestObserverAtEveryVersion(t *testing.T) {
	for _, version := range []uint16{VersionTLS10, VersionTLS11, VersionTLS12, VersionTLS13} {
		t.Run(VersionName(version), func(t *testing.T) {
			app, upstream := rig(t, version)
			upstream.Certificates[0].OCSPStaple = []byte("an answer")
			o := observe(talk(t, app, upstream, nil), 0)
			want := outcome{stage: TLSEstablished, finished: true, alert: none, done: true}
			if got := outcomeOf(o); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
			seen := o.Seen()
			if seen.Server.Version != version || seen.Client.SNI != "smtp.example.com" || !seen.Client.StatusRequest {
				t.Errorf("got version %s, hello %+v", VersionName(seen.Server.Version), seen.Client)
			}
			if seen.Server.Group != uint16(tls.X25519) && seen.Server.Group != uint16(tls.X25519MLKEM768) {
				t.Errorf("got group %s", GroupName(seen.Server.Group))
			}
			if version == VersionTLS13 {
				return
			}
			if len(seen.Chain) != 1 || !bytes.Equal(seen.Chain[0], upstream.Certificates[0].Certificate[0]) {
				t.Errorf("got a chain of %d certificates, want the one of the upstream", len(seen.Chain))
			}
			if string(seen.Staple) != "an answer" {
				t.Errorf("got staple %q, want that of the upstream", seen.Staple)
			}
		})
	}
}

func TestObserverOutcomes(t *testing.T) {
	both := func(change func(app, upstream *tls.Config)) func(*testing.T, uint16) []said {
		return func(t *testing.T, version uint16) []said {
			app, upstream := rig(t, version)
			change(app, upstream)
			return talk(t, app, upstream, nil)
		}
	}
	leaves := func(leave func(*tls.Conn)) func(*testing.T, uint16) []said {
		return func(t *testing.T, version uint16) []said {
			app, upstream := rig(t, version)
			return talk(t, app, upstream, leave)
		}
	}
	untrusted := func(app, _ *tls.Config) { app.RootCAs = x509.NewCertPool() }
	failing := func(app, _ *tls.Config) {
		app.VerifyConnection = func(tls.ConnectionState) error { return errors.New("no") }
	}
	demands := func(_, upstream *tls.Config) { upstream.ClientAuth = tls.RequireAnyClientCert }
	offers := func(app, upstream *tls.Config) {
		demands(app, upstream)
		app.Certificates = upstream.Certificates
	}
	tests := []struct {
		name    string
		version uint16
		play    func(*testing.T, uint16) []said
		want    outcome
	}{
		{"the app does not trust the certificate", VersionTLS12, both(untrusted),
			outcome{stage: TLSServerFlight, alert: [2]int{42, -1}, done: true}},
		{"the app does not trust the certificate", VersionTLS13, both(untrusted),
			outcome{stage: TLSServerFlight, alert: none, hidden: [2]bool{true, false}, done: true}},
		{"the app finds something wrong", VersionTLS13, both(failing),
			outcome{stage: TLSServerFlight, alert: none, hidden: [2]bool{true, false}, done: true}},
		{"a client certificate is demanded", VersionTLS12, both(demands),
			outcome{stage: TLSAppFlight, asked: true, alert: [2]int{-1, 40}, done: true}},
		{"a client certificate is demanded", VersionTLS13, both(demands),
			outcome{stage: TLSEstablished, finished: true, asked: true, alert: none, hidden: [2]bool{false, true}, done: true}},
		{"a client certificate is given", VersionTLS12, both(offers),
			outcome{stage: TLSEstablished, finished: true, asked: true, alert: none, done: true}},
		{"a client certificate is given", VersionTLS13, both(offers),
			outcome{stage: TLSEstablished, finished: true, asked: true, alert: none, done: true}},
		{"no version in common", VersionTLS13, both(func(_, u *tls.Config) { u.MinVersion, u.MaxVersion = VersionTLS12, VersionTLS12 }),
			outcome{stage: TLSHello, alert: [2]int{-1, 70}, done: true}},
		{"no suite in common", VersionTLS12, both(func(a, u *tls.Config) {
			a.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}
			u.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384}
		}), outcome{stage: TLSHello, alert: [2]int{-1, 40}, done: true}},
		{"another group is asked for", VersionTLS13, both(func(a, u *tls.Config) {
			a.CurvePreferences = []tls.CurveID{tls.X25519, tls.CurveP384}
			u.CurvePreferences = []tls.CurveID{tls.CurveP384}
		}), outcome{stage: TLSEstablished, finished: true, retried: true, alert: none, done: true}},
		{"the app closes at once", VersionTLS12, leaves(func(c *tls.Conn) { _ = c.Close() }),
			outcome{stage: TLSEstablished, finished: true, alert: none, hidden: [2]bool{true, false}, done: true}},
		{"the app closes at once", VersionTLS13, leaves(func(c *tls.Conn) { _ = c.Close() }),
			outcome{stage: TLSEstablished, finished: true, alert: none, hidden: [2]bool{true, false}, done: true}},
		{"the app drops the connection", VersionTLS13, leaves(func(*tls.Conn) {}),
			outcome{stage: TLSEstablished, finished: true, alert: none}},
	}
	for _, tt := range tests {
		t.Run(tt.name+", "+VersionName(tt.version), func(t *testing.T) {
			said := tt.play(t, tt.version)
			if got := outcomeOf(observe(said, 0)); got != tt.want {
				t.Errorf("got %+v, want %+v; dialogue:\n%s", got, tt.want, sizes(said))
			}
			sameInPieces(t, said)
		})
	}
}

func TestObserverSeesResumption(t *testing.T) {
	for _, version := range []uint16{VersionTLS10, VersionTLS12, VersionTLS13} {
		t.Run(VersionName(version), func(t *testing.T) {
			app, upstream := rig(t, version)
			app.ClientSessionCache = tls.NewLRUClientSessionCache(1)
			talk(t, app, upstream, nil)
			said := talk(t, app, upstream, nil)
			want := outcome{stage: TLSEstablished, finished: true, resumed: true, alert: none, done: true}
			if got := outcomeOf(observe(said, 0)); got != want {
				t.Errorf("got %+v, want %+v; dialogue:\n%s", got, want, sizes(said))
			}
			sameInPieces(t, said)
		})
	}
}

// sameInPieces checks that what is seen does not depend on how the octets are
// cut.
func sameInPieces(t *testing.T, said []said) {
	t.Helper()
	whole := observe(said, 0)
	for _, piece := range []int{1, 2, 3, 5, 7, 64, 1460} {
		o := observe(said, piece)
		if !reflect.DeepEqual(o.Seen(), whole.Seen()) || o.Done() != whole.Done() {
			t.Errorf("in pieces of %d octets: got %+v, want %+v", piece, o.Seen(), whole.Seen())
		}
	}
}

// sizes shows the records of a dialogue, for failure messages.
func sizes(dialogue []said) string {
	var b bytes.Buffer
	for _, s := range dialogue {
		b.WriteString([...]string{"app", "upstream", "end"}[s.side])
		r := bytes.NewReader(s.b)
		var h [5]byte
		for {
			if _, err := io.ReadFull(r, h[:]); err != nil {
				break
			}
			n := int(h[3])<<8 | int(h[4])
			_, _ = r.Seek(int64(n), io.SeekCurrent)
			b.WriteString(" " + [...]string{"ccs", "alert", "handshake", "data"}[(h[0]-20)&3] + ":" + big.NewInt(int64(n)).String())
		}
		b.WriteByte('\n')
	}
	return b.String()
}
