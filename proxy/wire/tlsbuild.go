package wire

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// maxFragment is what a plaintext record carries at most (RFC 8446, section
// 5.1).
const maxFragment = 1 << 14

// AppendRecord appends the hello to b as it goes on the wire: the handshake
// message in its TLS record, or records when it is long. It offers what the
// fields say and no more, so that a smarthost's answer is an answer to them;
// Extensions is not read. Ticket, PSK and EarlyData need a session to resume
// and are left out. shares holds the public keys of the groups in KeyShares; a
// group without one is left out. The same arguments give the same octets.
//
// Version is derived from Versions when it is 0. A hello without Versions is
// one from before TLS 1.3.
func (h *ClientHello) AppendRecord(b []byte, random [32]byte, shares map[uint16][]byte) []byte {
	msg := h.message(random, shares)
	record := min(VersionTLS10, h.legacy()) // what the oldest servers take
	for len(msg) > 0 {
		n := min(len(msg), maxFragment)
		b = append(b, recordHandshake)
		b = binary.BigEndian.AppendUint16(b, record)
		b = appendVector(b, 2, msg[:n])
		msg = msg[n:]
	}
	return b
}

// legacy is what stands in the version field: TLS 1.3 is never named there.
func (h *ClientHello) legacy() uint16 {
	if h.Version != 0 {
		return h.Version
	}
	return min(h.Max(), VersionTLS12)
}

// message is the handshake message. Its session id is there for TLS 1.3 only,
// for the sake of middleboxes (RFC 8446, appendix D.4).
func (h *ClientHello) message(random [32]byte, shares map[uint16][]byte) []byte {
	body := binary.BigEndian.AppendUint16(nil, h.legacy())
	body = append(body, random[:]...)
	if h.Max() >= VersionTLS13 {
		id := sha256.Sum256(random[:])
		body = appendVector(body, 1, id[:])
	} else {
		body = append(body, 0)
	}
	body = appendVector(body, 2, ids(h.Suites))
	body = append(body, 1, 0) // compression: none
	if ext := h.pad(h.extensionBlock(shares), len(body)); len(ext) > 0 {
		body = appendVector(body, 2, ext)
	}
	return appendVector([]byte{msgClientHello}, 3, body)
}

// extensionBlock writes the extensions that the fields need, and from TLS 1.0
// on the two without which some servers refuse: extended_master_secret (RFC
// 7627) and renegotiation_info (RFC 5746).
func (h *ClientHello) extensionBlock(shares map[uint16][]byte) []byte {
	var b []byte
	if h.SNI != "" {
		name := appendVector([]byte{0}, 2, []byte(h.SNI))
		b = appendExtension(b, extServerName, appendVector(nil, 2, name))
	}
	if h.Max() > VersionSSL30 {
		b = appendExtension(b, extExtendedMaster, nil)
		b = appendExtension(b, extRenegotiateInfo, []byte{0})
	}
	if len(h.Groups) > 0 {
		b = appendExtension(b, extPointFormats, []byte{1, 0})
		b = appendExtension(b, extGroups, appendVector(nil, 2, ids(h.Groups)))
	}
	if h.StatusRequest {
		b = appendExtension(b, extStatusRequest, []byte{1, 0, 0, 0, 0})
	}
	if len(h.ALPN) > 0 {
		b = appendExtension(b, extALPN, appendVector(nil, 2, h.protocolList()))
	}
	if len(h.Signatures) > 0 {
		b = appendExtension(b, extSignatures, appendVector(nil, 2, ids(h.Signatures)))
	}
	return h.appendModern(b, shares)
}

// appendModern writes the extensions of TLS 1.3.
func (h *ClientHello) appendModern(b []byte, shares map[uint16][]byte) []byte {
	if len(h.Versions) > 0 {
		b = appendExtension(b, extVersions, appendVector(nil, 1, ids(h.Versions)))
	}
	if !slices.Contains(h.Versions, VersionTLS13) && len(h.KeyShares) == 0 {
		return b
	}
	b = appendExtension(b, extPSKModes, []byte{1, 1}) // psk_dhe_ke
	return appendExtension(b, extKeyShare, appendVector(nil, 2, h.keyShareList(shares)))
}

func (h *ClientHello) protocolList() []byte {
	var list []byte
	for _, p := range h.ALPN {
		list = appendVector(list, 1, []byte(p))
	}
	return list
}

func (h *ClientHello) keyShareList(shares map[uint16][]byte) []byte {
	var list []byte
	for _, group := range h.KeyShares {
		if key, ok := shares[group]; ok {
			list = binary.BigEndian.AppendUint16(list, group)
			list = appendVector(list, 2, key)
		}
	}
	return list
}

// pad lengthens a message of 256 to 511 octets to 512: some load balancers
// hang on those (RFC 7685). before counts what stands in front of the block.
func (h *ClientHello) pad(ext []byte, before int) []byte {
	size := 4 + before + 2 + len(ext)
	if len(ext) == 0 || size < 256 || size >= 512 {
		return ext
	}
	return appendExtension(ext, extPadding, make([]byte, max(512-size-4, 1)))
}

// ids writes a list of 16-bit values.
func ids(list []uint16) []byte {
	b := make([]byte, 0, 2*len(list))
	for _, id := range list {
		b = binary.BigEndian.AppendUint16(b, id)
	}
	return b
}

// appendExtension writes an extension of the given type.
func appendExtension(b []byte, kind uint16, body []byte) []byte {
	return appendVector(binary.BigEndian.AppendUint16(b, kind), 2, body)
}

// appendVector writes a vector behind a length of n octets.
func appendVector(b []byte, n int, v []byte) []byte {
	for shift := 8 * (n - 1); shift >= 0; shift -= 8 {
		b = append(b, byte(len(v)>>shift))
	}
	return append(b, v...)
}
