package wire

import "bytes"

// LooksLikeTLS reports whether b begins with a TLS record: a handshake (0x16)
// or an alert (0x15) of SSL 3.0 to TLS 1.3 (RFC 8446, section 5.1).
func LooksLikeTLS(b []byte) bool {
	return len(b) >= 2 && (b[0] == 0x16 || b[0] == 0x15) && b[1] == 3
}

// LooksLikeHTTP reports whether a first line is an HTTP request: a method and
// then a path or an URL. A web page can make a browser send one to any port.
func LooksLikeHTTP(line []byte) bool {
	method, rest, ok := bytes.Cut(line, []byte(" "))
	if !ok {
		return false
	}
	switch string(method) {
	case "GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "PRI":
	default:
		return false
	}
	return len(rest) > 0 && (rest[0] == '/' || rest[0] == '*' || bytes.Contains(rest, []byte("HTTP/")) || bytes.IndexByte(rest, ':') > 0)
}
