//go:build unix

package proxy_test

import (
	"context"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"smtp-proxy/proxy"
	"smtp-proxy/upstream"
)

// BenchmarkPassthrough measures sessions through the proxy against the same
// through a tube of two io.Copy, in turns, so that both meet the same machine.
// It reports the median of what a session takes, in time and in CPU of both
// ends and of what is between them, and how much more the proxy's is. Most
// submission services show an RSA certificate; with ECDSA, whose handshake is
// the cheapest there is, what the proxy adds shows most.
func BenchmarkPassthrough(b *testing.B) {
	withRSA, withECDSA := serverConfigRSA(b), serverConfig(b)
	short := func(version uint16) tunnelled { return tunnelled{version: version, fromApp: 4 << 10, fromUp: 512} }
	for _, s := range []struct {
		name string
		tunnelled
		cfg *tls.Config
	}{
		{"short-1.2-rsa", short(tls.VersionTLS12), withRSA},
		{"short-1.3-rsa", short(tls.VersionTLS13), withRSA},
		{"short-1.3-ecdsa", short(tls.VersionTLS13), withECDSA},
		{"bulk", tunnelled{version: tls.VersionTLS13, fromApp: 64 << 20}, withECDSA},
	} {
		b.Run(s.name, func(b *testing.B) { compare(b, s.tunnelled, s.cfg) })
	}
}

// serverConfigRSA is that of a smarthost with an RSA key.
func serverConfigRSA(b *testing.B) *tls.Config {
	key, err := rsa.GenerateKey(nil, 2048)
	if err != nil {
		b.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"mx.test"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(nil, template, template, key.Public(), key)
	if err != nil {
		b.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// bill is what each session has cost, in nanoseconds.
type bill struct{ wall, cpu []float64 }

func compare(b *testing.B, s tunnelled, cfg *tls.Config) {
	l := listenAt(b)
	go serveAll(s, l, cfg)
	ways := [2]string{tube(b, l.Addr().String()), through(b, l.Addr().String(), true)}
	var bills [2]bill
	for i := 0; b.Loop(); i++ {
		for k := range ways {
			k ^= i & 1
			start, used := time.Now(), cpuTime()
			visit(b, s, ways[k])
			bills[k].wall = append(bills[k].wall, float64(time.Since(start)))
			bills[k].cpu = append(bills[k].cpu, float64(cpuTime()-used))
		}
	}
	report(b, "time", median(bills[0].wall), median(bills[1].wall))
	report(b, "cpu", median(bills[0].cpu), median(bills[1].cpu))
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

func report(b *testing.B, what string, tube, proxy float64) {
	b.ReportMetric(tube/1e3, "tube-"+what+"-µs")
	b.ReportMetric(proxy/1e3, "proxy-"+what+"-µs")
	b.ReportMetric(100*proxy/tube-100, "%-more-"+what)
}

// cpuTime is what this process has used, in user and system mode.
func cpuTime() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// visit plays the app's part against addr.
func visit(b *testing.B, s tunnelled, addr string) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	if err := s.app(conn.(*net.TCPConn)); err != nil {
		b.Fatal(err)
	}
}

// serveAll plays the upstream's part for all who come.
func serveAll(s tunnelled, l net.Listener, cfg *tls.Config) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			_ = s.smarthost(conn.(*net.TCPConn), cfg)
		}()
	}
}

// tube relays to addr with io.Copy alone, and returns where it listens.
func tube(b *testing.B, addr string) string {
	l := listenAt(b)
	go func() {
		for {
			app, err := l.Accept()
			if err != nil {
				return
			}
			go relayPlainly(app.(*net.TCPConn), addr)
		}
	}()
	return l.Addr().String()
}

func relayPlainly(app *net.TCPConn, addr string) {
	defer app.Close()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	up := conn.(*net.TCPConn)
	defer up.Close()
	var wg sync.WaitGroup
	wg.Go(func() {
		_, _ = io.Copy(up, app)
		_ = up.CloseWrite()
	})
	_, _ = io.Copy(app, up)
	_ = app.CloseWrite()
	wg.Wait()
}

// through starts a proxy in front of addr, whose record nobody keeps, and
// returns where it listens.
func through(b *testing.B, addr string, passthrough bool) string {
	target, err := upstream.ParseTarget(addr, upstream.ModeAuto)
	if err != nil {
		b.Fatal(err)
	}
	connector, err := upstream.New(upstream.Options{})
	if err != nil {
		b.Fatal(err)
	}
	rec := proxy.NewRecorder()
	p, err := proxy.New(proxy.Options{
		Routes:   []proxy.Route{{Name: "default", Listen: []string{"127.0.0.1:0"}, Target: target, Connector: connector, Passthrough: passthrough}},
		Recorder: rec, Log: zerolog.Nop(),
	})
	if err == nil {
		err = p.Listen()
	}
	if err != nil {
		b.Fatal(err)
	}
	go func() { _ = p.Serve(context.Background()) }()
	go func() {
		for {
			if _, err := rec.Next(context.Background()); errors.Is(err, io.EOF) {
				return
			}
		}
	}()
	b.Cleanup(func() {
		done, cancel := context.WithCancel(context.Background())
		cancel()
		_ = p.Shutdown(done)
		rec.Close()
	})
	return p.Addrs()[0].String()
}
