package wire

import (
	"fmt"
	"strconv"
	"strings"
)

// The versions of the protocol, as they stand on the wire.
const (
	VersionSSL20 uint16 = 0x0002
	VersionSSL30 uint16 = 0x0300
	VersionTLS10 uint16 = 0x0301
	VersionTLS11 uint16 = 0x0302
	VersionTLS12 uint16 = 0x0303
	VersionTLS13 uint16 = 0x0304
)

var versions = map[uint16]string{
	VersionSSL20: "SSLv2", VersionSSL30: "SSLv3",
	VersionTLS10: "TLS 1.0", VersionTLS11: "TLS 1.1", VersionTLS12: "TLS 1.2", VersionTLS13: "TLS 1.3",
}

// groups names the key exchange groups (IANA TLS Supported Groups). The NIST
// curves are written as certificates and other tools write them.
var groups = map[uint16]string{
	1: "sect163k1", 2: "sect163r1", 3: "sect163r2", 4: "sect193r1", 5: "sect193r2",
	6: "sect233k1", 7: "sect233r1", 8: "sect239k1", 9: "sect283k1", 10: "sect283r1",
	11: "sect409k1", 12: "sect409r1", 13: "sect571k1", 14: "sect571r1",
	15: "secp160k1", 16: "secp160r1", 17: "secp160r2", 18: "secp192k1", 19: "P-192",
	20: "secp224k1", 21: "P-224", 22: "secp256k1", 23: "P-256", 24: "P-384", 25: "P-521",
	26: "brainpoolP256r1", 27: "brainpoolP384r1", 28: "brainpoolP512r1",
	29: "X25519", 30: "X448",
	31: "brainpoolP256r1tls13", 32: "brainpoolP384r1tls13", 33: "brainpoolP512r1tls13",
	34: "GC256A", 35: "GC256B", 36: "GC256C", 37: "GC256D", 38: "GC512A", 39: "GC512B", 40: "GC512C",
	41:  "curveSM2",
	256: "ffdhe2048", 257: "ffdhe3072", 258: "ffdhe4096", 259: "ffdhe6144", 260: "ffdhe8192",
	512: "MLKEM512", 513: "MLKEM768", 514: "MLKEM1024",
	4587: "SecP256r1MLKEM768", 4588: "X25519MLKEM768", 4589: "SecP384r1MLKEM1024", 4590: "curveSM2MLKEM768",
	0x6399: "X25519Kyber768Draft00", 0x639a: "SecP256r1Kyber768Draft00",
	0xff01: "explicit_prime", 0xff02: "explicit_char2",
}

// signatures names the signature algorithms (IANA TLS SignatureScheme). Below
// 0x0700 the pairs of TLS 1.2 that TLS 1.3 has no name for are written as
// Wireshark and OpenSSL write them.
var signatures = map[uint16]string{
	0x0101: "rsa_pkcs1_md5", 0x0201: "rsa_pkcs1_sha1", 0x0301: "rsa_pkcs1_sha224",
	0x0401: "rsa_pkcs1_sha256", 0x0501: "rsa_pkcs1_sha384", 0x0601: "rsa_pkcs1_sha512",
	0x0102: "dsa_md5", 0x0202: "dsa_sha1", 0x0302: "dsa_sha224",
	0x0402: "dsa_sha256", 0x0502: "dsa_sha384", 0x0602: "dsa_sha512",
	0x0103: "ecdsa_md5", 0x0203: "ecdsa_sha1", 0x0303: "ecdsa_sha224",
	0x0403: "ecdsa_secp256r1_sha256", 0x0503: "ecdsa_secp384r1_sha384", 0x0603: "ecdsa_secp521r1_sha512",
	0x0420: "rsa_pkcs1_sha256_legacy", 0x0520: "rsa_pkcs1_sha384_legacy", 0x0620: "rsa_pkcs1_sha512_legacy",
	0x0708: "sm2sig_sm3",
	0x0709: "gostr34102012_256a", 0x070a: "gostr34102012_256b", 0x070b: "gostr34102012_256c",
	0x070c: "gostr34102012_256d", 0x070d: "gostr34102012_512a", 0x070e: "gostr34102012_512b",
	0x070f: "gostr34102012_512c",
	0x0804: "rsa_pss_rsae_sha256", 0x0805: "rsa_pss_rsae_sha384", 0x0806: "rsa_pss_rsae_sha512",
	0x0807: "ed25519", 0x0808: "ed448",
	0x0809: "rsa_pss_pss_sha256", 0x080a: "rsa_pss_pss_sha384", 0x080b: "rsa_pss_pss_sha512",
	0x081a: "ecdsa_brainpoolP256r1tls13_sha256", 0x081b: "ecdsa_brainpoolP384r1tls13_sha384",
	0x081c: "ecdsa_brainpoolP512r1tls13_sha512",
	0x0840: "gostr34102012_256_intrinsic", 0x0841: "gostr34102012_512_intrinsic",
	0x0904: "mldsa44", 0x0905: "mldsa65", 0x0906: "mldsa87",
	0xeded: "gostr34102001_gostr3411", 0xeeee: "gostr34102012_256_gostr34112012_256", 0xefef: "gostr34102012_512_gostr34112012_512",
}

// VersionName returns a version's name as crypto/tls writes it, "TLS 1.3".
// What has no name is written as a number, "0x1234"; so do all the names here.
func VersionName(id uint16) string { return nameOf(versions, id) }

// VersionID returns the version of a name that VersionName gives.
func VersionID(name string) (uint16, bool) { return idOf(versions, name) }

// SuiteName returns a cipher suite's name in the IANA registry, which is also
// the one of crypto/tls.
func SuiteName(id uint16) string { return nameOf(suites, id) }

// SuiteID returns the cipher suite of a name that SuiteName gives.
func SuiteID(name string) (uint16, bool) { return idOf(suites, name) }

// GroupName returns the name of a key exchange group, "X25519" or "P-256".
func GroupName(id uint16) string { return nameOf(groups, id) }

// GroupID returns the group of a name that GroupName gives.
func GroupID(name string) (uint16, bool) { return idOf(groups, name) }

// SignatureName returns the name of a signature algorithm in RFC 8446, section
// 4.2.3: "rsa_pss_rsae_sha256".
func SignatureName(id uint16) string { return nameOf(signatures, id) }

// SignatureID returns the signature algorithm of a name that SignatureName
// gives.
func SignatureID(name string) (uint16, bool) { return idOf(signatures, name) }

// Names applies one of the naming functions to a list.
func Names(ids []uint16, name func(uint16) string) []string {
	if len(ids) == 0 {
		return nil
	}
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = name(id)
	}
	return names
}

func nameOf(table map[uint16]string, id uint16) string {
	if name, ok := table[id]; ok {
		return name
	}
	return fmt.Sprintf("0x%04X", id)
}

// idOf searches the table: only probes ask, and seldom.
func idOf(table map[uint16]string, name string) (uint16, bool) {
	for id, n := range table {
		if n == name {
			return id, true
		}
	}
	digits, isHex := strings.CutPrefix(name, "0x")
	if !isHex || len(digits) != 4 {
		return 0, false
	}
	id, err := strconv.ParseUint(digits, 16, 16)
	return uint16(id), err == nil
}

// grease reports whether a value is one of those that some clients sprinkle
// over their lists so that servers stay tolerant (RFC 8701). It offers nothing.
func grease(id uint16) bool { return id&0x0f0f == 0x0a0a && id>>8 == id&0xff }
