package wire

// The lengths of a record that holds nothing but an alert. Up to TLS 1.2 the
// header names the kind. TLS 1.3 hides it, but two octets are no other content:
// a reply has six at least, a key update five (RFC 8446, sections 4.6.3, 5.2).
const (
	hiddenAlert  = 2 + 1 + 16 // the alert, its type, the cipher's tag
	largestAlert = 80         // with padding, MAC and IV of the widest suite of TLS 1.2
)

// EndsInAlert reports whether the TLS records in b end with an alert, by its
// kind or by its size. Behind a handshake that went well it is close_notify.
func EndsInAlert(b []byte) bool {
	if endsInRecord(b, recordData, hiddenAlert) {
		return true
	}
	for n := 2; n <= largestAlert; n++ {
		if endsInRecord(b, recordAlert, n) {
			return true
		}
	}
	return false
}

// endsInRecord reports whether b ends with a record of that kind and length.
func endsInRecord(b []byte, kind byte, n int) bool {
	at := len(b) - recordHeader - n
	return at >= 0 && b[at] == kind && b[at+1] == 3 && b[at+3] == 0 && int(b[at+4]) == n
}
