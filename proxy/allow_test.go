package proxy

import (
	"net/netip"
	"testing"
)

func TestWhoMayConnect(t *testing.T) {
	nets := []netip.Prefix{netip.MustParsePrefix("172.16.0.0/12")}
	tests := []struct {
		name  string
		route Route
		addr  string
		want  bool
	}{
		{"loopback", Route{}, "127.0.0.1", true},
		{"loopback, IPv6", Route{}, "::1", true},
		{"mapped", Route{}, "::ffff:127.0.0.1", true},
		{"another machine", Route{}, "192.0.2.1", false},
		{"in the range", Route{AllowFrom: nets}, "172.17.0.2", true},
		{"in the range, mapped", Route{AllowFrom: nets}, "::ffff:172.17.0.2", true},
		{"loopback outside the range", Route{AllowFrom: nets}, "127.0.0.1", false},
		{"redirected here", Route{Transparent: true}, "127.0.0.1", true},
		{"redirected here, beside a range", Route{Transparent: true, AllowFrom: nets}, "127.0.0.1", true},
		{"forwarded from the range", Route{Transparent: true, AllowFrom: nets}, "172.17.0.2", true},
		{"forwarded from elsewhere", Route{Transparent: true, AllowFrom: nets}, "192.0.2.1", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.route.allows(netip.MustParseAddr(tt.addr)); got != tt.want {
				t.Errorf("got %v for %s, want %v", got, tt.addr, tt.want)
			}
		})
	}
}
