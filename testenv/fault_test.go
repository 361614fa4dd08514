package testenv_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
)

func startFault(t *testing.T, name string) *testenv.Fault {
	t.Helper()
	f, err := testenv.StartFault(name, testenv.FaultOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func allFaults(t *testing.T) []string {
	t.Helper()
	names, err := testenv.Faults()
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// Every fault starts, says where it is, and is gone behind Close.
func TestEveryFaultStartsAndEnds(t *testing.T) {
	names := allFaults(t)
	if len(names) < 80 {
		t.Fatalf("got %d faults, want all of them: %q", len(names), names)
	}
	for _, name := range names {
		f, err := testenv.StartFault(name, testenv.FaultOptions{})
		if err != nil {
			t.Error(err)
			continue
		}
		if _, _, err := net.SplitHostPort(f.Upstream); err != nil || f.Sends < 1 {
			t.Errorf("%s: got upstream %q, %d sends", name, f.Upstream, f.Sends)
		}
		if err := f.Close(); err != nil {
			t.Errorf("%s: close: %v", name, err)
		}
	}
}

func TestStartFaultNamesWhatItDoesNotKnow(t *testing.T) {
	for name, o := range map[string]testenv.FaultOptions{
		"connect.sulking":   {},
		"recipient.unknown": {Persona: "sendgrid"},
	} {
		_, err := testenv.StartFault(name, o)
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("StartFault(%q, %+v): got %v, want an error that names it", name, o, err)
		}
	}
}

func TestFaultsTakeAnotherName(t *testing.T) {
	for _, name := range []string{"connect.refused", "connect.dns-failure/refused", "tls.certificate-expired", "tls.version-mismatch", "recipient.unknown"} {
		f, err := testenv.StartFault(name, testenv.FaultOptions{Host: "other.example.com"})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if host, _, _ := net.SplitHostPort(f.Upstream); host != "other.example.com" {
			t.Errorf("%s: got upstream %q, want other.example.com", name, f.Upstream)
		}
	}
}

// What a fault's files promise is what an app is told that meets it as it
// must: the reply of the scene, in the words of each persona that has some.
func TestRepliesReachTheApp(t *testing.T) {
	scenes, err := testenv.Scenes()
	if err != nil {
		t.Fatal(err)
	}
	for _, scene := range scenes {
		if scene.Reply == "" || scene.App.Script != "" || scene.Phase == "tls" {
			continue
		}
		t.Run(scene.Persona+"/"+scene.ID, func(t *testing.T) {
			f, err := testenv.StartFault(scene.ID, testenv.FaultOptions{Persona: scene.Persona})
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			app := f.App
			app.Addr, app.Config, app.TLS = f.Smarthost.Addr(), testenv.Trust(f.Roots), testenv.AppSTARTTLS
			if f.Relay.UpstreamTLS == "none" {
				app.TLS = testenv.AppPlain
			}
			var v testenv.Verdict
			for range f.Sends {
				v, _ = app.Send(within(t))
			}
			if scene.ID == "protocol.desync" {
				return // the words are as usual; there is one reply too many
			}
			want := scene.Reply[:3]
			partly := len(v.Accepted) > 0 && len(v.Refused) > 0 && scene.Phase == session.PhaseRcpt
			if !partly && (v.Phase != scene.Phase || want != fmt.Sprint(v.Reply.Code)) {
				t.Errorf("got %+v, want %s in %s", v, want, scene.Phase)
			}
			if text := v.Reply.Text(); placeholder.MatchString(text) {
				t.Errorf("got %q, want every placeholder filled in", text)
			}
		})
	}
}

var placeholder = regexp.MustCompile(`\{[a-z]+\}`)

// The scripts of the app's faults agree with the smarthost that they meet,
// except where only the relay would answer so.
func TestScriptsMeetTheSmarthost(t *testing.T) {
	byRelay := []string{"protocol.smuggling", "protocol.line-too-long", "protocol.not-smtp", "tls.implicit-expected/app"}
	scenes, err := testenv.Scenes()
	if err != nil {
		t.Fatal(err)
	}
	for _, scene := range scenes {
		if scene.App.Script == "" || slices.Contains(byRelay, scene.ID) || scene.ID == "app.timeout" {
			continue
		}
		f := startFault(t, scene.ID)
		app := f.App
		app.Addr, app.Config = f.Smarthost.Addr(), testenv.Trust(f.Roots)
		if _, err := app.Send(within(t)); err != nil {
			t.Errorf("%s: %v", scene.ID, err)
		}
	}
}

func TestUnreachablePorts(t *testing.T) {
	tests := map[string]error{
		"connect.refused":     syscall.ECONNREFUSED,
		"connect.unreachable": syscall.ENETUNREACH,
		"connect.timeout":     os.ErrDeadlineExceeded,
	}
	known := allFaults(t)
	for name, want := range tests {
		if !slices.Contains(known, name) {
			continue // a system where it cannot be provoked
		}
		f := startFault(t, name)
		_, port, _ := net.SplitHostPort(f.Upstream)
		c, err := net.DialTimeout("tcp", net.JoinHostPort(resolve(t, f), port), 300*time.Millisecond)
		if err == nil {
			c.Close()
		}
		var timeout net.Error
		timedOut := errors.As(err, &timeout) && timeout.Timeout() && want == os.ErrDeadlineExceeded
		if !errors.Is(err, want) && !timedOut {
			t.Errorf("%s: got %v, want %v", name, err, want)
		}
	}
}

// resolve asks the fault's name server for the upstream's address.
func resolve(t *testing.T, f *testenv.Fault) string {
	t.Helper()
	r := ask(t, f)
	if len(r.Answer) == 0 {
		t.Fatalf("%s: no address for %s", f.Name, f.Upstream)
	}
	return r.Answer[0].(*dns.A).A.String()
}

func ask(t *testing.T, f *testenv.Fault) *dns.Msg {
	t.Helper()
	host, _, _ := net.SplitHostPort(f.Upstream)
	r, err := dns.Exchange(new(dns.Msg).SetQuestion(host+".", dns.TypeA), f.Resolver)
	if err != nil {
		t.Fatalf("%s: %v", f.Name, err)
	}
	return r
}

func TestNamesThatDoNotResolve(t *testing.T) {
	for name, want := range map[string]int{
		"connect.dns-no-such-host":            dns.RcodeNameError,
		"connect.dns-no-such-host/no-address": dns.RcodeSuccess,
		"connect.dns-failure":                 dns.RcodeServerFailure,
		"connect.dns-failure/refused":         dns.RcodeRefused,
	} {
		r := ask(t, startFault(t, name))
		if r.Rcode != want || len(r.Answer) != 0 {
			t.Errorf("%s: got %v, want rcode %d and no answer", name, r, want)
		}
	}
}

// handshake does what a relay would do with the fault's upstream.
func handshake(t *testing.T, f *testenv.Fault) error {
	t.Helper()
	host, port, _ := net.SplitHostPort(f.Upstream)
	ip := host
	if net.ParseIP(host) == nil {
		ip = resolve(t, f)
	}
	c := dial(t, net.JoinHostPort(ip, port))
	io.WriteString(c, "EHLO me\r\nSTARTTLS\r\n")
	for _, part := range []string{"220 ", "\r\n250 ", "\r\n220 ", "\r\n"} {
		awaitReply(t, c, part)
	}
	cfg := testenv.Trust(f.Roots)
	cfg.ServerName = host
	secure := tls.Client(c, cfg)
	if err := secure.Handshake(); err != nil {
		return err
	}
	_, err := secure.Read(make([]byte, 1)) // a refused client certificate shows here under TLS 1.3
	return err
}

func TestHandshakesFailAsNamed(t *testing.T) {
	tests := map[string]func(error) bool{
		"tls.certificate-expired":               invalid(x509.Expired),
		"tls.certificate-expired/intermediate":  invalid(x509.Expired),
		"tls.certificate-not-yet-valid":         invalid(x509.Expired),
		"tls.clock-skew":                        invalid(x509.Expired),
		"tls.certificate-name-mismatch":         is[x509.HostnameError],
		"tls.certificate-self-signed":           is[x509.UnknownAuthorityError],
		"tls.certificate-untrusted":             is[x509.UnknownAuthorityError],
		"tls.chain-incomplete":                  is[x509.UnknownAuthorityError],
		"tls.certificate-weak":                  says("insecure algorithm"),
		"tls.version-mismatch":                  alert(70),
		"tls.cipher-mismatch":                   alert(40),
		"tls.client-certificate-required":       alert(116),
		"tls.client-certificate-required/tls12": alert(40),
		"tls.sni-required":                      alert(112),
		"tls.handshake-reset":                   says("reset"),
		"tls.handshake-reset/closed":            says("EOF"),
		"tls.handshake-corrupt":                 says("tls: "),
	}
	for name, want := range tests {
		if err := handshake(t, startFault(t, name)); !want(err) {
			t.Errorf("%s: got %T %v", name, err, err)
		}
	}
}

func is[E error](err error) bool {
	var e E
	return errors.As(err, &e)
}

func invalid(reason x509.InvalidReason) func(error) bool {
	return func(err error) bool {
		var e x509.CertificateInvalidError
		return errors.As(err, &e) && e.Reason == reason
	}
}

func alert(number tls.AlertError) func(error) bool {
	return func(err error) bool {
		return err != nil && strings.HasSuffix(err.Error(), number.Error())
	}
}

func says(text string) func(error) bool {
	return func(err error) bool { return err != nil && strings.Contains(err.Error(), text) }
}
