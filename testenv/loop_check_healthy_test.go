package testenv_test

import (
	"crypto/tls"
	"net"
	"slices"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"smtp-proxy/inspect/diagnose"
	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream/probe"
)

// wellPeer starts a smarthost that has nothing wrong with it. mails tells how
// many messages it has taken.
type wellPeer func(t *testing.T) (f *testenv.Fault, mails func() int)

// well is a healthy smarthost and what is asked of it.
type well struct {
	peer   wellPeer
	script probe.Script
}

// Whoever the smarthost is and however it secures itself: a check of it ends
// with no finding and no failure, has the sign-in and the recipient accepted,
// and delivers what it was asked to.
func TestCheckOfTheHealthyHasNoFinding(t *testing.T) {
	t.Parallel()
	engine := newEngine(t)
	all := map[string]well{}
	wellPersonas(t, all)
	wellSandboxes(all)
	wellTLS(all)
	var names []string
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	eachAtOnce(t, names, func(t *testing.T, name string) { all[name].check(t, engine) })
}

func (w well) check(t *testing.T, engine *diagnose.Engine) {
	t.Helper()
	f, mails := w.peer(t)
	w.script.Name, w.script.From, w.script.To = "app.localhost", "app@example.com", "user@example.net"
	c := examine(t, f, exam{script: w.script, within: time.Minute})
	c.wantNothing(t, engine)
	want := map[string]bool{"auth": w.script.User != "", "mail": true, "rcpt": true, "delivery": w.script.Deliver}
	for _, l := range c.report.Lines {
		if asked, ok := want[l.Step]; ok && asked != (l.Status == probe.StatusOK) {
			t.Errorf("%s is %s (%s), asked for: %t\n%s", l.Step, l.Status, l.Text, asked, c.ladder())
		}
		delete(want, l.Step)
	}
	if len(want) > 0 {
		t.Errorf("the ladder says nothing of %v\n%s", want, c.ladder())
	}
	if n := mails(); n > 1 || (n == 1) != w.script.Deliver {
		t.Errorf("%d messages were delivered, asked for: %t", n, w.script.Deliver)
	}
}

// wellPersonas adds each persona behind each way to secure a port, with a
// mechanism that it offers there, and with no sign-in.
func wellPersonas(t *testing.T, all map[string]well) {
	t.Helper()
	for _, persona := range testenv.Personas() {
		for _, way := range []string{"none", "auto", "starttls", "implicit", "implicit, to be found out"} {
			how := setting{persona: persona, upstreamTLS: way}
			o := testenv.SmarthostOptions{Persona: persona, Implicit: way == "implicit" || way == "implicit, to be found out"}
			if o.Implicit && way != "implicit" {
				how.upstreamTLS = "auto"
			}
			peer := scripted(o, how.upstreamTLS)
			all[persona+", "+way] = well{peer, probe.Script{Deliver: way == "starttls"}}
			for _, mechanism := range mechanismsOf(t, how) {
				if way == "auto" || way == "none" {
					all[persona+", "+way+", "+mechanism] = well{peer, signIn(mechanism)}
				}
			}
		}
	}
}

func signIn(mechanism string) probe.Script {
	s := probe.Script{User: "app@example.com", Password: "abcdefghijklmnop", Mechanism: mechanism}
	if mechanism == "XOAUTH2" || mechanism == "OAUTHBEARER" {
		s.Password, s.Token = "", "token-of-the-app"
	}
	return s
}

// scripted is a smarthost known by its persona's name.
func scripted(o testenv.SmarthostOptions, mode string) wellPeer {
	return func(t *testing.T) (*testenv.Fault, func() int) {
		f := named(t, o)
		f.Relay.UpstreamTLS = mode
		return f, func() int { return len(f.Smarthost.Messages()) }
	}
}

// wellSandboxes adds the sandbox as its settings have it.
func wellSandboxes(all map[string]well) {
	account := probe.Script{User: "me@example.com", Password: "pl4nted-Horse-Battery"}
	for name, o := range map[string]testenv.SandboxOptions{
		"as it is":          {},
		"implicit":          {Implicit: true},
		"without TLS":       {NoTLS: true},
		"for accounts only": {User: account.User, Password: account.Password, RequireAuth: true},
		"under TLS only":    {RequireTLS: true},
	} {
		w := well{peer: boxed(o)}
		if o.RequireAuth {
			w.script = account
		}
		all["sandbox "+name] = w
		w.script.Deliver = true
		all["sandbox "+name+", with a message"] = w
	}
}

