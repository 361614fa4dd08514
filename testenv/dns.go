package testenv

import (
	"fmt"
	"net"
	"strings"
	"sync"

	"github.com/miekg/dns"
)

// Trouble is how a DNS server answers a name instead of with its records.
type Trouble int

// The troubles.
const (
	Servfail  Trouble = iota + 1 // RCODE 2
	Refused                      // RCODE 5
	Silent                       // no answer at all
	Truncated                    // over UDP an empty answer with TC set; whole over TCP
	UDPOnly                      // cut over UDP, and no answer over TCP
	Referral                     // an empty answer by a server that does not recurse
)

// DNS is a name server on a free port of 127.0.0.1, UDP and TCP alike. It
// answers from the records it was given and says NXDOMAIN to everything else.
// It may be changed while it runs.
type DNS struct {
	udp, tcp *dns.Server
	addr     string
	serving  sync.WaitGroup

	mu       sync.Mutex
	records  map[string][]dns.RR
	troubles map[question]Trouble
	partial  bool
	signed   map[string]bool
	asked    map[question]int
}

// question is a lower-case name with its final dot, and a type; type 0 stands
// for all.
type question struct {
	name  string
	qtype uint16
}

// NewDNS starts a server without any record.
func NewDNS() (*DNS, error) {
	d := &DNS{records: map[string][]dns.RR{}, troubles: map[question]Trouble{}, asked: map[question]int{}, signed: map[string]bool{}}
	packets, listener, err := samePort()
	if err != nil {
		return nil, err
	}
	d.addr = packets.LocalAddr().String()
	d.udp = &dns.Server{PacketConn: packets, Handler: d}
	d.tcp = &dns.Server{Listener: listener, Handler: d}
	for _, s := range []*dns.Server{d.udp, d.tcp} {
		up := make(chan struct{})
		s.NotifyStartedFunc = func() { close(up) }
		d.serving.Go(func() { d.serve(s) }) // ends with Close
		<-up
	}
	return d, nil
}

// serve runs one of the two servers; the error of a closed socket is the end.
func (d *DNS) serve(s *dns.Server) { _ = s.ActivateAndServe() }

// samePort binds one free port for UDP and TCP.
func samePort() (net.PacketConn, net.Listener, error) {
	var last error
	for range 50 {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, nil, fmt.Errorf("listen for DNS over TCP: %w", err)
		}
		packets, err := net.ListenPacket("udp", listener.Addr().String())
		if err == nil {
			return packets, listener, nil
		}
		last = err
		listener.Close()
	}
	return nil, nil, fmt.Errorf("find a port that is free for UDP and TCP: %w", last)
}

// Addr is the server's ip:port, as --resolver takes it.
func (d *DNS) Addr() string { return d.addr }

// Close stops the server.
func (d *DNS) Close() error {
	err := d.udp.Shutdown()
	if tcpErr := d.tcp.Shutdown(); err == nil {
		err = tcpErr
	}
	d.serving.Wait()
	return err
}

// ServeDNS answers one question.
func (d *DNS) ServeDNS(w dns.ResponseWriter, query *dns.Msg) {
	if len(query.Question) != 1 {
		return
	}
	_, overTCP := w.RemoteAddr().(*net.TCPAddr)
	if reply := d.answer(query, overTCP); reply != nil {
		_ = w.WriteMsg(reply) // who asked may have gone
	}
}

// answer makes the reply to query; nil means silence.
func (d *DNS) answer(query *dns.Msg, overTCP bool) *dns.Msg {
	d.mu.Lock()
	defer d.mu.Unlock()
	q := question{strings.ToLower(query.Question[0].Name), query.Question[0].Qtype}
	d.asked[q]++
	reply := new(dns.Msg).SetReply(query)
	reply.RecursionAvailable = true
	reply.AuthenticatedData = query.AuthenticatedData && d.signed[q.name]
	switch d.troubleWith(q) {
	case Silent:
		return nil
	case Servfail:
		reply.Rcode = dns.RcodeServerFailure
		return reply
	case Refused:
		reply.Rcode = dns.RcodeRefused
		return reply
	case Referral:
		reply.RecursionAvailable = false
		return reply
	case UDPOnly:
		if overTCP {
			return nil
		}
		d.fill(reply, q)
		reply.Truncated = true
		return reply
	case Truncated:
		if !overTCP {
			reply.Truncated = true
			return reply
		}
	}
	d.fill(reply, q)
	if !overTCP {
		reply.Truncate(dns.MinMsgSize)
	}
	return reply
}

func (d *DNS) troubleWith(q question) Trouble {
	if t, ok := d.troubles[q]; ok {
		return t
	}
	return d.troubles[question{name: q.name}]
}

// fill puts the records for q into reply, those at the end of aliases
// included, and an SOA where there is none.
func (d *DNS) fill(reply *dns.Msg, q question) {
	for range 10 {
		records, exists := d.records[q.name]
		if !exists {
			reply.Rcode = dns.RcodeNameError
			break
		}
		var alias *dns.CNAME
		for _, rr := range records {
			if c, ok := rr.(*dns.CNAME); ok {
				alias = c
			}
			if rr.Header().Rrtype == q.qtype {
				reply.Answer = append(reply.Answer, rr)
			}
		}
		if alias == nil || q.qtype == dns.TypeCNAME {
			break
		}
		reply.Answer = append(reply.Answer, alias)
		if d.partial {
			return
		}
		q.name = strings.ToLower(alias.Target)
	}
	if len(reply.Answer) == 0 || reply.Rcode != dns.RcodeSuccess || reply.Answer[len(reply.Answer)-1].Header().Rrtype != q.qtype {
		reply.Ns = append(reply.Ns, noSuchRecord())
	}
}

// noSuchRecord is the SOA that comes with a negative answer (RFC 2308).
func noSuchRecord() dns.RR {
	rr, err := dns.NewRR("test. 60 IN SOA ns.test. hostmaster.test. 1 3600 600 86400 60")
	if err != nil {
		panic("testenv: " + err.Error())
	}
	return rr
}
