package testenv_test

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
	"smtp-proxy/upstream/probe"
)

// ailing is a smarthost of one port that is broken in a way, and counts what it
// hears. Its zero value is in order: STARTTLS, AUTH under TLS, mail for all.
type ailing struct {
	implicit bool
	noTLS    bool
	greeting string // instead of 220; "!" closes
	starttls string // the reply, instead of 220 and the handshake
	ehlo     func(name string) string
	offers   string // mechanisms, under TLS; "-" for none
	inClear  bool   // they are offered in clear, too
	mail     func(p *patient) string
	cert     []string // names; nil for the smarthost's own
	config   func(*tls.Config)
	user     string // the one that may sign in
	guarded  bool   // nobody may in clear
	rcpt     string // the reply, instead of 250

	ln     net.Listener
	served *tls.Config
	mu     sync.Mutex
	heard  []string
	conns  map[net.Conn]bool
	ends   sync.WaitGroup
}

// patient is one conversation of an ailing smarthost.
type patient struct {
	*ailing
	conn   net.Conn
	r      *bufio.Reader
	secure bool
	name   string
	signed bool
}

func (a *ailing) accept() {
	for {
		c, err := a.ln.Accept()
		if err != nil {
			return
		}
		a.mu.Lock()
		a.conns[c] = true
		a.mu.Unlock()
		a.ends.Go(func() {
			defer c.Close()
			p := &patient{ailing: a, conn: c, r: bufio.NewReader(c)}
			p.talk()
		})
	}
}

func (a *ailing) close() {
	a.ln.Close()
	a.mu.Lock()
	for c := range a.conns {
		c.Close()
	}
	a.mu.Unlock()
	a.ends.Wait()
}

// count tells how many commands with a verb were heard.
func (a *ailing) count(verb string) (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, line := range a.heard {
		if strings.EqualFold(strings.Fields(line + " -")[0], verb) {
			n++
		}
	}
	return n
}

func (p *patient) talk() {
	if p.implicit && !p.shake() {
		return
	}
	switch p.greeting {
	case "!":
		return
	case "":
		p.say("220 mail.example.com ESMTP")
	default:
		p.say(p.greeting)
	}
	for {
		line, err := p.r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		p.mu.Lock()
		p.ailing.heard = append(p.ailing.heard, line)
		p.mu.Unlock()
		if p.obey(line) {
			return
		}
	}
}

func (p *patient) say(lines ...string) {
	_, _ = p.conn.Write([]byte(strings.Join(lines, "\r\n") + "\r\n"))
}

func (p *patient) shake() bool {
	c := tls.Server(p.conn, p.served)
	if c.Handshake() != nil {
		return false
	}
	p.conn, p.r, p.secure = c, bufio.NewReader(c), true
	return true
}

// obey reports whether the conversation is over.
func (p *patient) obey(line string) (over bool) {
	verb, arg, _ := strings.Cut(line, " ")
	switch strings.ToUpper(verb) {
	case "EHLO", "HELO":
		p.hello(arg)
	case "STARTTLS":
		if p.starttls != "" {
			p.say(p.starttls)
			return false
		}
		p.say("220 go on")
		return !p.shake()
	case "AUTH":
		return p.auth(arg)
	case "MAIL":
		reply := "250 2.1.0 Ok"
		if p.mail != nil {
			reply = p.mail(p)
		}
		p.say(reply)
	case "RCPT":
		p.say(cmp.Or(p.rcpt, "250 2.1.5 Ok"))
	case "QUIT":
		p.say("221 bye")
		return true
	default:
		p.say("250 2.0.0 Ok")
	}
	return false
}

func (p *patient) hello(name string) {
	p.name = name
	if p.ehlo != nil {
		if reply := p.ehlo(name); reply != "" {
			p.say(reply)
			return
		}
	}
	lines := []string{"250-mail.example.com"}
	if !p.secure && !p.noTLS {
		lines = append(lines, "250-STARTTLS")
	}
	if p.offers != "-" && (p.secure || p.inClear) {
		lines = append(lines, "250-AUTH "+p.mechanisms())
	}
	p.say(append(lines, "250 8BITMIME")...)
}

func (p *patient) mechanisms() string {
	if p.offers == "" {
		return "PLAIN LOGIN"
	}
	return p.offers
}

