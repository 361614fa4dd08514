package wire

import (
	"slices"
	"testing"
)

// browser is the hello of the specification's example.
func browser() *ClientHello {
	return &ClientHello{
		Version:  VersionTLS12,
		Versions: []uint16{VersionTLS13, VersionTLS12},
		Suites: []uint16{0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014,
			0x009c, 0x009d, 0x002f, 0x0035},
		Extensions: []uint16{0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012,
			0x002b, 0xff01, 0x000b, 0x000a, 0x0015},
		Signatures: []uint16{0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601},
		ALPN:       []string{"h2", "http/1.1"},
	}
}

func TestJA4(t *testing.T) {
	tests := []struct {
		name   string
		change func(*ClientHello)
		want   string
	}{
		{"the specification's example", func(*ClientHello) {}, "t13d1516h2_8daaf6152771_e5627efa2ab1"},
		{"its example without signature algorithms", func(h *ClientHello) { h.Signatures = nil }, "t13d1516h2_8daaf6152771_6d807ffa2a79"},
		{"a browser's of late 2025", func(h *ClientHello) {
			h.Extensions = []uint16{0x002d, 0x0033, 0x0010, 0xfe0d, 0x0017, 0x44cd, 0x0000, 0x000b, 0x000a, 0x002b, 0xff01,
				0x0023, 0x0012, 0x0005, 0x000d, 0x001b}
		}, "t13d1516h2_8daaf6152771_d8a2da3f94cd"},
		{"another order", func(h *ClientHello) { slices.Reverse(h.Suites); slices.Reverse(h.Extensions) },
			"t13d1516h2_8daaf6152771_e5627efa2ab1"},
		{"no name, no protocol", func(h *ClientHello) {
			h.Extensions = slices.DeleteFunc(h.Extensions, func(k uint16) bool { return k == extServerName || k == extALPN })
			h.ALPN = nil
		}, "t13i151400_8daaf6152771_e5627efa2ab1"},
		{"nothing", func(h *ClientHello) { *h = ClientHello{Version: VersionSSL30} }, "ts3i000000_000000000000_000000000000"},
		{"more than two digits", func(h *ClientHello) { *h = ClientHello{Version: VersionTLS10, Suites: make([]uint16, 120)} },
			"t10i990000_fd9b661d0d5b_000000000000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := browser()
			tt.change(h)
			if got := h.JA4(); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestJA4Protocols(t *testing.T) {
	for in, want := range map[string]string{
		"": "00", "h2": "h2", "http/1.1": "h1", "x": "xx",
		"\xab": "ab", "\xab\xcd": "ad", "0\xab": "3b", "01\xab\xcd": "3d", "0\xab\xcd1": "01",
	} {
		if got := ja4ALPN([]string{in}); got != want {
			t.Errorf("got %q, want %q; input %q", got, want, in)
		}
	}
}
