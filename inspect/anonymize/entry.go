package anonymize

import (
	"reflect"
	"regexp"
	"strings"

	"smtp-proxy/proxy/session"
)

// entry replaces what stands in one line of the history.
func (a *Anonymizer) entry(e session.Entry) session.Entry {
	facts := e
	facts.Text, facts.Verb = "", ""
	out := a.each(reflect.ValueOf(facts)).Interface().(session.Entry)
	out.Verb = a.verb(e.Verb)
	switch {
	case e.Kind == session.KindCommand || e.Kind == session.KindAuth:
		out.Text = a.command(e.Text)
	case e.From == session.FromProxy:
		out.Text = a.ownText(e.Text)
	default:
		out.Text = scan{Anonymizer: a}.text(e.Text)
	}
	return out
}

// verb leaves the names of commands; an app that is out of step may have said
// anything in their place.
func (a *Anonymizer) verb(verb string) string {
	if verb == "" || verb == "." || spoken(verb) {
		return verb
	}
	return a.name(verb)
}

// spoken reports the words with which a line of SMTP begins, and of HTTP, which
// comes by mistake.
func spoken(verb string) bool {
	switch strings.ToUpper(verb) {
	case "HELO", "EHLO", "LHLO", "MAIL", "RCPT", "DATA", "BDAT", "RSET", "NOOP", "QUIT", "VRFY", "EXPN", "HELP", "AUTH", "STARTTLS",
		"ETRN", "TURN", "ATRN", "BURL", "SEND", "SOML", "SAML", "XCLIENT", "XFORWARD", "PROXY",
		"GET", "POST", "HEAD", "PUT", "OPTIONS", "CONNECT", "DELETE", "PATCH":
		return true
	}
	return false
}

// command replaces what a command names. In one that SMTP does not know each
// word may be somebody's.
func (a *Anonymizer) command(text string) string {
	verb, rest, _ := strings.Cut(text, " ")
	if rest == "" && !spoken(verb) && verb != "***" && strings.Trim(verb, "=*.") != "" {
		return scan{Anonymizer: a, strict: true}.text(text)
	}
	switch strings.ToUpper(verb) {
	case "HELO", "EHLO", "LHLO":
		return verb + " " + a.named(rest)
	case "MAIL", "RCPT":
		return verb + " " + parameterID.ReplaceAllStringFunc(a.path(rest), a.valueOf)
	case "XCLIENT", "XFORWARD":
		return verb + " " + parameterAny.ReplaceAllStringFunc(rest, a.valueOf)
	case "VRFY", "EXPN", "ETRN":
		return verb + " " + scan{Anonymizer: a, rest: a.learned}.text(rest)
	}
	if rest == "" {
		return text
	}
	if spoken(verb) {
		return verb + " " + scan{Anonymizer: a}.text(rest)
	}
	return scan{Anonymizer: a, strict: true}.text(text)
}

// parameterID is an app's own name for a message (RFC 3461, section 4.4). parameterAny are those of XCLIENT
// and XFORWARD, which name whom somebody else has spoken to.
var (
	parameterID  = regexp.MustCompile(`(?i)\sENVID=\S+`)
	parameterAny = regexp.MustCompile(`\S+=\S+`)
)

// valueOf replaces the value of a parameter, whatever it looks like.
func (a *Anonymizer) valueOf(parameter string) string {
	name, value, _ := strings.Cut(parameter, "=")
	if out := a.text(value); out != value {
		return name + "=" + out
	}
	return name + "=" + a.name(value)
}

func (a *Anonymizer) learned(word string) string {
	a.learn(word)
	return a.word(word)
}

// path replaces an address in angle brackets that lacks a domain, and all that
// says itself what it is.
func (a *Anonymizer) path(rest string) string {
	from, to := strings.IndexByte(rest, '<'), strings.LastIndexByte(rest, '>')
	if from >= 0 && to > from+1 && !strings.Contains(rest[from:to], "@") {
		return rest[:from+1] + a.local(rest[from+1:to]) + ">" + a.text(rest[to+1:])
	}
	return scan{Anonymizer: a}.text(rest)
}
