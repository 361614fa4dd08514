package store

import (
	"time"

	"smtp-proxy/proxy/session"
)

// What an upstream is waited for, in the order of a session. The numbers are on
// record.
const (
	verbConnect = iota
	verbGreeting
	verbEHLO
	verbSTARTTLS
	verbTLS
	verbAUTH
	verbMAIL
	verbRCPT
	verbDATA
	verbBDAT
	verbDot
	verbQUIT
	verbs
)

func verbNames() [verbs]string {
	return [...]string{"connect", "", "EHLO", "STARTTLS", "tls", "AUTH", "MAIL", "RCPT", "DATA", "BDAT", ".", "QUIT"}
}

// waited returns what an entry of the upstream's leg shows of its speed; no
// verb, or no time, when that is nothing.
func waited(e *session.Entry) (verb int, took time.Duration) {
	switch e.Kind {
	case session.KindReply:
		return verbOf(e), e.Wait
	case session.KindGreeting:
		return verbGreeting, e.Wait
	case session.KindOpen:
		if e.Dial != nil {
			return verbConnect, e.Dial.Duration
		}
	case session.KindTLS:
		if e.TLS != nil && e.Fault == nil {
			return verbTLS, e.TLS.Duration
		}
	}
	return verbs, 0
}

// verbOf says what a reply answers. Of an AUTH exchange the last one counts; a
// chunk that ends a message is as good as a dot.
func verbOf(e *session.Entry) int {
	switch e.Verb {
	case "EHLO", "HELO", "LHLO":
		return verbEHLO
	case "STARTTLS":
		return verbSTARTTLS
	case "AUTH":
		if e.Code/100 == 3 {
			return verbs
		}
		return verbAUTH
	case "MAIL":
		return verbMAIL
	case "RCPT":
		return verbRCPT
	case "DATA":
		return verbDATA
	case "BDAT":
		if e.Phase == session.PhaseDot {
			return verbDot
		}
		return verbBDAT
	case ".":
		return verbDot
	case "QUIT":
		return verbQUIT
	}
	return verbs
}
