package upstream_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"smtp-proxy/proxy/session"
	"smtp-proxy/testenv"
	"smtp-proxy/upstream"
)

// addressesOf puts the answers into one line: "A [192.0.2.1] , AAAA [] no-such-host".
func addressesOf(list []upstream.Resolution) (line []string) {
	for _, r := range list {
		class := session.FaultClass("")
		if r.Fault != nil {
			class = r.Fault.Class
		}
		line = append(line, fmt.Sprintf("%s %s %v %s", r.Lookup.Name, r.Lookup.Type, r.Addrs, class))
	}
	return line
}

func TestAddresses(t *testing.T) {
	d := newDNS(t)
	d.A("mail.example", "192.0.2.1", "192.0.2.2")
	d.CNAME("alias.example", "mail.example")
	d.A("box.internal.example", "192.0.2.3")
	d.Trouble("broken.example", testenv.Servfail)
	o := options(t, nil)
	o.HostsFile = file(t, "hosts", "192.0.2.9 listed.example\n")
	o.ResolvConf = file(t, "resolv.conf", "nameserver "+d.Addr()+"\nsearch internal.example\n")
	c := newConnector(t, o)
	for _, x := range []struct {
		host string
		want []string
	}{
		{"mail.example", []string{"mail.example A [192.0.2.1 192.0.2.2] ", "mail.example AAAA [] no-such-host"}},
		{"alias.example", []string{"alias.example A [192.0.2.1 192.0.2.2] ", "alias.example AAAA [] no-such-host"}},
		{"box", []string{"box.internal.example A [192.0.2.3] ", "box.internal.example AAAA [] no-such-host"}},
		{"nowhere.example", []string{"nowhere.example A [] no-such-host", "nowhere.example AAAA [] no-such-host"}},
		{"broken.example", []string{"broken.example A [] dns", "broken.example AAAA [] dns"}},
	} {
		for way, got := range map[string][]upstream.Resolution{
			"as a session": c.Addresses(t.Context(), x.host), "of one server": c.AddressesAt(t.Context(), d.Addr(), x.host),
		} {
			if line := addressesOf(got); !slices.Equal(line, x.want) {
				t.Errorf("%s %s: got %q, want %q", x.host, way, line, x.want)
			}
			if len(got[0].Addrs) > 0 && (got[0].TTL <= 0 || got[0].TTL > time.Minute) || got[1].TTL != 0 {
				t.Errorf("%s %s: times to live %s and %s, want a minute at most and 0", x.host, way, got[0].TTL, got[1].TTL)
			}
		}
	}
	if got := addressesOf(c.Addresses(t.Context(), "listed.example")); !slices.Equal(got, []string{"listed.example hosts [192.0.2.9] "}) {
		t.Errorf("in the hosts file: got %q", got)
	}
}

func TestLocal(t *testing.T) {
	o := options(t, newDNS(t))
	o.HostsFile = file(t, "hosts", "192.0.2.9 listed.example\n")
	c := newConnector(t, o)
	for host, want := range map[string]bool{"listed.example": true, "localhost": true, "other.example": false} {
		if r, ok := c.Local(host); ok != want || ok != (len(r.Addrs) > 0) {
			t.Errorf("%s: got %v with %v, want %v", host, ok, r.Addrs, want)
		}
	}
}
