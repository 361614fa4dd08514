package upstream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"smtp-proxy/proxy/session"
)

// What resolv.conf(5) says where it says nothing.
const (
	tryTimeout = 5 * time.Second
	tries      = 2
	dnsPort    = 53
)

// nameservers asks recursive resolvers over UDP, and over TCP where an answer
// did not fit. No EDNS0: firewalls that drop it are a trouble of their own,
// and the answers here are short.
type nameservers struct {
	servers []string // ip:port
	timeout time.Duration
	tries   int
	wantsAD bool // whether DNSSEC vouches for an answer is wanted
}

// newNameservers shares total out so that each server is asked before the
// time is up.
func newNameservers(servers []string, timeout time.Duration, tries int, total time.Duration) *nameservers {
	share := total / time.Duration(len(servers)*tries)
	return &nameservers{servers: servers, timeout: min(timeout, share), tries: tries}
}

// parseServer reads --resolver.
func parseServer(s string) (string, error) {
	if addr, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return netip.AddrPortFrom(addr, dnsPort).String(), nil
	}
	addr, err := netip.ParseAddrPort(s)
	if err != nil || addr.Port() == 0 {
		return "", errors.New("is not an address: use ip:port, for example 192.0.2.53:53")
	}
	return addr.String(), nil
}

func parseResolvConf(data []byte) (*dns.ClientConfig, error) {
	return dns.ClientConfigFromReader(bytes.NewReader(data))
}

// serversOf lists the name servers with their port. A word that is no address
// is left out.
func serversOf(conf *dns.ClientConfig) []string {
	var servers []string
	for _, s := range conf.Servers {
		if server, err := parseServer(s); err == nil {
			servers = append(servers, server)
		}
	}
	return servers
}

// ask puts one question to one server after the other until one of them knows
// whether the name exists.
func (n *nameservers) ask(ctx context.Context, name string, qtype uint16) answer {
	return n.question(ctx, name, qtype, func(a *answer, reply *dns.Msg) { a.understand(reply, qtype) })
}

// question is ask for an answer that is read by understand.
func (n *nameservers) question(ctx context.Context, name string, qtype uint16, understand func(*answer, *dns.Msg)) answer {
	began := time.Now()
	a := answer{lookup: session.Lookup{Name: strings.TrimSuffix(name, "."), Type: dns.TypeToString[qtype]}}
	var troubles []string
	exhausted := false
	for try := range n.tries * len(n.servers) {
		if ctx.Err() != nil {
			break
		}
		a.lookup.Server = n.servers[try%len(n.servers)]
		reply, err := n.resolve(ctx, a.lookup.Server, name, qtype)
		if err == nil {
			understand(&a, reply)
			break
		}
		a.lookup.Rcode = rcodeOf(err)
		exhausted = exhausted || errors.Is(err, errDescriptors)
		if trouble := fmt.Sprintf("%s: %v", a.lookup.Server, err); !slices.Contains(troubles, trouble) {
			troubles = append(troubles, trouble)
		}
	}
	a.at = time.Now()
	a.lookup.Duration = a.at.Sub(began)
	a.conclude(troubles)
	if exhausted && !a.settled() {
		a.fault.Class = session.FaultDescriptors
	}
	return a
}

// serverError is an answer that says nothing about the name: SERVFAIL,
// REFUSED and their like, or a referral from a server that does not recurse.
type serverError struct{ rcode string }

func (e serverError) Error() string { return e.rcode }

func rcodeOf(err error) string {
	var refused serverError
	if errors.As(err, &refused) {
		return refused.rcode
	}
	return ""
}

