package diagnose_test

import (
	"strings"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/proxy/session"
)

// tunnel is a handshake between app and upstream, as the core records it.
type tunnel struct {
	version  string          // of the ServerHello; empty when none came
	hello    *session.Hello  // nil: a modern one that asks for smtp.example.com
	chain    *session.TLS    // what TLS 1.2 shows of the certificate, and its verdict
	silentIn bool            // the app never began
	flights  []int64         // octets, the app's first
	app, up  *session.Fault  // who broke it, if anybody
	asked    bool            // for a client certificate, in view
	took     time.Duration   // until it was settled
	tcp      *session.TCP    // of the upstream leg
	behind   []session.Entry // what came then
}

func modern() *session.Hello {
	return &session.Hello{Versions: []string{"TLS 1.3", "TLS 1.2"}, Ciphers: []string{"TLS_AES_128_GCM_SHA256"}, SNI: "smtp.example.com"}
}

func (c tunnel) entries() []session.Entry {
	app := &session.TLS{Passthrough: true, Version: c.version, Duration: c.took}
	if !c.silentIn {
		app.Hello = c.hello
		if app.Hello == nil {
			app.Hello = modern()
		}
		app.ServerName = app.Hello.SNI
	}
	for i, n := range c.flights {
		app.Flights = append(app.Flights, session.Flight{From: []string{"app", "upstream"}[i%2], Records: 1, Bytes: n, At: time.Duration(i) * time.Millisecond})
	}
	up := session.TLS{}
	if c.chain != nil {
		up = *c.chain
	}
	up.Passthrough, up.Version, up.ServerName, up.AskedCert, up.Duration = true, c.version, app.ServerName, c.asked, c.took
	behindUp := handshake(session.Upstream, &up, c.up)
	behindUp.TCP = c.tcp
	return append([]session.Entry{handshake(session.App, app, c.app), behindUp}, c.behind...)
}

func fault(class session.FaultClass, alert ...int) *session.Fault {
	f := &session.Fault{Op: "handshake", Class: class, Text: string(class)}
	if len(alert) > 0 {
		f.Alert = alert[0]
	}
	return f
}

func chainOf(verify session.VerifyFault, names ...string) *session.TLS {
	return &session.TLS{Verify: verify, Verified: verify == "", Chain: []session.Certificate{certificate(names...)}}
}

func probed(name, result string, h *session.TLS) session.Entry {
	return session.Entry{Leg: session.Upstream, From: session.FromProxy, Kind: session.KindProbe, TLS: h, Text: "probe " + name,
		Probe: &session.Probe{Name: name, Target: "smtp.example.com:587", Result: result}}
}

func predicted(cause string) session.Entry {
	e := probed(inspect.ProbeDirect, "fail", nil)
	e.Probe.Cause, e.Text = cause, "smtp.example.com takes TLS 1.2 and 1.3"
	return e
}

func left(side session.Side, f *session.Fault) session.Entry {
	return session.Entry{Leg: side, From: session.Origin(side), Kind: session.KindClose, Fault: f, Text: "closed the connection"}
}

