package testenv_test

import (
	"testing"

	"github.com/miekg/dns"

	"smtp-proxy/testenv"
)

// lookUp puts one question over a network.
func lookUp(t *testing.T, d *testenv.DNS, network, name string, qtype uint16) *dns.Msg {
	t.Helper()
	client := dns.Client{Net: network}
	reply, _, err := client.Exchange(new(dns.Msg).SetQuestion(dns.Fqdn(name), qtype), d.Addr())
	if err != nil {
		t.Fatalf("%s %s over %s: %v", name, dns.TypeToString[qtype], network, err)
	}
	return reply
}

func TestDNSAnswers(t *testing.T) {
	d, err := testenv.NewDNS()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	d.A("mail.example", "192.0.2.1", "192.0.2.2")
	d.AAAA("Mail.Example", "2001:db8::1")
	d.CNAME("smtp.example", "mail.example")
	d.MX("example", "10 mail.example.", "20 smtp.example.")
	d.TXT("example", "v=spf1 -all")
	d.PTR("192.0.2.1", "mail.example")
	tests := []struct {
		name    string
		qtype   uint16
		answers int
		rcode   int
	}{
		{"mail.example", dns.TypeA, 2, dns.RcodeSuccess},
		{"MAIL.example", dns.TypeAAAA, 1, dns.RcodeSuccess},
		{"smtp.example", dns.TypeA, 3, dns.RcodeSuccess},
		{"smtp.example", dns.TypeTXT, 1, dns.RcodeSuccess},
		{"example", dns.TypeMX, 2, dns.RcodeSuccess},
		{"example", dns.TypeTXT, 1, dns.RcodeSuccess},
		{"1.2.0.192.in-addr.arpa", dns.TypePTR, 1, dns.RcodeSuccess},
		{"example", dns.TypeA, 0, dns.RcodeSuccess},
		{"other.example", dns.TypeA, 0, dns.RcodeNameError},
	}
	for _, network := range []string{"udp", "tcp"} {
		for _, tt := range tests {
			reply := lookUp(t, d, network, tt.name, tt.qtype)
			if len(reply.Answer) != tt.answers || reply.Rcode != tt.rcode {
				t.Errorf("%s %s over %s: %d answers, rcode %d; want %d, %d\n%v", tt.name, dns.TypeToString[tt.qtype], network,
					len(reply.Answer), reply.Rcode, tt.answers, tt.rcode, reply)
			}
		}
	}
	if n := d.Asked("mail.example", dns.TypeAAAA); n != 2 {
		t.Errorf("counted %d AAAA questions, want 2", n)
	}
}

func TestDNSTroubles(t *testing.T) {
	d, err := testenv.NewDNS()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	d.A("mail.example", "192.0.2.1")
	for trouble, rcode := range map[testenv.Trouble]int{testenv.Servfail: dns.RcodeServerFailure, testenv.Refused: dns.RcodeRefused} {
		d.Trouble("mail.example", trouble, dns.TypeA)
		if reply := lookUp(t, d, "udp", "mail.example", dns.TypeA); reply.Rcode != rcode {
			t.Errorf("trouble %d: rcode %d, want %d", trouble, reply.Rcode, rcode)
		}
		if reply := lookUp(t, d, "udp", "mail.example", dns.TypeAAAA); reply.Rcode != dns.RcodeSuccess {
			t.Errorf("trouble %d with A: AAAA has rcode %d, want no trouble", trouble, reply.Rcode)
		}
	}
	d.Trouble("mail.example", testenv.Truncated, dns.TypeA)
	if reply := lookUp(t, d, "udp", "mail.example", dns.TypeA); !reply.Truncated || len(reply.Answer) != 0 {
		t.Errorf("over UDP: %v, want a cut reply", reply)
	}
	if reply := lookUp(t, d, "tcp", "mail.example", dns.TypeA); reply.Truncated || len(reply.Answer) != 1 {
		t.Errorf("over TCP: %v, want it whole", reply)
	}
	d.Remove("mail.example")
	if reply := lookUp(t, d, "udp", "mail.example", dns.TypeA); reply.Rcode != dns.RcodeNameError {
		t.Errorf("removed: rcode %d, want NXDOMAIN", reply.Rcode)
	}
}