// resolve asks one server. An alias whose target the server left out is asked
// for in turn, at most eight times, and no more when that leads no further.
func (n *nameservers) resolve(ctx context.Context, server, name string, qtype uint16) (*dns.Msg, error) {
	reply, err := n.exchange(ctx, server, name, qtype)
	followed := 0
	for range 8 {
		if err != nil || reply.Rcode != dns.RcodeSuccess {
			return reply, err
		}
		chain, _, _ := follow(reply, qtype)
		if len(chain) == followed || len(recordsOf(reply, qtype)) > 0 || hasSOA(reply) {
			return reply, nil
		}
		followed = len(chain)
		var next *dns.Msg
		if next, err = n.exchange(ctx, server, dns.Fqdn(chain[len(chain)-1]), qtype); err == nil {
			next.Answer = append(reply.Answer, next.Answer...)
			next.Question = reply.Question
			next.AuthenticatedData = next.AuthenticatedData && reply.AuthenticatedData
			if len(next.Answer) == len(reply.Answer) {
				return next, nil
			}
			reply = next
		}
	}
	return reply, err
}

// exchange puts one question over UDP, and over TCP when the answer came cut.
func (n *nameservers) exchange(ctx context.Context, server, name string, qtype uint16) (*dns.Msg, error) {
	query := new(dns.Msg).SetQuestion(name, qtype)
	query.AuthenticatedData = n.wantsAD
	reply, err := n.transact(ctx, "udp", server, query)
	if err == nil && reply.Truncated {
		reply, err = n.whole(ctx, server, query, reply)
	}
	if err != nil {
		return nil, err
	}
	switch {
	case reply.Rcode != dns.RcodeSuccess && reply.Rcode != dns.RcodeNameError:
		return nil, serverError{rcodeName(reply.Rcode)}
	case len(reply.Answer) == 0 && !reply.Authoritative && !reply.RecursionAvailable && reply.Rcode == dns.RcodeSuccess:
		return nil, serverError{"a referral: it does not resolve for others"}
	}
	return reply, nil
}

// whole puts a question again over TCP, as its answer came cut. A server that
// does not speak TCP has often given a part; one that has given nothing has not
// said that there is nothing.
func (n *nameservers) whole(ctx context.Context, server string, query, part *dns.Msg) (*dns.Msg, error) {
	reply, err := n.transact(ctx, "tcp", server, query)
	switch {
	case err == nil:
		return reply, nil
	case len(part.Answer) > 0:
		return part, nil
	}
	return nil, fmt.Errorf("the answer is too long for UDP, and over TCP: %w", err)
}

func rcodeName(code int) string {
	if s, ok := dns.RcodeToString[code]; ok {
		return s
	}
	return fmt.Sprintf("RCODE%d", code)
}

// transact sends query and reads the reply to it, within the time of one try.
func (n *nameservers) transact(ctx context.Context, network, server string, query *dns.Msg) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, n.timeout)
	defer cancel()
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, network, server)
	if err != nil {
		return nil, plainDNS(ctx, err)
	}
	defer conn.Close()
	// The library sets deadlines of its own and knows no end of ctx; a session
	// that ends must not wait.
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	client := dns.Client{Timeout: n.timeout}
	reply, _, err := client.ExchangeWithConn(query, &dns.Conn{Conn: conn})
	if err != nil {
		return nil, plainDNS(ctx, err)
	}
	if !reply.Response || len(reply.Question) != 1 || !sameQuestion(reply.Question[0], query.Question[0]) {
		return nil, errors.New("the answer is not to the question")
	}
	return reply, nil
}

func sameQuestion(a, b dns.Question) bool {
	return a.Qtype == b.Qtype && a.Qclass == b.Qclass && strings.EqualFold(a.Name, b.Name)
}

// errDescriptors is trouble of this machine's own, not of the resolver.
var errDescriptors = errors.New("no socket to ask with: too many open files (raise the limit, see ulimit -n)")

// plainDNS puts the common troubles into words: the end of ctx shows as a
// closed connection.
func plainDNS(ctx context.Context, err error) error {
	f := Classify(opLookup, err)
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return errors.New("given up")
	case ctx.Err() != nil, f.Class == session.FaultTimeout:
		return errors.New("no answer in time")
	case f.Class == session.FaultDescriptors:
		return errDescriptors
	}
	return errors.New(f.Text)
}
