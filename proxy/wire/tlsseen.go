package wire

import "time"

// TLSApp and TLSUpstream are the two sides of an observed handshake, and the
// index of what each of them did. The app is TLS's client.
const (
	TLSApp      = 0
	TLSUpstream = 1
)

// TLSStage is how far a handshake has come.
type TLSStage uint8

// The stages, in order. A TLS 1.2 handshake that resumes a session, and every
// one of TLS 1.3, goes from TLSServerFlight to TLSEstablished at once: the
// app's flight is the last.
const (
	TLSNothing      TLSStage = iota // no whole ClientHello yet
	TLSHello                        // the app owes nothing, unless it was asked to try again
	TLSAnswered                     // the ServerHello is there
	TLSServerFlight                 // the upstream's flight is whole; under TLS 1.3 as far as sizes tell
	TLSAppFlight                    // the app's flight is whole
	TLSEstablished                  // both have said Finished, as far as sizes tell
)

// TLSAlert is an alert in clear (RFC 8446, section 6).
type TLSAlert struct {
	Level  uint8 // 1 warning, 2 fatal
	Number uint8
}

// TLSFlight is what one side sent before the other spoke again.
type TLSFlight struct {
	From    int           // TLSApp or TLSUpstream
	Records int           // whose header is whole
	Bytes   int64         // octets on the wire
	At      time.Duration // of its first octet, since the first of all
}

// TLSSeen is what a TLSObserver has read so far. The arrays are indexed by
// side. It holds no key and nothing that was protected but its size.
type TLSSeen struct {
	Client  *ClientHello // the first one
	Server  *ServerHello // the last one: a HelloRetryRequest until the real one comes
	Retried bool         // the upstream asked for a second ClientHello

	Chain     [][]byte // in DER, as sent; TLS 1.2 and earlier
	Staple    []byte   // OCSP answer; TLS 1.2 and earlier
	AskedCert bool     // the upstream asked for a client certificate; under TLS 1.3 seen only when the app answered it
	GaveCert  bool     // the app had one to show; TLS 1.2 and earlier

	Stage    TLSStage
	Finished bool    // the handshake was completed
	Spoke    [2]bool // that side went on behind its part of it, with more than an alert; tickets count

	Alert  [2]*TLSAlert // in clear, which ended the handshake
	Warned [2]*TLSAlert // in clear, and the handshake went on: unrecognized_name of a lax server

	// HiddenAlert says that an alert came under encryption, where it cannot be
	// read: in the handshake, or, when Finished, as that side's first word
	// behind it. Under TLS 1.3 it is told by its size, before that by its type.
	// A close_notify behind application data is none.
	HiddenAlert [2]bool

	// NotTLS is how a side began that did not speak TLS, up to the end of the
	// first line, at most 64 octets. The handshake is settled when the line is
	// whole; before that a caller that waits in vain looks here. What an app says
	// can hold a password.
	NotTLS [2][]byte

	Corrupt [2]string // why a side that began with TLS could not be read further
	Flights []TLSFlight
}
