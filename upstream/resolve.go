package upstream

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"

	"smtp-proxy/proxy/session"
)

// How a name is looked up: the hosts file first, then what is remembered,
// then the DNS. Each name that the search list makes of it is asked for A and
// AAAA side by side, and answers are handed on one by one, so that a family
// whose answers are lost on the way does not hold up the other (RFC 8305,
// section 3). The first name with an address ends the search.

// answer is what one question brought.
type answer struct {
	lookup session.Lookup
	addrs  []netip.Addr
	ttl    time.Duration  // how long it may be remembered
	fault  *session.Fault // why there is no address; nil when there is one
	text   string
	at     time.Time
}

// asker puts one question: the DNS servers, or the operating system.
type asker interface {
	ask(ctx context.Context, name string, qtype uint16) answer
}

// resolver looks names up for all sessions.
type resolver struct {
	hosts   watched[hosts]
	conf    watched[*dns.ClientConfig]
	fixed   asker // the server given by the settings, instead of conf
	timeout time.Duration
	memory  *memory
}

func newResolver(o Options) (*resolver, error) {
	r := &resolver{
		hosts:   watched[hosts]{path: o.HostsFile, parse: parseHosts},
		conf:    watched[*dns.ClientConfig]{path: o.ResolvConf, parse: parseResolvConf},
		timeout: o.LookupTimeout,
		memory:  newMemory(),
	}
	if o.Resolver == "" {
		return r, nil
	}
	server, err := parseServer(o.Resolver)
	if err != nil {
		return nil, err
	}
	r.fixed = newNameservers([]string{server}, tryTimeout, tries, o.LookupTimeout)
	return r, nil
}

// stream looks host up and sends each answer to out, which it closes at the
// end; whoever reads must read until then. An end of ctx only hastens it.
func (r *resolver) stream(ctx context.Context, host string, out chan<- answer) {
	defer close(out)
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	if a, ok := r.local(host); ok {
		out <- a
		return
	}
	if known := r.memory.recall(host, time.Now()); known != nil {
		for _, a := range known {
			out <- a
		}
		return
	}
	via, names := r.plan(host)
	for _, name := range names {
		answers, found := askBoth(ctx, via, name, out)
		if found {
			r.memory.keep(host, answers, time.Now())
		}
		if found || ctx.Err() != nil {
			return
		}
	}
}

// askBoth puts both questions about name at once and hands the answers on as
// they come.
func askBoth(ctx context.Context, via asker, name string, out chan<- answer) (answers []answer, found bool) {
	types := []uint16{dns.TypeAAAA, dns.TypeA}
	came := make(chan answer, len(types))
	for _, qtype := range types {
		go func() { came <- via.ask(ctx, name, qtype) }()
	}
	for range types {
		a := <-came
		answers = append(answers, a)
		found = found || len(a.addrs) > 0
		out <- a
	}
	return answers, found
}

// local answers from the hosts file, and for localhost, which is always this
// machine (RFC 6761, section 6.3).
func (r *resolver) local(host string) (answer, bool) {
	known, _ := r.hosts.read() // a file that is missing says nothing
	addrs, source := known[host], r.hosts.path
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		if addrs = onlyLoopback(addrs); len(addrs) == 0 {
			addrs, source = []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}, "always this machine"
		}
	}
	if len(addrs) == 0 {
		return answer{}, false
	}
	listed := addrStrings(addrs)
	return answer{
		lookup: session.Lookup{Name: host, Type: "hosts", Answers: listed},
		addrs:  addrs,
		text:   fmt.Sprintf("%s is %s (%s)", host, strings.Join(listed, ", "), source),
		at:     time.Now(),
	}, true
}

func onlyLoopback(addrs []netip.Addr) []netip.Addr {
	var loopback []netip.Addr
	for _, a := range addrs {
		if a.IsLoopback() {
			loopback = append(loopback, a)
		}
	}
	return loopback
}

func addrStrings(addrs []netip.Addr) []string {
	s := make([]string, len(addrs))
	for i, a := range addrs {
		s[i] = a.String()
	}
	return s
}

// plan decides whom to ask, and for which names in turn. Without a readable
// resolv.conf (Windows, some containers) the operating system is asked.
func (r *resolver) plan(host string) (asker, []string) {
	if r.fixed != nil {
		return r.fixed, []string{dns.Fqdn(host)}
	}
	conf, err := r.conf.read()
	if err != nil {
		return systemResolver{}, []string{host}
	}
	servers := serversOf(conf)
	if len(servers) == 0 {
		return systemResolver{}, []string{host}
	}
	perTry := time.Duration(conf.Timeout) * time.Second
	return newNameservers(servers, perTry, conf.Attempts, r.timeout), conf.NameList(host)
}