func TestPassthroughCauses(t *testing.T) {
	old := &session.Hello{Versions: []string{"TLS 1.1", "TLS 1.0"}, Ciphers: []string{"TLS_RSA_WITH_AES_128_CBC_SHA"}, SNI: "smtp.example.com"}
	rc4 := &session.Hello{Versions: []string{"TLS 1.2"}, Ciphers: []string{"TLS_RSA_WITH_RC4_128_SHA"}, SNI: "smtp.example.com"}
	nameless := &session.Hello{Versions: []string{"TLS 1.3"}, Ciphers: []string{"TLS_AES_128_GCM_SHA256"}}
	local := &session.Hello{Versions: []string{"TLS 1.3"}, Ciphers: []string{"TLS_AES_128_GCM_SHA256"}, SNI: "localhost"}
	three, two := []int64{517, 3020, 24}, []int64{517, 3020}
	const v12, v13, host = "TLS 1.2", "TLS 1.3", "smtp.example.com"
	hidden, closed := fault(session.FaultHiddenAlert), fault(session.FaultClosed)
	working := func() *session.TLS { h := chainOf("", host); h.Version, h.ServerName = v13, host; return h }
	tests := []struct {
		name     string
		tunnel   tunnel
		want     string
		contains string
	}{
		{"1.2 expired, alert 45", tunnel{version: v12, flights: three, chain: chainOf(session.VerifyExpired, host), app: fault(session.FaultAlert, 45)}, "tls.certificate-expired certain", "certificate_expired"},
		{"1.2 expired, left", tunnel{version: v12, flights: two, chain: chainOf(session.VerifyExpired, host), app: closed}, "tls.certificate-expired likely", "without a word"},
		{"1.2 untrusted", tunnel{version: v12, flights: three, chain: chainOf(session.VerifyUntrusted, host), app: fault(session.FaultAlert, 48)}, "tls.certificate-untrusted certain", ""},
		{"1.2 self-signed", tunnel{version: v12, flights: three, chain: chainOf(session.VerifySelfSigned, host), app: fault(session.FaultAlert, 48)}, "tls.certificate-self-signed certain", ""},
		{"1.2 weak", tunnel{version: v12, flights: three, chain: chainOf(session.VerifyWeak, host), app: fault(session.FaultAlert, 40)}, "tls.certificate-weak likely", ""},
		{"1.2 other name", tunnel{version: v12, flights: three, chain: chainOf(session.VerifyName, "mail.example.net"), app: fault(session.FaultAlert, 42)}, "tls.certificate-name-mismatch certain", "mail.example.net"},
		{"1.2 name of the proxy", tunnel{version: v12, hello: local, flights: three, chain: chainOf("", host), app: fault(session.FaultAlert, 42)}, "tls.certificate-name-mismatch certain", "asked for localhost"},
		{"1.2 expired, alert 48", tunnel{version: v12, flights: three, chain: chainOf(session.VerifyExpired, host), app: fault(session.FaultAlert, 48)}, "tls.certificate-expired likely", "unknown_ca"},
		{"1.2 verifies here", tunnel{version: v12, flights: three, chain: chainOf("", host), app: fault(session.FaultAlert, 48)}, "tls.app-rejected-certificate certain", "unknown_ca"},
		{"1.2 verifies here, left", tunnel{version: v12, flights: two, chain: chainOf("", host), app: fault(session.FaultReset)}, "tls.app-rejected-certificate likely", "517 octets"},
		{"1.1 chosen, internal error", tunnel{version: "TLS 1.1", flights: three, chain: chainOf("", host), app: fault(session.FaultAlert, 80)}, "tls.version-mismatch likely", "chose TLS 1.1"},
		{"1.2 internal error", tunnel{version: v12, flights: three, chain: chainOf("", host), app: fault(session.FaultAlert, 80)}, "tls.app-rejected-certificate likely", ""},
		{"internal error, no answer", tunnel{flights: []int64{517}, app: fault(session.FaultAlert, 80)}, "tls.handshake-reset likely", "own TLS library"},
		{"1.3 hidden alert, nothing known", tunnel{version: v13, flights: three, app: hidden}, "tls.app-rejected-certificate likely", "hidden by TLS 1.3"},
		{"1.3 left, nothing known", tunnel{version: v13, flights: two, app: closed}, "tls.app-rejected-certificate likely", ""},
		{"1.3 hidden alert, probe: expired", tunnel{version: v13, flights: three, app: hidden, behind: []session.Entry{probed("certificate", "fail", chainOf(session.VerifyExpired, host))}}, "tls.certificate-expired likely", "size of an alert"},
		{"1.3 hidden alert, probe: incomplete", tunnel{version: v13, flights: three, app: hidden, behind: []session.Entry{probed("certificate", "fail", chainOf(session.VerifyIncomplete, host))}}, "tls.chain-incomplete likely", ""},
		{"1.3 hidden alert, probe: revoked", tunnel{version: v13, flights: three, app: hidden, behind: []session.Entry{probed("certificate", "fail", chainOf(session.VerifyRevoked, host))}}, "tls.certificate-revoked likely", ""},
		{"1.3 hidden alert, probe: in order", tunnel{version: v13, flights: three, app: hidden, behind: []session.Entry{probed("certificate", "ok", chainOf("", host))}}, "tls.app-rejected-certificate likely", "verifies on this machine"},
		{"1.3 hidden alert, probe: another name", tunnel{version: v13, hello: local, flights: three, app: hidden, behind: []session.Entry{probed("certificate", "ok", chainOf("", host))}}, "tls.certificate-name-mismatch likely", "localhost"},
		{"1.3 alert behind the handshake", tunnel{version: v13, flights: three, behind: []session.Entry{left(session.App, hidden), left(session.Upstream, nil)}}, "tls.app-rejected-certificate possible", "in good order"},
		{"1.3 left at once", tunnel{version: v13, flights: []int64{517, 3020, 80}, behind: []session.Entry{left(session.App, closed)}}, "tls.app-rejected-certificate possible", "at once"},
		{"old app, protocol_version", tunnel{hello: old, flights: []int64{120, 7}, up: fault(session.FaultAlert, 70)}, "tls.app-version-mismatch certain", "TLS 1.1, TLS 1.0"},
		{"modern app, protocol_version", tunnel{flights: []int64{517, 7}, up: fault(session.FaultAlert, 70)}, "tls.version-mismatch certain", ""},
		{"app refuses an old version", tunnel{version: "TLS 1.0", flights: three, app: fault(session.FaultAlert, 70)}, "tls.version-mismatch certain", ""},
		{"old suites", tunnel{hello: rc4, flights: []int64{120, 7}, up: fault(session.FaultAlert, 40)}, "tls.app-version-mismatch likely", "suites"},
		{"modern suites", tunnel{flights: []int64{517, 7}, up: fault(session.FaultAlert, 40)}, "tls.cipher-mismatch likely", ""},
		{"insufficient security", tunnel{flights: []int64{517, 7}, up: fault(session.FaultAlert, 71)}, "tls.cipher-mismatch certain", ""},
		{"what the grid says", tunnel{flights: []int64{517, 7}, up: fault(session.FaultAlert, 40), behind: []session.Entry{predicted("tls.version-mismatch")}}, "tls.version-mismatch likely", "takes TLS 1.2 and 1.3"},
		{"unrecognized_name", tunnel{flights: []int64{517, 7}, up: fault(session.FaultAlert, 112)}, "tls.sni-required certain", ""},
		{"no name, reset, the probe gets through", tunnel{hello: nameless, flights: []int64{517}, up: fault(session.FaultReset), behind: []session.Entry{probed("certificate", "ok", working())}}, "tls.sni-required likely", "names no server"},
		{"no name, alert 40, the probe gets through", tunnel{hello: nameless, flights: []int64{517, 7}, up: fault(session.FaultAlert, 40), behind: []session.Entry{probed("certificate", "ok", working())}}, "tls.sni-required likely", ""},
		{"client certificate, in view", tunnel{version: v12, flights: three, asked: true, chain: chainOf("", host), up: fault(session.FaultAlert, 40)}, "tls.client-certificate-required certain", "asked the app"},
		{"client certificate, behind 1.3", tunnel{version: v13, flights: three, behind: []session.Entry{left(session.Upstream, hidden)}}, "tls.client-certificate-required likely", ""},
		{"client certificate, asked of the probe", tunnel{version: v13, flights: three, up: closed, behind: []session.Entry{probed("certificate", "ok", &session.TLS{Version: v13, AskedCert: true})}}, "tls.client-certificate-required likely", "asked the proxy"},
		{"reset right after the hello", tunnel{flights: []int64{517}, up: fault(session.FaultReset)}, "tls.handshake-reset certain", "right after the app's ClientHello"},
		{"closed in the middle", tunnel{version: v12, flights: two, up: closed}, "tls.handshake-reset certain", "3020 octets after 1ms"},
		{"app left before an answer", tunnel{flights: []int64{517}, app: closed, took: 200 * time.Millisecond}, "tls.handshake-reset likely", "200ms"},
		{"app gave up waiting", tunnel{flights: []int64{517}, app: closed, took: 15 * time.Second}, "tls.handshake-timeout certain", "gave up after 15s"},
		{"app left instead of a hello", tunnel{silentIn: true, app: closed}, "tls.handshake-reset likely", "a byte of it"},
		{"upstream silent, packets lost", tunnel{flights: []int64{517}, up: fault(session.FaultTimeout), tcp: &session.TCP{Retransmits: 5, Unacked: 1}}, "tls.handshake-timeout certain", "the path drops packets"},
		{"upstream silent, all arrived", tunnel{flights: []int64{517}, up: fault(session.FaultTimeout), tcp: &session.TCP{RTT: time.Millisecond}}, "tls.handshake-timeout certain", "stuck"},
		{"app silent", tunnel{version: v13, flights: two, app: fault(session.FaultTimeout)}, "tls.handshake-timeout certain", "the app's turn"},
		{"app sends garbage", tunnel{version: v13, flights: two, app: fault(session.FaultCorrupt)}, "tls.handshake-corrupt certain", ""},
		{"upstream sends garbage", tunnel{flights: []int64{517}, up: fault(session.FaultCorrupt)}, "tls.handshake-corrupt certain", ""},
		{"app finds garbage", tunnel{version: v12, flights: three, app: fault(session.FaultAlert, 20)}, "tls.handshake-corrupt likely", ""},
		{"text for an answer", tunnel{flights: []int64{517}, up: &session.Fault{Class: session.FaultNotTLS, First: []byte("220 smtp.example.com ESMTP\r\n")}}, "tls.plaintext-expected certain", "choose STARTTLS"},
		{"stopped in the handshake", tunnel{flights: two, app: fault(session.FaultLocal), behind: []session.Entry{{Leg: session.App, From: session.FromProxy, Kind: session.KindNote, Odd: session.OddShutdown, Text: "the proxy is stopping"}}}, "proxy.shutting-down certain", ""},
		{"cut under TLS", tunnel{version: v13, flights: three, behind: []session.Entry{{Leg: session.Upstream, Kind: session.KindClose, Fault: &session.Fault{Op: "read", Class: session.FaultReset}}}}, "upstream.closed possible", ""},
		{"waited in vain under TLS", tunnel{version: v13, flights: three, behind: []session.Entry{{Leg: session.App, Kind: session.KindClose, Bytes: 9000, Silent: &session.Silent{App: 60 * time.Second, Upstream: 61 * time.Second}}}}, "upstream.timeout likely", "1m1s"},
	}
	for _, tt := range tests {
		s := throughSession(t, tt.tunnel.entries()...)
		got := engine(t, diagnose.Options{}).Annotate(s)
		if len(got) == 0 || got[0].Cause+" "+string(got[0].Certainty) != tt.want {
			t.Errorf("%s: got %+v, want %s", tt.name, got, tt.want)
			continue
		}
		fix := strings.Join(got[0].Fix, " ")
		if all := got[0].Title + got[0].Explanation + fix; !strings.Contains(all, tt.contains) {
			t.Errorf("%s: does not say %q:\n%s", tt.name, tt.contains, all)
		}
		if fix == "" || strings.Contains(fix, "--upstream-") {
			t.Errorf("%s: fix %q, want steps that work in passthrough", tt.name, fix)
		}
	}
}

