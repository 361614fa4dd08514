package testenv_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"testing"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
)

// endToEnd is one way for an app to make TLS with the smarthost itself.
type endToEnd struct {
	app     testenv.AppTLS
	version uint16
}

func (e endToEnd) String() string {
	return fmt.Sprintf("%s, %s", e.app, tls.VersionName(e.version))
}

// In passthrough nothing is found where nothing is wrong either, whoever ends
// the session and however often the app sends; the record says what was
// agreed, and how much was carried.
func TestHealthyPassthroughHasNoFinding(t *testing.T) {
	t.Parallel()
	engine := newEngine(t)
	for _, how := range []endToEnd{
		{testenv.AppSTARTTLS, tls.VersionTLS12}, {testenv.AppSTARTTLS, tls.VersionTLS13},
		{testenv.AppImplicit, tls.VersionTLS12}, {testenv.AppImplicit, tls.VersionTLS13},
	} {
		t.Run(how.String(), func(t *testing.T) {
			t.Parallel()
			how.run(t, engine)
		})
	}
}

// An app that does not look at the certificate gets its mail through, and what
// is wrong with it is no failure of this session.
func TestPassthroughOfAppsThatVerifyNothing(t *testing.T) {
	t.Parallel()
	engine := newEngine(t)
	eachAtOnce(t, append(certificateCauses(), otherFlaws()...), func(t *testing.T, name string) {
		for _, version := range bothVersions() {
			f := tlsRow{fault: name, through: true, app: demandsTLS}.start(t, version)
			l := startLoop(t, f, passthrough)
			l.offer = func(c *tls.Config) { c.InsecureSkipVerify = true }
			s := l.run(t, f)[0]
			l.inquire(t, engine, s)
			wantHealthy(t, engine, s)
			if got := len(f.Smarthost.Messages()); got != 1 || s.Outcome != inspect.NoMail {
				t.Errorf("%s: got %d messages and outcome %s, want one and no-mail", tls.VersionName(version), got, s.Outcome)
			}
		}
	})
}

// run sends several mails through one relay: the first makes a session that
// the second resumes.
func (e endToEnd) run(t *testing.T, engine *diagnose.Engine) {
	f := named(t, testenv.SmarthostOptions{Version: e.version, Implicit: e.app == testenv.AppImplicit})
	if e.app == testenv.AppImplicit {
		f.Relay.UpstreamTLS = "implicit"
	}
	l := startLoop(t, f, passthrough)
	secure := l.endToEnd(f)
	secure.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	app := testenv.App{Addr: l.addr, TLS: e.app, Config: secure, Patience: 10 * time.Second}
	apps := []func(*testing.T, context.Context, testenv.App){
		delivers, delivers, deliversTwice, leavesWithout("! close"), leavesWithout("! shut\n! eof"),
	}
	for _, use := range apps {
		use(t, within(t), app)
		l.await(10 * time.Second)
	}
	l.stop()
	if got := len(f.Smarthost.Messages()); got != 6 || len(l.sessions) != len(apps) {
		t.Fatalf("got %d sessions and %d messages, want %d and 6", len(l.sessions), got, len(apps))
	}
	for i, s := range l.sessions {
		l.inquire(t, engine, s)
		wantHealthy(t, engine, s)
		e.wantTunnel(t, s, i > 0)
	}
}

// delivers is an app that sends one mail and says QUIT.
func delivers(t *testing.T, ctx context.Context, app testenv.App) {
	t.Helper()
	if v, err := app.Send(ctx); err != nil || !v.Delivered() {
		t.Errorf("got %+v, %v, want a delivery", v, err)
	}
}

// deliversTwice is an app that sends two mails in one session.
func deliversTwice(t *testing.T, ctx context.Context, app testenv.App) {
	t.Helper()
	speaks(t, ctx, app, envelope+message+envelope+message+bye)
}

// leavesWithout is an app that sends a mail and leaves without QUIT.
func leavesWithout(end string) func(*testing.T, context.Context, testenv.App) {
	return func(t *testing.T, ctx context.Context, app testenv.App) {
		t.Helper()
		speaks(t, ctx, app, envelope+message+end)
	}
}

// speaks plays a dialogue under TLS.
func speaks(t *testing.T, ctx context.Context, app testenv.App, dialogue string) {
	t.Helper()
	app.Script = "<- 220*\n" + hello + dialogue
	if app.TLS == testenv.AppSTARTTLS {
		app.Script = "<- 220*\n" + hello + "-> STARTTLS\n<- 220*\n! tls\n" + hello + dialogue
	}
	if _, err := app.Send(ctx); err != nil {
		t.Errorf("%q: %v", dialogue, err)
	}
}

// wantTunnel demands what is recorded of TLS that is not the proxy's own.
func (e endToEnd) wantTunnel(t *testing.T, s *inspect.Session, resumed bool) {
	t.Helper()
	if s.Outcome != inspect.NoMail || len(s.Edits) > 0 {
		t.Errorf("got outcome %s and edits %q, want no-mail and none\n%s", s.Outcome, s.Edits, transcript(s))
	}
	var shaken int
	var carried int64
	for _, x := range s.Events {
		carried += x.Bytes
		if x.Kind != session.KindTLS {
			continue
		}
		shaken++
		if !x.TLS.Passthrough || x.Fault != nil || x.TLS.Version != tls.VersionName(e.version) || x.TLS.Resumed != resumed || x.TLS.ServerName != "mail.example.com" {
			t.Errorf("got %+v of the handshake on the %s leg, want one in passthrough of %s, resumed %t\n%s", x.TLS, x.Leg, e, resumed, transcript(s))
		}
		if x.Leg == session.App && (x.TLS.Hello == nil || x.TLS.Hello.JA4 == "" || len(x.TLS.Hello.Signatures) == 0) {
			t.Errorf("got the offer %+v, want its signatures and fingerprint", x.TLS.Hello)
		}
	}
	if shaken != 2 || carried < 2000 {
		t.Errorf("got %d handshakes and %d octets on record, want 2 and some thousands\n%s", shaken, carried, transcript(s))
	}
}
