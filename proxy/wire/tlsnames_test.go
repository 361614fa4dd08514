package wire

import (
	"crypto/tls"
	"testing"
)

func TestNamesAreThoseOfCryptoTLS(t *testing.T) {
	for _, s := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		if got := SuiteName(s.ID); got != s.Name {
			t.Errorf("suite %#04x: got %s, want %s", s.ID, got, s.Name)
		}
	}
	for _, v := range []uint16{VersionSSL30, VersionTLS10, VersionTLS11, VersionTLS12, VersionTLS13, 0x1234} {
		if got, want := VersionName(v), tls.VersionName(v); got != want {
			t.Errorf("version %#04x: got %s, want %s", v, got, want)
		}
	}
	for _, g := range []tls.CurveID{tls.X25519, tls.X25519MLKEM768, tls.SecP256r1MLKEM768, tls.SecP384r1MLKEM1024} {
		if got := GroupName(uint16(g)); got != g.String() {
			t.Errorf("group %d: got %s, want %s", g, got, g)
		}
	}
}

// TestNamesLeadBack goes through every id there is: each name is that of one
// id only, and a number stands for what has none.
func TestNamesLeadBack(t *testing.T) {
	tables := []struct {
		what  string
		table map[uint16]string
		name  func(uint16) string
		id    func(string) (uint16, bool)
	}{
		{"version", versions, VersionName, VersionID},
		{"suite", suites, SuiteName, SuiteID},
		{"group", groups, GroupName, GroupID},
		{"signature", signatures, SignatureName, SignatureID},
	}
	for _, tt := range tables {
		ids := map[uint16]bool{0: true, 0x1234: true, 0xffff: true}
		for id := range tt.table {
			ids[id] = true
		}
		for id := range ids {
			if got, ok := tt.id(tt.name(id)); !ok || got != id {
				t.Errorf("%s %#04x: got %#04x, %t by way of %q", tt.what, id, got, ok, tt.name(id))
			}
		}
		for _, name := range []string{"", "0x", "0x12345", "0xwxyz", "1234", "tls 1.3"} {
			if id, ok := tt.id(name); ok {
				t.Errorf("%s: got %#04x for %q, want none", tt.what, id, name)
			}
		}
	}
}

func TestGREASEIsLeftOut(t *testing.T) {
	greasy := ClientHello{Version: VersionTLS12, Versions: []uint16{0x0a0a, VersionTLS13}, Suites: []uint16{0xfafa, 0x1301},
		Groups: []uint16{0x1a1a, 29}, Signatures: []uint16{0x2a2a, 0x0804}, KeyShares: []uint16{0x1a1a, 29}, ALPN: []string{"\x3a\x3a", "smtp"}}
	got, err := ParseClientHello(unrecord(greasy.AppendRecord(nil, [32]byte{}, shareless(&greasy))))
	if err != nil {
		t.Fatal(err)
	}
	for name, list := range map[string][]uint16{"versions": got.Versions, "suites": got.Suites, "groups": got.Groups,
		"signatures": got.Signatures, "key shares": got.KeyShares} {
		if len(list) != 1 {
			t.Errorf("%s: got %#04x, want one without GREASE", name, list)
		}
	}
	if len(got.ALPN) != 1 || got.ALPN[0] != "smtp" {
		t.Errorf("got protocols %q", got.ALPN)
	}
}
