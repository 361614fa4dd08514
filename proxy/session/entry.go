package session

import (
	"time"
)

// Side names one of the two peers. Each of them is client and server at once
// as seen from the proxy, so they are never called that.
type Side uint8

// The two sides, and the two legs that carry their names.
const (
	App      Side = iota // the program that sends mail
	Upstream             // the smarthost
)

// String returns the side's name as it stands in records: "app" or "upstream".
func (s Side) String() string { return [...]string{"app", "upstream"}[s&1] }

// Peer returns the other side.
func (s Side) Peer() Side { return 1 - s }

// Origin says who caused an entry.
type Origin uint8

// The three parties of a session.
const (
	FromApp Origin = iota
	FromUpstream
	FromProxy
)

// String returns the origin's name as it stands in records.
func (o Origin) String() string { return [...]string{"app", "upstream", "proxy"}[o%3] }

// Kind says what an entry describes. The set is the contract's.
type Kind string

// The kinds of entry.
const (
	KindOpen     Kind = "open"     // a leg's connection stands; Dial says how (upstream leg)
	KindGreeting Kind = "greeting" // the upstream's first reply
	KindCommand  Kind = "command"
	KindReply    Kind = "reply"
	KindAuth     Kind = "auth"  // a line of an AUTH exchange, redacted; Auth holds what may be known
	KindTLS      Kind = "tls"   // a handshake ended, well or badly; TLS says how
	KindData     Kind = "data"  // a message body or BDAT chunk was passed on; Bytes is its size
	KindClose    Kind = "close" // a side ended its leg; Fault is nil for a clean end (FIN)
	KindError    Kind = "error" // a look-up, a dial or a connection failed; Fault or Dial say how
	KindProbe    Kind = "probe" // the answer of an active look-up after a failure
	KindNote     Kind = "note"  // an edit, an oddity, a gap in the record
)

// Phase is where a session stands when an entry is made, or, for a reply,
// the phase of the command that it answers.
type Phase string

// The phases, in the order in which a session goes through them.
const (
	PhaseConnect  Phase = "connect"
	PhaseGreeting Phase = "greeting"
	PhaseHelo     Phase = "helo"
	PhaseTLS      Phase = "tls"
	PhaseAuth     Phase = "auth"
	PhaseMail     Phase = "mail"
	PhaseRcpt     Phase = "rcpt"
	PhaseData     Phase = "data" // the DATA command, or a BDAT command before its last chunk
	PhaseDot      Phase = "dot"  // the message itself and the reply to its end
	PhaseQuit     Phase = "quit"
)

// Entry is one line of a session's history. Secrets never reach it: Text and
// all facts are redacted before the entry is made. An entry is not changed
// after it has been handed over.
type Entry struct {
	Seq      int // 1, 2, 3 … within the session
	At       time.Time
	Leg      Side
	From     Origin
	Own      bool // the proxy's own dialogue with the upstream, which the app does not see
	Secure   bool // the leg was under TLS
	Edit     bool // a note that says how the bytes one side got differ from those the other sent
	Kind     Kind
	Phase    Phase
	Verb     string        // upper-case verb of a command; of a reply, the command it answers; "." is the end of data
	Code     int           // of a reply, 0 otherwise
	Enhanced string        // RFC 3463 code of a reply, "5.1.1", or empty
	Text     string        // the line or lines, joined by "\n", without their line ends; redacted
	Bytes    int64         // octets on the wire
	Wait     time.Duration // of a reply: time since its command went out
	Odd      Oddity        // why a note was made; empty for most

	Lookup *Lookup // facts of a DNS look-up
	Dial   *Dial   // facts of one connection attempt
	TLS    *TLS    // facts of one handshake
	Auth   *Auth   // what may be known of an AUTH exchange so far
	Fault  *Fault  // what broke: errors, and closes that were no clean end
	TCP    *TCP    // of a close, an error and a handshake: what the kernel knew of the leg's connection then
	Silent *Silent // of a close and a timeout: how long nothing had come
	Probe  *Probe  // of a probe: what was asked, and the answer
}

// Oddity names something unusual that the core saw, for detectors to read.
type Oddity string

