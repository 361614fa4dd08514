package probe

import "testing"

// A record that is proposed can be published as it stands, or shows its gap.
func TestSPFTermFor(t *testing.T) {
	for host, want := range map[string]string{
		"mail.example.com": "a:mail.example.com",
		"8.8.4.4":          "ip4:8.8.4.4",
		"2a00:1450::1b":    "ip6:2a00:1450::1b",
		"127.0.0.1":        "ip4:<the smarthost's public address>",
		"10.1.2.3":         "ip4:<the smarthost's public address>",
		"localhost":        "ip4:<the smarthost's public address>",
	} {
		if got := spfTermFor(host); got != want {
			t.Errorf("%s: got %q, want %q", host, got, want)
		}
	}
}