// auth takes PLAIN and LOGIN, and refuses what is not on offer.
func (p *patient) auth(arg string) (over bool) {
	mechanism, initial, _ := strings.Cut(arg, " ")
	user := ""
	switch {
	case !slices.Contains(strings.Fields(p.mechanisms()), strings.ToUpper(mechanism)):
		p.say("504 5.5.4 Unrecognized authentication type")
		return false
	case strings.EqualFold(mechanism, "PLAIN"):
		user = strings.Split(decoded(initial)+"\x00\x00", "\x00")[1]
	default:
		for range 2 {
			p.say("334 " + base64.StdEncoding.EncodeToString([]byte("Username:")))
			line, err := p.r.ReadString('\n')
			if err != nil {
				return true
			}
			if user == "" {
				user = decoded(strings.TrimRight(line, "\r\n"))
			}
		}
	}
	if p.guarded && !p.secure {
		p.say("538 5.7.11 Encryption required for requested authentication mechanism")
		return false
	}
	if p.user != "" && user != p.user {
		p.say("535 5.7.8 Authentication failed")
		return false
	}
	p.signed = true
	p.say("235 2.7.0 welcome")
	return false
}

func decoded(text string) string {
	b, _ := base64.StdEncoding.DecodeString(text)
	return string(b)
}

// ward is where the fixtures of one test live: a name server, an authority, and
// smarthosts on ports that stand for the well-known ones.
type ward struct {
	t     *testing.T
	dns   *testenv.DNS
	ca    *testenv.CA
	hosts []*ailing
	ports []int
	file  string // of hosts; known before the DNS is asked
	want  probe.Search
}

const ailingHost = "smtp.example.com"

func newWard(t *testing.T) *ward {
	t.Helper()
	d, err := testenv.NewDNS()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	ca, err := testenv.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	return &ward{t: t, dns: d, ca: ca, file: filepath.Join(t.TempDir(), "hosts")}
}

// admit starts a smarthost on a free port of 127.0.0.1, or where it is told.
func (w *ward) admit(a *ailing, addr ...string) (port int) {
	w.t.Helper()
	if addr == nil {
		addr = []string{"127.0.0.1:0"}
	}
	ln, err := net.Listen("tcp", addr[0])
	if err != nil {
		w.t.Fatal(err)
	}
	a.ln, a.conns = ln, map[net.Conn]bool{}
	names := a.cert
	if names == nil {
		names = []string{ailingHost}
	}
	leaf, err := w.ca.Leaf(names...)
	if err != nil {
		w.t.Fatal(err)
	}
	a.served = &tls.Config{Certificates: []tls.Certificate{leaf}}
	if a.config != nil {
		a.config(a.served)
	}
	a.ends.Go(a.accept)
	w.t.Cleanup(a.close)
	w.hosts = append(w.hosts, a)
	port = ln.Addr().(*net.TCPAddr).Port
	if !slices.Contains(w.ports, port) {
		w.ports = append(w.ports, port)
	}
	return port
}

// closed returns a port that refuses.
func (w *ward) closed() int {
	w.t.Helper()
	f, err := testenv.StartFault("connect.refused", testenv.FaultOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { f.Close() })
	_, digits, _ := net.SplitHostPort(f.Upstream)
	port, _ := strconv.Atoi(digits)
	w.ports = append(w.ports, port)
	return port
}

// search checks the smarthost and looks for the fix.
func (w *ward) search(host string, port int, mode upstream.Mode, script probe.Script) probe.Fix {
	w.t.Helper()
	target, err := upstream.ParseTarget(net.JoinHostPort(host, strconv.Itoa(port)), mode)
	if err != nil {
		w.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(w.ca.PEM())
	want := w.want
	want.Script = script
	want.Reach = upstream.Options{
		Resolver: w.dns.Addr(), HostsFile: w.file, Roots: roots,
		ConnectTimeout: 2 * time.Second, LookupTimeout: time.Second,
	}
	if want.Reach.Resolver = w.dns.Addr(); w.want.Reach.Resolver != "" {
		want.Reach.Resolver = w.want.Reach.Resolver
	}
	c, err := upstream.New(want.Reach)
	if err != nil {
		w.t.Fatal(err)
	}
	p := probe.New(probe.Options{Connector: c, OtherPorts: w.ports, Name: script.Name, AtOnce: 16, PerMinute: 200})
	ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Second)
	defer cancel()
	want.Before = p.Check(ctx, target, probe.Wanted{Script: script, Steps: []string{"dialogue"}}, func(probe.Line) {})
	return p.Fix(ctx, target, want)
}
