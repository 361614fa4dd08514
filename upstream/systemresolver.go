package upstream

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"

	"smtp-proxy/proxy/session"
)

// systemResolver asks the operating system, where no name server is known to
// us. It tells neither rcode nor aliases nor times to live, so its answers
// are not remembered.
type systemResolver struct{}

func (systemResolver) ask(ctx context.Context, name string, qtype uint16) answer {
	began := time.Now()
	network := map[uint16]string{dns.TypeA: "ip4", dns.TypeAAAA: "ip6"}[qtype]
	a := answer{lookup: session.Lookup{Name: name, Type: dns.TypeToString[qtype], Server: "system"}}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, network, name)
	a.at = time.Now()
	a.lookup.Duration = a.at.Sub(began)
	if err != nil {
		a.failed(err)
		return a
	}
	for _, addr := range addrs[:min(len(addrs), maxAddrs)] {
		a.addrs = append(a.addrs, addr.Unmap())
	}
	a.lookup.Answers = addrStrings(a.addrs)
	a.text = fmt.Sprintf("%s %s: %s, says the system's resolver", name, a.lookup.Type, strings.Join(a.lookup.Answers, ", "))
	return a
}

// failed tells a name that does not exist from a resolver that failed.
func (a *answer) failed(err error) {
	class := session.FaultDNS
	var dnsErr *net.DNSError
	var addrErr *net.AddrError
	if errors.As(err, &dnsErr) && dnsErr.IsNotFound || errors.As(err, &addrErr) {
		class = session.FaultNoSuchHost
	}
	a.addrs = []netip.Addr(nil)
	a.fault = &session.Fault{Op: opLookup, Class: class, Text: err.Error()}
	a.text = a.lookup.Name + " " + a.lookup.Type + ": " + err.Error()
}
