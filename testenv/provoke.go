package testenv

import (
	"regexp"
	"strconv"
	"strings"
)

// Provocation is a kind of address that makes a smarthost of this package
// misbehave on demand.
type Provocation struct {
	Pattern string // how the local part is built
	Phase   string // when the reply comes: mail, rcpt, data, dot
	Example string
	Meaning string
}

// Provocations returns the table of addresses that provoke a reply.
func Provocations() []Provocation {
	return []Provocation{
		{"CODE_E.N.H", "rcpt", "550_5.1.1@example.com", "as a recipient: this reply to RCPT, with a text that is usual for it"},
		{"CODE", "rcpt", "452@example.com", "the same without an enhanced code"},
		{"rcptCODE_E.N.H", "rcpt", "rcpt451_4.7.1@example.com", "the same, the phase spelled out"},
		{"mailCODE_E.N.H", "mail", "mail550_5.7.1@example.com", "as the sender: this reply to MAIL"},
		{"dataCODE_E.N.H", "data", "data554_5.6.0@example.com", "as sender or recipient: this reply to DATA (the plain sandbox, which has sent its 354 by then, gives it after the final dot)"},
		{"dotCODE_E.N.H", "dot", "dot552_5.3.4@example.com", "as sender or recipient: this reply after the final dot"},
		{"greylist", "rcpt", "greylist@example.com", "as a recipient: 451 4.7.1 to the first RCPT of a sender, 250 from the second on"},
	}
}

// provoked is what an address asks for.
type provoked struct {
	phase    string
	code     int
	enhanced string // "5.1.1" or empty
}

// pattern lets +detail and _words follow, so that several recipients can
// provoke the same reply.
var pattern = regexp.MustCompile(`^(?i)(mail|rcpt|data|dot)?([45][0-9]{2})(?:_([45]\.[0-9]{1,3}\.[0-9]{1,3}))?(?:[-+_].*)?$`)

// provocation reads the local part of an address. phase is the one that
// applies when the address names none.
func provocation(addr, phase string) (provoked, bool) {
	local, _, _ := strings.Cut(addr, "@")
	m := pattern.FindStringSubmatch(local)
	if m == nil {
		return provoked{}, false
	}
	if m[1] != "" {
		phase = strings.ToLower(m[1])
	}
	code, _ := strconv.Atoi(m[2])
	return provoked{phase: phase, code: code, enhanced: m[3]}, true
}

// text returns what real servers say with such a code, about addr.
func (p provoked) text(addr string) string {
	say, ok := usualText(p.enhanced)
	if !ok {
		say, ok = usualText(strconv.Itoa(p.code))
	}
	if !ok {
		say = "Requested action not taken"
	}
	return strings.ReplaceAll(say, "{addr}", addr)
}

// reply returns the whole reply line, without its line end.
func (p provoked) reply(addr string) string {
	parts := []string{strconv.Itoa(p.code)}
	if p.enhanced != "" {
		parts = append(parts, p.enhanced)
	}
	return strings.Join(append(parts, p.text(addr)), " ")
}

// usualText gives the words that Postfix, or whoever is known for the code,
// puts behind it. Enhanced codes come first, bare codes are the fall-back.
func usualText(code string) (string, bool) {
	say, ok := map[string]string{
		"421":    "Service not available, closing transmission channel",
		"450":    "Requested mail action not taken: mailbox unavailable",
		"451":    "Requested action aborted: local error in processing",
		"452":    "Requested action not taken: insufficient system storage",
		"454":    "Temporary authentication failure",
		"500":    "Syntax error, command unrecognized",
		"501":    "Syntax error in parameters or arguments",
		"502":    "Command not implemented",
		"503":    "Bad sequence of commands",
		"504":    "Command parameter not implemented",
		"521":    "Server does not accept mail",
		"530":    "Authentication required",
		"535":    "Authentication credentials invalid",
		"550":    "Requested action not taken: mailbox unavailable",
		"551":    "User not local; please try another path",
		"552":    "Requested mail action aborted: exceeded storage allocation",
		"553":    "Requested action not taken: mailbox name not allowed",
		"554":    "Transaction failed",
		"555":    "MAIL FROM/RCPT TO parameters not recognized or not implemented",
		"556":    "Domain does not accept mail",
		"4.1.8":  "<{addr}>: Sender address rejected: Domain not found",
		"4.2.0":  "<{addr}>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/example.com.html",
		"4.2.1":  "The user you are trying to contact is receiving mail at a rate that prevents additional messages from being delivered",
		"4.2.2":  "<{addr}>: Recipient address rejected: Mailbox is full",
		"4.3.0":  "Temporary lookup failure",
		"4.3.1":  "Insufficient system storage",
		"4.3.2":  "System not accepting network messages, try again later",
		"4.3.5":  "Server configuration error",
		"4.4.2":  "Error: timeout exceeded",
		"4.5.3":  "Error: too many recipients",
		"4.7.0":  "Error: too many connections from 192.0.2.10",
		"4.7.1":  "<{addr}>: Recipient address rejected: Greylisted, please try again later",
		"4.7.28": "Our system has detected an unusual rate of mail originating from your IP address. To protect our users, mail sent from your IP address has been temporarily rate limited",
		"5.1.0":  "<{addr}>: Address rejected",
		"5.1.1":  "<{addr}>: Recipient address rejected: User unknown in virtual mailbox table",
		"5.1.2":  "<{addr}>: Recipient address rejected: Domain not found",
		"5.1.3":  "Bad recipient address syntax",
		"5.1.6":  "<{addr}>: Recipient address rejected: User has moved to another address",
		"5.1.7":  "Bad sender address syntax",
		"5.1.8":  "<{addr}>: Sender address rejected: Domain not found",
		"5.1.10": "<{addr}>: Recipient address rejected: Domain example.com does not accept mail (nullMX)",
		"5.2.1":  "The email account that you tried to reach is disabled",
		"5.2.2":  "<{addr}>: Recipient address rejected: Mailbox is full, user over quota",
		"5.2.3":  "Message length exceeds the limit of the recipient's mailbox",
		"5.3.0":  "Mail system error",
		"5.3.4":  "Message size exceeds fixed limit",
		"5.4.6":  "Too many hops",
		"5.5.1":  "Error: command not implemented",
		"5.5.2":  "Error: bad syntax",
		"5.5.3":  "Error: too many recipients",
		"5.5.4":  "Unsupported option",
		"5.6.0":  "Message content rejected: malformed header or MIME",
		"5.7.0":  "Must issue a STARTTLS command first",
		"5.7.1":  "<{addr}>: Recipient address rejected: Access denied",
		"5.7.8":  "Error: authentication failed: authentication failure",
		"5.7.9":  "Application-specific password required",
		"5.7.23": "Message rejected due to: SPF fail - not authorized",
		"5.7.25": "Client host rejected: cannot find your reverse hostname, [192.0.2.10]",
		"5.7.26": "Unauthenticated email from example.com is not accepted due to domain's DMARC policy",
	}[code]
	return say, ok
}