// The oddities. They are facts, not verdicts.
const (
	OddBareLF          Oddity = "bare-lf"         // a bare LF in a command or body line
	OddBareCR          Oddity = "bare-cr"         // a bare CR in a command or body line
	OddNUL             Oddity = "nul"             // a NUL in a command or reply line
	OddSmuggling       Oddity = "smuggling"       // an ambiguous end of data; Text names the sequence
	OddInjection       Oddity = "injection"       // plaintext behind STARTTLS was discarded
	OddEarlyTalk       Oddity = "early-talk"      // the app spoke before the greeting
	OddPipelining      Oddity = "pipelining"      // the app went on behind a command that ends a group
	OddLongLine        Oddity = "long-line"       // a command or reply line over the limit
	OddHTTP            Oddity = "http"            // the app speaks HTTP
	OddTLSOnPlain      Oddity = "tls-on-plain"    // the first byte was a TLS record where text was due
	OddPlainOnTLS      Oddity = "plain-on-tls"    // text came where a TLS record was due
	OddOpaque          Oddity = "opaque"          // understanding has ended; bytes pass unread
	OddInvalidReply    Oddity = "invalid-reply"   // a reply line that is not an SMTP reply
	OddUnsolicited     Oddity = "unsolicited"     // a reply to no command
	OddEarlyReply      Oddity = "early-reply"     // a reply to the message before its end
	OddNotOffered      Oddity = "tls-not-offered" // STARTTLS was demanded by the settings and is not on offer
	OddTLSRefused      Oddity = "tls-refused"     // STARTTLS was on offer and refused
	OddBadSequence     Oddity = "bad-sequence"    // the proxy refused a command out of order
	OddUnknownTLS      Oddity = "tls-unoffered"   // the app asked for STARTTLS that was not offered
	OddTLSRequired     Oddity = "tls-required"    // the settings demand TLS first, the app went on without
	OddTimeout         Oddity = "timeout"         // a side was silent until the deadline; Leg names it
	OddShutdown        Oddity = "shutdown"        // the proxy is stopping
	OddLimit           Oddity = "limit"           // a limit of the proxy was reached
	OddLoop            Oddity = "loop"            // the upstream is this proxy itself
	OddPolicy          Oddity = "policy"          // the owner's policy refused it
	OddFault           Oddity = "fault"           // an injected fault
	OddPanic           Oddity = "panic"           // a bug of the proxy ended the session
	OddGap             Oddity = "gap"             // the record lacks entries; Bytes is how many
	OddVanishedVerdict Oddity = "verdict-unseen"  // the upstream's verdict came after the app had gone

	OddExpiring Oddity = "certificate-expiring"  // a certificate that is in order ends soon
	OddShortKey Oddity = "certificate-short-key" // a key that is accepted and shorter than it should be
)

// Lookup is one DNS question and its answer.
type Lookup struct {
	Name     string        `json:"name"`
	Type     string        `json:"type"`             // A, AAAA, or "hosts" for /etc/hosts
	Server   string        `json:"server,omitempty"` // ip:port of the resolver asked
	Rcode    string        `json:"rcode,omitempty"`  // NOERROR, NXDOMAIN, SERVFAIL …
	CNAME    []string      `json:"cname,omitempty"`  // the aliases that were followed, in order
	Answers  []string      `json:"answers,omitempty"`
	Duration time.Duration `json:"duration"`
}

// Dial is one attempt to connect to one address.
type Dial struct {
	Host     string        `json:"host"`   // as configured
	Addr     string        `json:"addr"`   // ip:port
	Family   string        `json:"family"` // ipv4 or ipv6
	Local    string        `json:"local,omitempty"`
	Duration time.Duration `json:"duration"`
}

// FaultClass is the kind of trouble behind a Fault: the errno, alert or
// resolver answer in one word that does not depend on the platform.
type FaultClass string