func throughSession(t *testing.T, entries ...session.Entry) *inspect.Session {
	t.Helper()
	s := newScriptMode(t, "smtp.example.com:587", inspect.Passthrough)
	for _, e := range entries {
		s.add(e)
	}
	s.asm.Close(s.now)
	return s.asm.Session()
}

// A handshake that was made is no failure, whatever this machine thinks of the
// certificate: the app trusts it.
func TestHealthyPassthrough(t *testing.T) {
	closeBoth := []session.Entry{{Leg: session.App, Kind: session.KindClose, Bytes: 5000}, {Leg: session.Upstream, Kind: session.KindClose, Bytes: 9000}}
	for name, c := range map[string]tunnel{
		"1.2":                        {version: "TLS 1.2", flights: []int64{220, 3000, 126, 51}, chain: chainOf("", "smtp.example.com"), behind: closeBoth},
		"1.2, not trusted here":      {version: "TLS 1.2", flights: []int64{220, 3000, 126, 51}, chain: chainOf(session.VerifyUntrusted, "smtp.example.com"), behind: closeBoth},
		"1.3":                        {version: "TLS 1.3", flights: []int64{517, 3000, 80}, behind: closeBoth},
		"running":                    {version: "TLS 1.3", flights: []int64{517, 3000, 80}},
		"upstream ends it":           {version: "TLS 1.3", flights: []int64{517, 3000, 80}, behind: []session.Entry{closeBoth[1], closeBoth[0]}},
		"close_notify":               {version: "TLS 1.3", flights: []int64{517, 3000, 80}, behind: []session.Entry{left(session.App, fault(session.FaultAlert, 0)), closeBoth[1]}},
		"reset behind the end":       {version: "TLS 1.3", flights: []int64{517, 3000, 80}, behind: []session.Entry{closeBoth[0], left(session.Upstream, fault(session.FaultReset))}},
		"idle, forgotten by the app": {version: "TLS 1.3", flights: []int64{517, 3000, 80}, behind: []session.Entry{{Leg: session.App, Kind: session.KindNote, Odd: session.OddTimeout, Silent: &session.Silent{App: 301 * time.Second, Upstream: 300 * time.Second}}}},
	} {
		s := throughSession(t, c.entries()...)
		if got := engine(t, diagnose.Options{}).Annotate(s); len(got) != 0 || s.Outcome != inspect.NoMail {
			t.Errorf("%s: got %s with outcome %s, want no finding and no-mail", name, causes(got), s.Outcome)
		}
		if got := engine(t, diagnose.Options{}).Questions(s); len(got) != 0 {
			t.Errorf("%s: got the questions %+v, want none", name, got)
		}
	}
}

