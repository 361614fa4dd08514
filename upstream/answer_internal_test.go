package upstream

import (
	"fmt"
	"net"
	"testing"

	"github.com/miekg/dns"
)

// TestFollowIsBounded has a reply with thousands of aliases, as fits into one
// over TCP, and none of them is followed for ever.
func TestFollowIsBounded(t *testing.T) {
	name := func(i int) string { return fmt.Sprintf("c%d.example.", i) }
	alias := func(from, to int) dns.RR {
		return &dns.CNAME{Hdr: dns.RR_Header{Name: name(from), Rrtype: dns.TypeCNAME, Class: dns.ClassINET, Ttl: 60}, Target: name(to)}
	}
	const most = 3000
	for _, length := range []int{1, maxAliases, maxAliases + 1, most} {
		reply := new(dns.Msg).SetQuestion(name(0), dns.TypeA)
		for i := range length {
			reply.Answer = append(reply.Answer, alias(i, i+1))
		}
		reply.Answer = append(reply.Answer, &dns.A{Hdr: dns.RR_Header{Name: name(length), Rrtype: dns.TypeA, Ttl: 60}, A: net.IPv4(192, 0, 2, 1)})
		chain, addrs, _ := follow(reply, dns.TypeA)
		if want := min(length, maxAliases); len(chain) != want || len(addrs) > 0 != (length <= maxAliases) {
			t.Errorf("%d aliases: got %d and addresses %v, want %d and addresses only behind the last", length, len(chain), addrs, want)
		}
	}
	circle := new(dns.Msg).SetQuestion(name(0), dns.TypeA)
	for range most {
		circle.Answer = append(circle.Answer, alias(0, 1), alias(1, 0))
	}
	if chain, _, _ := follow(circle, dns.TypeA); len(chain) > 3 {
		t.Errorf("a circle of two: got %q, want 3 at most", chain)
	}
}