func boxed(o testenv.SandboxOptions) wellPeer {
	return func(t *testing.T) (*testenv.Fault, func() int) {
		s, err := testenv.NewSandbox(o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		f := known(t, "sandbox.localhost", s.Addr())
		f.Roots = s.Roots()
		return f, func() int { return len(s.Messages()) }
	}
}

// known makes a smarthost at an address of loopback known by a name.
func known(t *testing.T, host, addr string) *testenv.Fault {
	t.Helper()
	d, err := testenv.NewDNS()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	ip, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	d.A(host, ip)
	return &testenv.Fault{Upstream: net.JoinHostPort(host, port), Resolver: d.Addr(), Sends: 1}
}

// wellTLS adds smarthosts that differ in their TLS.
func wellTLS(all map[string]well) {
	add := func(name string, cert func(*testenv.CA, ...string) (tls.Certificate, error), change func(*tls.Config)) {
		for _, implicit := range []bool{false, true} {
			way := map[bool]string{false: "starttls", true: "implicit"}[implicit]
			all["TLS "+way+", "+name] = well{peer: certified(way, cert, change)}
		}
	}
	leaf, as := (*testenv.CA).Leaf, func(*tls.Config) {}
	add("with an intermediate", leaf, as)
	add("with the root in the chain", (*testenv.CA).WithRoot, as)
	add("signed by the root", (*testenv.CA).Direct, as)
	add("ending soon", (*testenv.CA).EndingSoon, as)
	add("stapled", func(ca *testenv.CA, names ...string) (tls.Certificate, error) { return ca.Stapled(ocsp.Good, names...) }, as)
	add("1.2 alone", leaf, func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 })
	add("1.3 alone", leaf, func(c *tls.Config) { c.MinVersion = tls.VersionTLS13 })
	add("1.0 to 1.3", leaf, func(c *tls.Config) { c.MinVersion = tls.VersionTLS10 })
	add("asking for a certificate", leaf, func(c *tls.Config) { c.ClientAuth = tls.RequestClientCert })
	add("one suite", leaf, func(c *tls.Config) {
		c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384}
	})
	add("one old group", leaf, func(c *tls.Config) { c.CurvePreferences = []tls.CurveID{tls.CurveP384} })
}

// certified is a smarthost with a certificate of a fresh authority, and changed
// TLS.
func certified(way string, cert func(*testenv.CA, ...string) (tls.Certificate, error), change func(*tls.Config)) wellPeer {
	return func(t *testing.T) (*testenv.Fault, func() int) {
		ca, err := testenv.NewCA()
		if err != nil {
			t.Fatal(err)
		}
		pair, err := cert(ca, "mail.example.com")
		if err != nil {
			t.Fatal(err)
		}
		cfg := &tls.Config{Certificates: []tls.Certificate{pair}}
		change(cfg)
		f := named(t, testenv.SmarthostOptions{TLS: cfg, Implicit: way == "implicit"})
		f.Roots, f.Relay.UpstreamTLS = ca.PEM(), way
		return f, func() int { return len(f.Smarthost.Messages()) }
	}
}

// An address has no name to look up, and a smarthost of the last century knows
// no EHLO: neither is a fault.
func TestCheckOfTheOldAndTheNamelessHasNoFinding(t *testing.T) {
	t.Parallel()
	engine := newEngine(t)
	old := func(t *testing.T) (*testenv.Fault, func() int) {
		return scripted(testenv.SmarthostOptions{NoTLS: true, Answers: map[session.Phase]testenv.Answer{
			session.PhaseHelo: {Reply: "502 5.5.1 Command not implemented", Times: 1},
		}}, "auto")(t)
	}
	nameless := func(t *testing.T) (*testenv.Fault, func() int) {
		f, mails := scripted(testenv.SmarthostOptions{Host: "127.0.0.1"}, "auto")(t)
		return f, mails
	}
	for name, peer := range map[string]wellPeer{"old": old, "nameless": nameless} {
		t.Run(name, func(t *testing.T) { well{peer: peer}.check(t, engine) })
	}
}
