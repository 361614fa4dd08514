package testenv_test

import (
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"

	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

// broken is a smarthost and settings that do not go together, and the change
// that is known to help.
type broken struct {
	name    string
	build   func(w *ward) // the first port is the one in the settings
	host    string        // empty for ailingHost
	mode    upstream.Mode
	script  probe.Script
	change  string // how it begins; {n} is the nth port; empty for none
	flags   string
	reached string
	text    string // part of what is said beside it
	auth    int    // sign-ins that the smarthosts have heard, in all
	rcpt    int    // recipients that the check has named before the search
}

// planted is the password of all fixtures.
const planted = "planted-right-word"

func signed(user string) probe.Script { return probe.Script{User: user, Password: planted} }

func (w *ward) here() { w.dns.A(ailingHost, "127.0.0.1") }

func brokenPorts() []broken {
	return []broken{
		{
			name:  "wrong port, STARTTLS elsewhere",
			build: func(w *ward) { w.here(); w.closed(); w.admit(&ailing{}) },
			mode:  upstream.ModeAuto, script: signed("me@example.com"), auth: 1,
			change: "set port {1} with STARTTLS", flags: "--upstream starttls://smtp.example.com:{1}", reached: "auth",
		},
		{
			name:  "wrong port, implicit TLS elsewhere",
			build: func(w *ward) { w.here(); w.closed(); w.admit(&ailing{implicit: true}) },
			mode:  upstream.ModeAuto, script: signed("me@example.com"), auth: 1,
			change: "set port {1} with SSL/TLS (implicit)", flags: "--upstream smtps://smtp.example.com:{1}", reached: "auth",
		},
		{
			name:  "port for relaying, without AUTH",
			build: func(w *ward) { w.here(); w.admit(&ailing{offers: "-"}); w.admit(&ailing{}) },
			mode:  upstream.ModeAuto, script: signed("me@example.com"), auth: 1,
			change: "set port {1} with STARTTLS", reached: "auth",
		},
		{
			name:  "port that refuses submission",
			build: func(w *ward) { w.here(); w.admit(&ailing{greeting: "554 5.7.1 no service here"}); w.admit(&ailing{}) },
			mode:  upstream.ModeAuto, change: "set port {1} with STARTTLS", reached: "auth-offered",
		},
		{
			name:  "port of a web server",
			build: func(w *ward) { w.here(); w.admit(&ailing{greeting: "HTTP/1.1 400 Bad Request"}); w.admit(&ailing{}) },
			mode:  upstream.ModeAuto, change: "set port {1} with STARTTLS", reached: "auth-offered",
		},
		{
			name:  "port that closes",
			build: func(w *ward) { w.here(); w.admit(&ailing{greeting: "!"}); w.admit(&ailing{implicit: true}) },
			mode:  upstream.ModeAuto, change: "set port {1} with SSL/TLS (implicit)", reached: "auth-offered",
		},
		{
			name:  "nothing but closed ports",
			build: func(w *ward) { w.here(); w.closed(); w.closed() },
			mode:  upstream.ModeAuto, script: signed("me@example.com"),
			reached: "dns", text: "the cause is no setting: it is at the smarthost, on the way to it, or in this machine's network",
		},
		{
			name:  "nothing is wrong",
			build: func(w *ward) { w.here(); w.admit(&ailing{}) },
			mode:  upstream.ModeAuto, script: signed("me@example.com"), auth: 1,
			reached: "auth", text: "no setting needs to be changed",
		},
	}
}

func brokenWays() []broken {
	return []broken{
		{
			name:  "implicit TLS on a STARTTLS port",
			build: func(w *ward) { w.here(); w.admit(&ailing{}) },
			mode:  upstream.ModeImplicit, script: signed("me@example.com"), auth: 1,
			change: "keep port {0} and set STARTTLS", flags: "--upstream starttls://smtp.example.com:{0}", reached: "auth",
		},
		{
			name:  "STARTTLS on an implicit port",
			build: func(w *ward) { w.here(); w.admit(&ailing{implicit: true}) },
			mode:  upstream.ModeSTARTTLS, script: signed("me@example.com"), auth: 1,
			change: "keep port {0} and set SSL/TLS (implicit)", flags: "--upstream smtps://smtp.example.com:{0}", reached: "auth",
		},
		{
			name:  "an implicit port that only a check finds out",
			build: func(w *ward) { w.here(); w.admit(&ailing{implicit: true}) },
			mode:  upstream.ModeAuto, change: "keep port {0} and set SSL/TLS (implicit)", reached: "auth-offered",
		},
		{
			name: "clear text where the smarthost demands TLS",
			build: func(w *ward) {
				w.here()
				w.admit(&ailing{mail: func(p *patient) string {
					if !p.secure {
						return "530 5.7.0 Must issue a STARTTLS command first"
					}
					return "250 Ok"
				}})
			},
			mode: upstream.ModeNone, script: probe.Script{From: "me@example.com"},
			change: "keep port {0} and set STARTTLS", reached: "mail",
		},
		{
			name:  "clear text where AUTH needs TLS",
			build: func(w *ward) { w.here(); w.admit(&ailing{}) },
			mode:  upstream.ModeNone, script: signed("me@example.com"), auth: 1,
			change: "keep port {0} and set STARTTLS", reached: "auth",
		},
		{
			name:  "STARTTLS not on offer",
			build: func(w *ward) { w.here(); w.admit(&ailing{noTLS: true}); w.admit(&ailing{implicit: true}) },
			mode:  upstream.ModeSTARTTLS, script: signed("me@example.com"), auth: 1,
			change: "set port {1} with SSL/TLS (implicit)", reached: "auth",
		},
		{
			name: "STARTTLS refused",
			build: func(w *ward) {
				w.here()
				w.admit(&ailing{starttls: "454 4.7.0 not now"})
				w.admit(&ailing{implicit: true})
			},
			mode: upstream.ModeAuto, change: "set port {1} with SSL/TLS (implicit)", reached: "auth-offered",
		},
		{
			name:  "STARTTLS refused, and clear text taken",
			build: func(w *ward) { w.here(); w.admit(&ailing{starttls: "454 4.7.0 not now", offers: "-"}) },
			mode:  upstream.ModeAuto, change: "keep port {0} and set no TLS", flags: "--upstream smtp://smtp.example.com:{0} --upstream-tls none",
			reached: "ehlo", text: "can be read on its way",
		},
		{
			name:  "STARTTLS refused, and a password at stake",
			build: func(w *ward) { w.here(); w.admit(&ailing{starttls: "454 4.7.0 not now", inClear: true}) },
			mode:  upstream.ModeAuto, script: signed("me@example.com"),
			reached: "ehlo", text: "TLS is what stands in the way",
		},
		{
			name:  "STARTTLS refused, and a password expected",
			build: func(w *ward) { w.here(); w.admit(&ailing{starttls: "454 4.7.0 not now", inClear: true}) },
			mode:  upstream.ModeAuto, reached: "ehlo", text: "TLS is what stands in the way",
		},
	}
}

// beside starts a second smarthost on the same port of another address. The
// hosts file names it last, and an IPv6 address of the loopback is dialled last
// anyway: the first one is what a session gets.
func (w *ward) beside(a *ailing, addr string) {
	w.t.Helper()
	port := w.hosts[0].ln.Addr().(*net.TCPAddr).Port
	w.admit(a, net.JoinHostPort(addr, strconv.Itoa(port)))
	lines := "127.0.0.1 " + ailingHost + "\n" + addr + " " + ailingHost + "\n"
	if err := os.WriteFile(w.file, []byte(lines), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func brokenPlaces() []broken {
	return []broken{
		{
			name: "one family refuses this machine",
			build: func(w *ward) {
				w.admit(&ailing{greeting: "554 5.7.1 no reverse DNS for your address"})
				w.beside(&ailing{}, "::1")
			},
			mode: upstream.ModeAuto, script: signed("me@example.com"), auth: 1,
			change: `use its IPv6 address alone: put the line "::1 smtp.example.com" into the hosts file`, reached: "auth",
		},
		{
			name:  "one family is closed at once",
			build: func(w *ward) { w.admit(&ailing{greeting: "!"}); w.beside(&ailing{}, "::1") },
			mode:  upstream.ModeAuto, change: `use its IPv6 address alone`, reached: "auth-offered",
		},
		{
			name:  "one family with a strange certificate",
			build: func(w *ward) { w.admit(&ailing{cert: []string{"other.example.org"}}); w.beside(&ailing{}, "::1") },
			mode:  upstream.ModeAuto, change: `use its IPv6 address alone`, reached: "auth-offered",
		},
		{
			name: "one of two addresses is ill",
			build: func(w *ward) {
				w.admit(&ailing{starttls: "454 4.7.0 TLS not available"})
				w.beside(&ailing{}, "127.0.0.2")
			},
			mode: upstream.ModeAuto, change: `use its address 127.0.0.2 alone: put the line "127.0.0.2 smtp.example.com"`, reached: "auth-offered",
		},
		{
			name: "a typo in a host that everybody knows",
			build: func(w *ward) {
				w.dns.A("smtp.gmail.com", "127.0.0.1")
				w.admit(&ailing{cert: []string{"smtp.gmail.com"}})
			},
			host: "smtp.gmial.com", mode: upstream.ModeAuto, script: signed("me@gmail.com"),
			change: "set the host to smtp.gmail.com", flags: "--upstream starttls://smtp.gmail.com:{0}", reached: "auth-offered",
			text: "the password is for the host that was named",
		},
		{
			name:  "a typo in the first part",
			build: func(w *ward) { w.here(); w.admit(&ailing{}) },
			host:  "smpt.example.com", mode: upstream.ModeAuto, change: "set the host to smtp.example.com", reached: "auth-offered",
		},
		{
			name:  "a host that is down beside a name that exists",
			build: func(w *ward) { w.dns.A("smtp.gmail.com", "127.0.0.1"); w.closed() },
			host:  "smtp.gmaill.com", mode: upstream.ModeAuto, text: "not even the name was found",
		},
		{
			name:  "the domain alone",
			build: func(w *ward) { w.here(); w.admit(&ailing{}) },
			host:  "example.com", mode: upstream.ModeAuto, change: "set the host to smtp.example.com", reached: "auth-offered",
		},
		{
			name: "a typo, and the wrong port",
			build: func(w *ward) {
				w.dns.A("smtp.gmail.com", "127.0.0.1")
				w.closed()
				w.admit(&ailing{cert: []string{"smtp.gmail.com"}, implicit: true})
			},
			host: "smtp.gmail.con", mode: upstream.ModeAuto,
			change: "set the host to smtp.gmail.com, and set port {1} with SSL/TLS (implicit)", flags: "--upstream smtps://smtp.gmail.com:{1}", reached: "auth-offered",
		},
		{
			name: "a resolver that fails",
			build: func(w *ward) {
				w.here()
				w.admit(&ailing{})
				bad, err := testenv.NewDNS()
				if err != nil {
					w.t.Fatal(err)
				}
				w.t.Cleanup(func() { bad.Close() })
				bad.Trouble(ailingHost, testenv.Servfail)
				w.want.Reach.Resolver, w.want.Resolvers = bad.Addr(), []string{w.dns.Addr()}
			},
			mode: upstream.ModeAuto, change: "ask the DNS server 127.0.0.1:", flags: "--resolver 127.0.0.1:", reached: "auth-offered",
		},
	}
}

// refusingEHLO refuses EHLO names that the test does not like.
func refusingEHLO(likes func(name string) bool) func(string) string {
	return func(name string) string {
		if likes(name) {
			return ""
		}
		return "550 5.7.1 " + name + ": helo name refused"
	}
}

func brokenWords() []broken {
	named := func(name string, s probe.Script) probe.Script { s.Name = name; return s }
	ownDomain := refusingEHLO(func(name string) bool { return name == "example.com" })
	return []broken{
		{
			name: "an underscore in the EHLO name",
			build: func(w *ward) {
				w.here()
				w.admit(&ailing{ehlo: refusingEHLO(func(name string) bool { return !strings.Contains(name, "_") })})
			},
			mode: upstream.ModeAuto, script: named("my_box.local", signed("me@example.com")), auth: 1,
			change: "let the app say EHLO ", reached: "auth",
		},
		{
			name:  "localhost at EHLO",
			build: func(w *ward) { w.here(); w.admit(&ailing{ehlo: ownDomain}) },
			mode:  upstream.ModeAuto, script: named("localhost", signed("me@example.com")), auth: 1,
			change: "let the app say EHLO example.com", reached: "auth",
		},
		{
			name: "a literal wanted at EHLO",
			build: func(w *ward) {
				w.here()
				w.admit(&ailing{ehlo: refusingEHLO(func(name string) bool { return name == "[127.0.0.1]" })})
			},
			mode: upstream.ModeAuto, script: named("box", probe.Script{}),
			change: "let the app say EHLO [127.0.0.1]", reached: "auth-offered",
		},
		{
			name: "an EHLO name that MAIL is refused for",
			build: func(w *ward) {
				w.here()
				w.admit(&ailing{mail: func(p *patient) string {
					if p.name != "example.com" {
						return "550 5.7.1 Helo command rejected: need fully-qualified hostname"
					}
					return "250 Ok"
				}})
			},
			mode: upstream.ModeAuto, script: named("box", probe.Script{From: "me@example.com"}),
			change: "let the app say EHLO example.com", reached: "mail",
		},
		{
			name:  "the wrong port, and the wrong EHLO name",
			build: func(w *ward) { w.here(); w.closed(); w.admit(&ailing{ehlo: ownDomain}) },
			mode:  upstream.ModeAuto, script: named("localhost", signed("me@example.com")), auth: 1,
			change: "set port {1} with STARTTLS, and let the app say EHLO example.com", reached: "auth",
		},
		{
			name:  "a mechanism that is not on offer",
			build: func(w *ward) { w.here(); w.admit(&ailing{}) },
			mode:  upstream.ModeAuto, script: probe.Script{User: "me@example.com", Password: planted, Mechanism: "CRAM-MD5"}, auth: 1,
			change: "sign in by PLAIN", reached: "auth-offered", text: "not signed in a second time",
		},
		{
			name:  "PLAIN where LOGIN alone is on offer",
			build: func(w *ward) { w.here(); w.admit(&ailing{offers: "LOGIN XOAUTH2"}) },
			mode:  upstream.ModeAuto, script: probe.Script{User: "me@example.com", Password: planted, Mechanism: "PLAIN"}, auth: 1,
			change: "sign in by LOGIN", reached: "auth-offered",
		},
		{
			name:  "a password where OAuth alone is on offer",
			build: func(w *ward) { w.here(); w.admit(&ailing{offers: "XOAUTH2"}) },
			mode:  upstream.ModeAuto, script: signed("me@example.com"),
			change: "sign in by XOAUTH2 with an OAuth access token", reached: "auth-offered",
		},
		{
			name:  "a short user name",
			build: func(w *ward) { w.here(); w.admit(&ailing{user: "me@example.com"}) },
			mode:  upstream.ModeAuto, script: signed("me"), auth: 1,
			change: "sign in with the full address as the user name (me@example.com", reached: "auth-offered", text: "locks accounts",
		},
		{
			name:  "a password in clear where it needs TLS",
			build: func(w *ward) { w.here(); w.admit(&ailing{inClear: true, guarded: true}) },
			mode:  upstream.ModeNone, script: signed("me@example.com"), auth: 1,
			change: "keep port {0} and set STARTTLS", reached: "auth-offered", text: "not signed in a second time",
		},
		{
			name: "a sender that has to sign in",
			build: func(w *ward) {
				w.here()
				w.admit(&ailing{mail: func(p *patient) string {
					if !p.signed {
						return "530 5.7.0 Authentication required"
					}
					return "250 Ok"
				}})
			},
			mode: upstream.ModeAuto, script: probe.Script{From: "me@example.com"},
			change: "let the app sign in: the smarthost offers PLAIN, LOGIN", reached: "auth-offered",
		},
		{
			name:  "a recipient that is not relayed to",
			build: func(w *ward) { w.here(); w.admit(&ailing{rcpt: "554 5.7.1 Relay access denied"}) },
			mode:  upstream.ModeAuto, script: probe.Script{From: "me@example.com", To: "you@example.net"}, rcpt: 1,
			change: "let the app sign in: the smarthost offers PLAIN, LOGIN", reached: "mail",
		},
		{
			name:  "a recipient that does not exist",
			build: func(w *ward) { w.here(); w.admit(&ailing{rcpt: "550 5.1.1 no such user"}); w.admit(&ailing{}) },
			mode:  upstream.ModeAuto, script: probe.Script{From: "me@example.com", To: "you@example.net"}, rcpt: 1,
			reached: "mail", text: "refuses the recipient",
		},
		{
			name: "a user name that everybody shares",
			build: func(w *ward) {
				w.here()
				w.want.UserForm = "apikey"
				w.admit(&ailing{user: "apikey"})
			},
			mode: upstream.ModeAuto, script: signed("me@example.com"), auth: 1,
			change: "sign in with the user name apikey, which is everybody's there", reached: "auth-offered",
		},
		{
			name: "a user name of the provider's own",
			build: func(w *ward) {
				w.here()
				w.want.UserForm = probe.UserOwn
				w.admit(&ailing{user: "AKIA2"})
			},
			mode: upstream.ModeAuto, script: signed("AKIA1"), auth: 1,
			reached: "auth-offered", text: "refuses the user name or the password",
		},
		{
			name:  "the wrong port, and a short user name",
			build: func(w *ward) { w.here(); w.closed(); w.admit(&ailing{user: "me@example.com", implicit: true}) },
			mode:  upstream.ModeAuto, script: signed("me"), auth: 1,
			change: "set port {1} with SSL/TLS (implicit), and sign in with the full address as the user name", reached: "auth-offered",
		},
		{
			name:  "a wrong password",
			build: func(w *ward) { w.here(); w.admit(&ailing{user: "else@example.com"}); w.admit(&ailing{}) },
			mode:  upstream.ModeAuto, script: signed("me@example.com"), auth: 1,
			reached: "auth-offered", text: "refuses the user name or the password",
		},
	}
}

// TestFix looks for the fix of each, and counts what it costs.
func TestFix(t *testing.T) {
	t.Parallel()
	var all []broken
	for _, family := range [][]broken{brokenPorts(), brokenWays(), brokenCertificates(), brokenTrust(), brokenPlaces(), brokenWords()} {
		all = append(all, family...)
	}
	byName := map[string]broken{}
	var names []string
	for _, b := range all {
		names, byName[b.name] = append(names, b.name), b
	}
	eachAtOnce(t, names, func(t *testing.T, name string) {
		b, w := byName[name], newWard(t)
		w.want.Hosts = []string{"smtp.gmail.com", "smtp.office365.com"}
		b.build(w)
		if b.host == "" {
			b.host = ailingHost
		}
		f := w.search(b.host, w.ports[0], b.mode, b.script)
		w.compare(b, f)
	})
}

func (w *ward) compare(b broken, f probe.Fix) {
	w.t.Helper()
	var pairs []string
	for i, port := range w.ports {
		pairs = append(pairs, "{"+strconv.Itoa(i)+"}", strconv.Itoa(port))
	}
	fill := strings.NewReplacer(pairs...)
	for _, c := range []struct{ what, got, want string }{
		{"change", f.Change, fill.Replace(b.change)}, {"flags", strings.Join(f.Flags, " "), fill.Replace(b.flags)},
	} {
		if !strings.HasPrefix(c.got, c.want) || c.want == "" && b.change == "" && c.got != "" {
			w.t.Errorf("%s: got %q, want %q", c.what, c.got, c.want)
		}
	}
	if f.Reached != b.reached || !strings.Contains(f.Text, b.text) {
		w.t.Errorf("got %q reached, and %q, want %q, and %q", f.Reached, f.Text, b.reached, b.text)
	}
	auth, rcpt := 0, 0
	for _, h := range w.hosts {
		auth += h.count("AUTH")
		rcpt += h.count("RCPT")
		if data := h.count("DATA"); data > 0 {
			w.t.Errorf("got %d DATA, want none", data)
		}
	}
	if auth != b.auth || rcpt != b.rcpt {
		w.t.Errorf("got %d AUTH and %d RCPT, want %d and %d", auth, rcpt, b.auth, b.rcpt)
	}
	if text := fmt.Sprintf("%+v", f); strings.Contains(text, planted) || strings.Contains(text, base64.StdEncoding.EncodeToString([]byte(planted))[:16]) {
		w.t.Errorf("got the password in %s", text)
	}
	if w.t.Failed() {
		for _, tried := range f.Tried {
			w.t.Logf("tried %q: %q %q", tried.Change, tried.Reached, tried.Text)
		}
	}
}
