package probe

// Script says how far a dialogue with a smarthost goes. The zero value goes
// through the greeting, EHLO and TLS, and leaves.
type Script struct {
	Name      string // for EHLO; empty means that of Options
	User      string // for AUTH, tried once; empty means none
	Password  string // never recorded
	Token     string // an OAuth access token instead of a password; never recorded
	Mechanism string // for AUTH; empty means the best that is offered
	From      string // for MAIL, without brackets; empty means that it is not sent
	To        string // for RCPT, which needs From
	Deliver   bool   // DATA with a short message; otherwise RSET behind RCPT
}
