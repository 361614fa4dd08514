package probe

import "smtp-proxy/proxy/wire"

// What the widest offer holds: all that programs of the last fifteen years
// have offered, the better first, and nothing that only breaks parsers.

func allVersions() []uint16 {
	return []uint16{wire.VersionTLS13, wire.VersionTLS12, wire.VersionTLS11, wire.VersionTLS10}
}

func allSuites() []uint16 { return join(modernSuites(), oldSuites()) }

// modernSuites are those of TLS 1.3.
func modernSuites() []uint16 { return []uint16{0x1301, 0x1302, 0x1303, 0x1304} }

// oldSuites are those up to TLS 1.2: ECDHE, then DHE, then RSA key exchange,
// each with GCM, ChaCha20, CCM and CBC, then 3DES and RC4.
func oldSuites() []uint16 {
	return []uint16{
		0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc0ac, 0xc0ad,
		0xc023, 0xc027, 0xc024, 0xc028, 0xc009, 0xc013, 0xc00a, 0xc014,
		0x009e, 0x009f, 0xccaa, 0xc09e, 0xc09f, 0x0067, 0x006b, 0x0033, 0x0039, 0x0045, 0x0088,
		0x009c, 0x009d, 0xc09c, 0xc09d, 0x003c, 0x003d, 0x002f, 0x0035, 0x0041, 0x0084,
		0xc008, 0xc012, 0x0016, 0x000a, 0xc007, 0xc011, 0x0005, 0x0004,
	}
}

// allGroups leaves out those of post-quantum key exchange: no smarthost takes
// them alone, and their keys make a hello so long that some take it for none.
func allGroups() []uint16 {
	return []uint16{
		groupX25519, groupP256, groupP384, groupP521,
		groupX448, groupBrainpool256, groupBrainpool384, groupFFDHE2048, groupFFDHE3072,
	}
}

func allSignatures() []uint16 {
	return []uint16{
		0x0403, 0x0503, 0x0603, 0x0807, 0x0808,
		0x0804, 0x0805, 0x0806, 0x0809, 0x080a, 0x080b,
		0x0401, 0x0501, 0x0601, 0x0303, 0x0301, 0x0203, 0x0201, 0x0402, 0x0202,
	}
}
