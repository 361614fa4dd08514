package session

import "fmt"

// showTunnel writes what an entry says of a handshake that was read on its way.
func showTunnel(x *Entry) (s string) {
	if x.TLS != nil && x.TLS.Passthrough {
		h := x.TLS
		s = fmt.Sprintf(" group=%s name=%s resumed=%t asked=%t sent=%d", h.Group, h.ServerName, h.Resumed, h.AskedCert, len(h.Sent))
		if h.Hello != nil {
			s += fmt.Sprintf(" offered=%q ja4=%s", h.Hello.Versions, h.Hello.JA4)
		}
		for _, f := range h.Flights {
			s += fmt.Sprintf(" %s:%d/%d@%s", f.From, f.Records, f.Bytes, f.At)
		}
	}
	if x.Fault != nil && x.Fault.Op == opHandshake && (x.Kind == KindClose || x.TLS != nil && x.TLS.Passthrough) {
		s += fmt.Sprintf(" fault=%s alert=%d first=%q", x.Fault.Class, x.Fault.Alert, x.Fault.First)
	}
	return s
}

// showsTLS tells records whose octets are other ones each time from alerts in
// clear.
func showsTLS(b []byte) bool {
	return len(b) > 5 && b[1] == 3 && (b[0] == 0x14 || b[0] == 0x16 || b[0] == 0x17 || b[0] == 0x15 && b[4] > 8)
}