// The classes of fault.
const (
	FaultNoSuchHost  FaultClass = "no-such-host" // NXDOMAIN, or no A/AAAA record
	FaultDNS         FaultClass = "dns"          // SERVFAIL, REFUSED, time-out of the resolver
	FaultRefused     FaultClass = "refused"      // ECONNREFUSED
	FaultTimeout     FaultClass = "timeout"      // no answer in time
	FaultUnreachable FaultClass = "unreachable"  // EHOSTUNREACH, ENETUNREACH, EADDRNOTAVAIL
	FaultReset       FaultClass = "reset"        // ECONNRESET, EPIPE
	FaultClosed      FaultClass = "closed"       // an end of stream where more was due
	FaultAlert       FaultClass = "alert"        // the peer ended TLS with an alert; Alert names it
	FaultNotTLS      FaultClass = "not-tls"      // bytes that are no TLS record; Bytes shows the first
	FaultVersion     FaultClass = "tls-version"  // no TLS version in common
	FaultCipher      FaultClass = "tls-cipher"   // no cipher suite or group in common
	FaultCertificate FaultClass = "certificate"  // verification failed; TLS.Verify says why
	FaultCorrupt     FaultClass = "tls-corrupt"  // TLS records that do not decode
	FaultHiddenAlert FaultClass = "hidden-alert" // passthrough: an encrypted record of an alert's size, and then the end (TLS 1.3)
	FaultPermission  FaultClass = "permission"   // EACCES, EPERM: a local firewall or policy
	FaultDescriptors FaultClass = "descriptors"  // EMFILE, ENFILE
	FaultLoop        FaultClass = "loop"         // the address is the proxy's own
	FaultLocal       FaultClass = "local"        // the proxy's own end closed it
	FaultOther       FaultClass = "other"
)

// Fault is trouble of the network, DNS or TLS as a fact.
type Fault struct {
	Op    string     `json:"op"` // lookup, dial, handshake, read, write
	Class FaultClass `json:"class"`
	Errno string     `json:"errno,omitempty"` // ECONNREFUSED …
	Alert int        `json:"alert,omitempty"` // TLS alert number (RFC 8446, section 6); 0 with FaultAlert is close_notify
	Sent  bool       `json:"sent,omitempty"`  // the alert was ours
	First []byte     `json:"first,omitempty"` // the first bytes of the peer that were not TLS, at most 64
	Text  string     `json:"text"`            // the error in the platform's own words, redacted
}

// VerifyFault says why a chain was not trusted.
type VerifyFault string

// The reasons for which a certificate chain fails verification.
const (
	VerifyOK          VerifyFault = ""
	VerifyExpired     VerifyFault = "expired"
	VerifyNotYetValid VerifyFault = "not-yet-valid"
	VerifyName        VerifyFault = "name-mismatch"
	VerifySelfSigned  VerifyFault = "self-signed"
	VerifyUntrusted   VerifyFault = "untrusted"  // a chain that ends at a root (or lacks only the root) outside the trust store
	VerifyIncomplete  VerifyFault = "incomplete" // an intermediate is missing: the last certificate sent names an issuer that was not sent and is no known root
	VerifyWeak        VerifyFault = "weak"
	VerifyRevoked     VerifyFault = "revoked"
	VerifyOther       VerifyFault = "other"
)

// TLS is what one handshake showed, whether or not it succeeded.
type TLS struct {
	Version    string        `json:"version"` // "TLS 1.3"
	Cipher     string        `json:"cipher"`
	Group      string        `json:"group,omitempty"`
	ServerName string        `json:"server_name"` // the SNI sent (upstream leg) or received (app leg)
	ALPN       string        `json:"alpn,omitempty"`
	Resumed    bool          `json:"resumed"`
	Verified   bool          `json:"verified"` // the chain leads to a trusted root, in date, with the right name
	Verify     VerifyFault   `json:"verify,omitempty"`
	Error      string        `json:"error"`          // verification's or the handshake's, empty when fine
	Chain      []Certificate `json:"chain"`          // as the peer sent it
	Stapled    string        `json:"ocsp,omitempty"` // good, revoked, unknown; empty when none was sent
	Duration   time.Duration `json:"-"`
	Hello      *Hello        `json:"hello,omitempty"`             // app leg: what the app offered
	RootHint   string        `json:"root_hint,omitempty"`         // issuer that the chain as sent lacks
	AskedCert  bool          `json:"asked_certificate,omitempty"` // upstream leg: the smarthost asked for a client certificate

	Passthrough bool          `json:"passthrough,omitempty"` // read on its way between app and upstream, who made it with each other
	Flights     []Flight      `json:"flights,omitempty"`     // passthrough: who sent how much, in turn
	Path        []Certificate `json:"path,omitempty"`        // as verified, from the leaf to the root; empty when it was not
	Repaired    []Certificate `json:"repaired,omitempty"`    // the missing certificates, from where their issuers publish them: with them the chain verifies
	Interceptor string        `json:"interceptor,omitempty"` // who seems to stand in between and show a certificate of its own

	Sent   [][]byte `json:"-"` // passthrough: the chain in DER, to be judged; dropped then
	Staple []byte   `json:"-"` // passthrough: the OCSP answer that came with it
}

