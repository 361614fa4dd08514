package probe

import (
	"slices"
	"strings"

	"smtp-proxy/proxy/wire"
)

// surveyedGroups are those of post-quantum key exchange and those that apps
// depend on.
func surveyedGroups() []uint16 {
	const p256MLKEM, p384MLKEM = 4587, 4589
	return []uint16{groupX25519MLKEM, p256MLKEM, p384MLKEM, groupX25519, groupP256, groupP384}
}

// everyGroup adds those that no app has alone. They are in the first offer of a
// version, so that it is not refused for want of them, and no more is asked
// about them.
func everyGroup() []uint16 { return join(surveyedGroups(), allGroups()) }

// soundSuites are those of a version that are not known to be weak.
func soundSuites(version uint16) []uint16 {
	if version == wire.VersionTLS13 {
		return modernSuites()
	}
	return slices.DeleteFunc(oldSuites(), func(id uint16) bool { return weakness(id) != weakNone || !goesWith(id, version) })
}

// weakSuites are those of a version up to TLS 1.2 that should be offered by
// nobody any more.
func weakSuites(version uint16) []uint16 {
	if version == wire.VersionTLS13 {
		return nil
	}
	return slices.DeleteFunc([]uint16{
		0xc012, 0xc008, 0x0016, 0x0013, 0x000a, // 3DES
		0xc011, 0xc007, 0x0005, 0x0004, // RC4
		0xc019, 0xc018, 0x00a7, 0x00a6, 0x006d, 0x006c, 0x003a, 0x0034, 0xc017, 0x001b, 0xc016, 0x0018, // nobody signs
		0x0015, 0x0012, 0x0009, // DES
		0x0064, 0x0062, 0x0014, 0x0011, 0x0008, 0x0006, 0x0003, // export
		0xc010, 0xc006, 0x003b, 0x0002, 0x0001, // no encryption
	}, func(id uint16) bool { return !goesWith(id, version) })
}

// goesWith reports whether a suite may be used with a version up to TLS 1.2:
// its own hash and AEAD came with TLS 1.2 (RFC 5246), elliptic curves with the
// extensions of TLS 1.0 (RFC 8422).
func goesWith(id, version uint16) bool {
	name := wire.SuiteName(id)
	switch {
	case strings.HasSuffix(name, "_SHA"), strings.HasSuffix(name, "_MD5"):
		return version > wire.VersionSSL30 || !strings.Contains(name, "_ECDH")
	}
	return version == wire.VersionTLS12
}

// splitSecrecy parts the suites with forward secrecy from those without.
func splitSecrecy(suites []uint16) (with, none []uint16) {
	for _, id := range suites {
		if name := wire.SuiteName(id); strings.HasPrefix(name, "TLS_ECDHE") || strings.HasPrefix(name, "TLS_DHE") {
			with = append(with, id)
		} else {
			none = append(none, id)
		}
	}
	return with, none
}

// weak is a kind of suite that should be taken by nobody.
type weak string

// The kinds, as a line names them.
const (
	weakNone   weak = ""
	weakAnon   weak = "anonymous suites"
	weakNull   weak = "suites without encryption"
	weakExport weak = "export suites"
	weakRC4    weak = "RC4"
	weak3DES   weak = "3DES"
	weakDES    weak = "DES"
)

// kindsOfWeak are in the order of how bad they are.
func kindsOfWeak() []weak {
	return []weak{weakNull, weakExport, weakDES, weakAnon, weakRC4, weak3DES}
}

// weakness is the kind of a suite.
func weakness(id uint16) weak {
	for _, w := range []struct {
		part string
		kind weak
	}{
		{"_NULL_", weakNull}, {"_EXPORT_", weakExport}, {"_anon_", weakAnon},
		{"_RC4_", weakRC4}, {"_3DES_", weak3DES}, {"_DES_", weakDES},
	} {
		if strings.Contains(wire.SuiteName(id), w.part) {
			return w.kind
		}
	}
	return weakNone
}

// withoutKind is a list less a suite, and less all of its kind if it is a weak
// one: it takes no more than one to show that the kind is taken.
func withoutKind(list []uint16, id uint16) []uint16 {
	kind := weakness(id)
	return slices.DeleteFunc(slices.Clone(list), func(other uint16) bool {
		return other == id || kind != weakNone && weakness(other) == kind
	})
}

// harm says why a kind is weak.
func (w weak) harm() string {
	switch w {
	case weakNull:
		return "mail and passwords would go in clear"
	case weakExport, weakDES:
		return "anybody breaks them within hours (FREAK, Logjam)"
	case weakAnon:
		return "whoever answers proves nothing; apps that verify never offer them (in Postfix: smtpd_tls_exclude_ciphers = aNULL)"
	case weakRC4:
		return "broken and forbidden (RFC 7465)"
	case weak3DES:
		return "its short blocks give long connections away (Sweet32)"
	}
	return ""
}
