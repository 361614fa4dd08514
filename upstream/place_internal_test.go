package upstream

import (
	"net/netip"
	"testing"
)

func TestAskable(t *testing.T) {
	const public = "8.8.8.8"
	tests := []struct {
		addr, near string
		want       bool
	}{
		{"8.8.4.4", public, true},
		{"2606:4700::1111", public, true},
		{"127.0.0.1", public, false},
		{"127.8.9.1", "127.0.0.1", true},
		{"::1", public, false},
		{"::1", "127.0.0.1", false},
		{"::1", "::1", true},
		{"10.1.2.3", public, false},
		{"10.1.2.3", "192.168.0.1", true},
		{"10.1.2.3", "127.0.0.1", false},
		{"172.31.0.1", public, false},
		{"fd00::1", public, false},
		{"fd00::1", "fd12::1", true},
		{"fec0::1", public, false},
		{"169.254.169.254", public, false},
		{"169.254.169.254", "169.254.1.1", false},
		{"169.254.1.1", "169.254.1.1", true},
		{"fe80::1%eth0", public, false},
		{"100.64.0.1", public, false},
		{"100.127.255.255", public, false},
		{"0.0.0.0", "0.0.0.0", false},
		{"::", "::", false},
		{"224.0.0.1", "224.0.0.1", false},
		{"255.255.255.255", public, false},
		{"ff02::1", public, false},
		{"::ffff:127.0.0.1", public, false},
		{"::ffff:8.8.8.8", public, true},
		{"::127.0.0.1", public, false},
		{"64:ff9b::7f00:1", public, false},
		{"64:ff9b::a00:1", public, false},
		{"64:ff9b::808:808", public, true},
		{"64:ff9b:1::808:808", public, false},
		{"2002:7f00:1::", public, false},
		{"2002:808:808::", public, true},
		{"2001::1", public, false},
		{"2001:db8::1", public, false},
		{"192.0.2.1", public, false},
	}
	for _, tt := range tests {
		err := askable(netip.MustParseAddr(tt.addr), netip.MustParseAddr(tt.near))
		if (err == nil) != tt.want {
			t.Errorf("asking %s for a smarthost at %s: %v; want it allowed: %v", tt.addr, tt.near, err, tt.want)
		}
	}
	if askable(netip.MustParseAddr("127.0.0.1"), netip.Addr{}) == nil || askable(netip.Addr{}, netip.Addr{}) == nil {
		t.Error("a smarthost whose address is not known opens what is private")
	}
}