// Flight is what one side sent of a handshake before the other spoke again.
type Flight struct {
	From    string        `json:"from"`    // app or upstream
	Records int           `json:"records"` // TLS records
	Bytes   int64         `json:"bytes"`   // octets on the wire
	At      time.Duration `json:"at"`      // of its first octet, since the ClientHello's
}

// Hello is what a TLS client offered in its first message.
type Hello struct {
	Versions []string `json:"versions,omitempty"`
	Ciphers  []string `json:"ciphers,omitempty"`
	Groups   []string `json:"groups,omitempty"`
	SNI      string   `json:"sni,omitempty"`
	ALPN     []string `json:"alpn,omitempty"`

	Signatures []string `json:"signatures,omitempty"` // signature algorithms
	JA4        string   `json:"ja4,omitempty"`        // fingerprint of the client's software (FoxIO JA4, client part)
}

// TCP is what the kernel knew of a connection (Linux: TCP_INFO). Times are 0
// where it does not tell.
type TCP struct {
	RTT         time.Duration `json:"rtt"` // smoothed round-trip time
	RTTVar      time.Duration `json:"rtt_var"`
	MinRTT      time.Duration `json:"min_rtt,omitempty"`
	Retransmits int           `json:"retransmits,omitempty"` // segments sent again, ever
	Lost        int           `json:"lost,omitempty"`        // segments thought lost now
	Unacked     int           `json:"unacked,omitempty"`     // segments sent and not acknowledged yet
	State       string        `json:"state,omitempty"`       // established, close-wait …
}

// Silent is how long each side had sent nothing.
type Silent struct {
	App      time.Duration `json:"app"`
	Upstream time.Duration `json:"upstream"`
}

// Probe is one question that the proxy asked of its own accord, and what came
// of it. The facts of the answer stand beside it in the entry.
type Probe struct {
	Name    string `json:"name"`              // certificate, direct, …
	Target  string `json:"target"`            // host:port that was asked
	Result  string `json:"result"`            // ok, fail, or skip when it could not be asked
	Cause   string `json:"cause,omitempty"`   // the cause that the answer points to
	Setting string `json:"setting,omitempty"` // the one setting of the app that stands in the way
	Cached  bool   `json:"cached,omitempty"`  // the answer is that to an earlier question

	Duration time.Duration `json:"duration,omitempty"`
	Found    []Found       `json:"found,omitempty"` // what was asked several times, or of several
}

// Found is one part of a probe's answer: a port, an address, a resolver, a
// blocklist.
type Found struct {
	What   string `json:"what"`           // "465", "192.0.2.1", "zen.spamhaus.org" …
	Result string `json:"result"`         // a word of the probe's own: ok, refused, timeout, listed …
	Text   string `json:"text,omitempty"` // for a person
}

// Certificate is one X.509 certificate of a chain.
type Certificate struct {
	Subject   string    `json:"subject"`
	Issuer    string    `json:"issuer"`
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	Names     []string  `json:"names"` // SANs: DNS names and addresses
	Key       string    `json:"key"`   // "ECDSA P-256", "RSA 2048"
	Signature string    `json:"signature"`
	Serial    string    `json:"serial,omitempty"`
	CA        bool      `json:"ca,omitempty"`
	AIA       []string  `json:"aia,omitempty"` // where the issuer's certificate can be fetched
}

// Auth is what may be known of an AUTH exchange: never the secret.
type Auth struct {
	Mechanism string  `json:"mechanism"`
	Username  string  `json:"username"`
	Authzid   string  `json:"authzid,omitempty"`
	Secret    *Secret `json:"secret,omitempty"`    // nil while none was seen in a form that can be measured
	Malformed string  `json:"malformed,omitempty"` // what was wrong with the exchange: "not base64" …
	Cancelled bool    `json:"cancelled,omitempty"`
}

// Secret is the shape of a password or token. It holds nothing from which
// the secret could be told, beyond what its kind has in common.
type Secret struct {
	Length   int    `json:"length"`           // octets
	Alphabet string `json:"alphabet"`         // lower, upper, alpha, digits, alnum, hex, base64, jwt, mixed, binary
	Prefix   string `json:"prefix,omitempty"` // a public, fixed prefix of known key kinds only: "SG.", "AKIA", "xkeysib-" …
	Blanks   string `json:"blanks,omitempty"` // leading, trailing, inside, groups-of-4; "line-end" for a CR or LF
	NonASCII bool   `json:"non_ascii,omitempty"`
}