// An app that finds no STARTTLS where it wants it leaves, or asks all the same.
func TestPassthroughWithoutSTARTTLS(t *testing.T) {
	const begin = "open\nU: 220 mx\nA: EHLO app\nU: 250-mx\\n250 SIZE 1000\n"
	for _, tt := range []struct{ name, dialogue, want string }{
		{"left", begin + "close app\nend", "tls.not-offered likely"},
		{"QUIT", begin + "A: QUIT\nU: 221 bye\nclose upstream\nclose app\nend", "tls.not-offered possible"},
		{"QUIT, and the upstream closes", begin + "A: QUIT\nU: 221 bye\nclose upstream\nend", "tls.not-offered possible"},
		{"asked all the same", begin + "A: STARTTLS\nU: 502 5.5.1 unknown command\nodd upstream tls-refused\nA: QUIT\nU: 221 bye\nclose app\nend", "tls.not-offered likely"},
		{"asked before anything else", begin + "A: NOOP\nU: 250 ok\nA: QUIT\nU: 221 bye\nclose app\nend", ""},
		{"mail in clear", begin + "A: MAIL FROM:<a@example.com>\nU: 250 ok\nA: RCPT TO:<b@example.net>\nU: 250 ok\nA: DATA\nU: 354 go\ndata\nU: 250 ok\nA: QUIT\nU: 221 bye\nclose app\nend", ""},
		{"refused though offered", "open\nU: 220 mx\nA: EHLO app\nU: 250-mx\\n250 STARTTLS\nA: STARTTLS\nU: 454 4.7.0 TLS not available\nodd upstream tls-refused\nclose app\nend", "tls.starttls-refused certain"},
		{"masked", "open\nU: 220 mx\nA: EHLO app\nU: 250-mx\\n250 XXXXXXXA\nclose app\nend", "tls.stripped certain"},
		{"no greeting", "open\nwait 30s\nclose app\nend", "connect.no-greeting certain"},
	} {
		s := newScriptMode(t, "smtp.example.com:587", inspect.Passthrough)
		for line := range strings.Lines(tt.dialogue) {
			s.line(strings.TrimSpace(line))
		}
		if got := sure(engine(t, diagnose.Options{}).Annotate(s.asm.Session())); got != tt.want {
			t.Errorf("%s: got %q, want %q in\n%s", tt.name, got, tt.want, tt.dialogue)
		}
	}
}
