package anonymize

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
)

// token is what says of itself that it is an address or a name: mail
// addresses, also as they stand in a URL (%40) or quoted-printable (=40),
// IPv6 addresses, and names with dots, IPv4 addresses among them.
var token = regexp.MustCompile(`(?P<local>"(?:[^"\\\n]|\\.){1,256}"|[\pL\pN\pM!#$%&'*+/=?^_{|}~.\-` + "`" + `]+)(?:@|%40|\+40|=40)(?P<domain>\[[^\]\s]{1,128}\]?|[\pL\pN_](?:[\pL\pN\pM._\-]*[\pL\pN])?)` +
	`|(?:(?i:ipv6):|\b)(?:[0-9A-Fa-f]{0,4}:){2,7}(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{1,4})?` +
	`|[\pL\pN_](?:[\pL\pN\pM_\-]*[\pL\pN])?(?:\.[\pL\pN_](?:[\pL\pN\pM_\-]*[\pL\pN])?)+`)

// scan is one way to read a text.
type scan struct {
	*Anonymizer
	own    bool                     // words of this program: a name with dots is a host only when a peer was called so
	fixed  bool                     // each stand-in is as long as what it stands for
	strict bool                     // any word may be somebody's
	rest   func(word string) string // what becomes of words of which nothing is known; nil leaves them
}

// text replaces what a peer said about somebody.
func (a *Anonymizer) text(text string) string { return scan{Anonymizer: a}.text(text) }

// ownText replaces it in the words of this program.
func (a *Anonymizer) ownText(text string) string { return scan{Anonymizer: a, own: true}.text(text) }

// text replaces what text holds, in other forms, too, where the length may
// change.
func (s scan) text(text string) string {
	if s.fixed {
		return s.plainly(text)
	}
	key := fmt.Sprint(s.own, s.strict, text)
	if out, ok := s.settled[key]; ok && s.rest == nil {
		return out
	}
	out := s.plainly(disguised.ReplaceAllStringFunc(text, s.unwrap))
	if s.settled != nil && s.rest == nil && len(s.settled) < mostSettled {
		s.settled[key] = out
	}
	return out
}

// mostSettled bounds what is remembered of texts; a session says the same
// thing often.
const mostSettled = 1000

func (s scan) plainly(text string) string {
	var b strings.Builder
	for at := 0; at < len(text); {
		var m []int
		if tokens(text[at:]) {
			m = token.FindStringSubmatchIndex(text[at:])
		}
		if m == nil {
			b.WriteString(s.words(text[at:]))
			break
		}
		from, to := at+m[0], at+m[1]
		if n := s.subjectWithin(text[at:from]); n >= 0 {
			// A subject goes before what its words look like.
			from = at + n
			to = from + s.phraseAt(text[from:from+partEnd(text[from:])], text[from:])
			b.WriteString(s.words(text[at:from]) + s.name(text[from:to]))
			at = to
			continue
		}
		b.WriteString(s.words(text[at:from]))
		if m[2] >= 0 {
			b.WriteString(s.mailbox(text[from:to], m[3]-m[0], m[4]-m[0]))
		} else {
			b.WriteString(s.dotted(text[from:to]))
		}
		at = to
	}
	return b.String()
}

// tokens reports whether there can be any: prose has none, and most of a
// message is prose.
func tokens(text string) bool {
	colons := strings.Count(text[:min(1, len(text))], ":")
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '@':
			return true
		case c == '.':
			if i+1 < len(text) && inName(text[i-1]) && inName(text[i+1]) {
				return true
			}
		case c == ':':
			colons++
		case c == '4' && i+1 < len(text) && text[i+1] == '0' && strings.IndexByte("%+=", text[i-1]) >= 0:
			return true
		}
	}
	return colons > 1
}

func inName(c byte) bool {
	return c >= 0x80 || c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// codeEnd returns the length of the code that a line of a reply begins with
// when more lines follow: 250-mail.example.com is no name.
func codeEnd(text string) int {
	if len(text) > 4 && text[0] >= '2' && text[0] <= '5' && text[3] == '-' && text[1] >= '0' && text[1] <= '9' && text[2] >= '0' && text[2] <= '9' {
		return 4
	}
	return 0
}

// subjectWithin finds where a subject begins in a text without addresses;
// negative when none does.
func (s scan) subjectWithin(text string) int {
	if len(s.phrases) == 0 {
		return -1
	}
	at := 0
	for part := range parts(text) {
		if isWord(part) && s.phraseAt(part, text[at:]) > 0 {
			return at
		}
		at += len(part)
	}
	return -1
}

// mailbox replaces an address; the local part ends at end, the domain begins
// at domain.
func (s scan) mailbox(text string, end, domain int) string {
	if n := codeEnd(text); n > 0 && n < end {
		return text[:n] + s.mailbox(text[n:], end-n, domain-n)
	}
	local, sep, host := text[:end], text[end:domain], text[domain:]
	if strings.HasPrefix(local, `"`) {
		return s.local(local) + sep + s.domainOf(host)
	}
	begin := localBegins(local)
	front := local[:begin]
	if front != "" {
		front = s.text(front)
	}
	return front + s.wrapped(local[begin:]) + sep + s.domainOf(host)
}

// wrapped takes the signs off an address's ends that only quote it.
func (s scan) wrapped(local string) string {
	inner := strings.TrimLeft(local, "'`*{|}~/.!#")
	return local[:len(local)-len(inner)] + s.local(inner)
}

// localBegins finds where a local part begins in what is written in front of
// the @: behind the name of a parameter, or the rest of a URL. A sign of
// equality elsewhere belongs to it, as in bounce-zoe=example.com@lists.example.
func localBegins(text string) int {
	begin := strings.LastIndexAny(text, "/?&|") + 1
	name, _, ok := strings.Cut(text[begin:], "=")
	if ok && parameter.MatchString(name) {
		begin += len(name) + 1
	}
	return begin
}

var parameter = regexp.MustCompile(`(?i)^(auth|from|to|cc|email|e|mail|user|username|rcpt|orcpt|envelope-from|smtp\.mailfrom|header\.from|addr|address|recipient|sender|id|r|s|u|i|uid|login|h?mailfrom|ctladdr|orig_to)$`)

func (s scan) domainOf(text string) string {
	if s.fixed && strings.HasPrefix(text, "[") {
		return s.name(text)
	}
	if strings.HasPrefix(text, "[") {
		return s.domain(text)
	}
	return s.hostOf(text)
}

// hostOf is host, for a place where the length must stay.
func (s scan) hostOf(text string) string {
	if s.fixed && quads.MatchString(text) {
		return s.name(text)
	}
	return s.host(text)
}

// quads is an address, or the beginning of a name that asks about one.
var quads = regexp.MustCompile(`^\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(\.|$)`)

// dotted replaces a host name or an address, and leaves what only looks so.
func (s scan) dotted(text string) string {
	if n := codeEnd(text); n > 0 {
		return text[:n] + s.text(text[n:])
	}
	prefix := ""
	if len(text) > 5 && strings.EqualFold(text[:5], "ipv6:") {
		prefix, text = text[:5], text[5:]
	}
	if ip, err := netip.ParseAddr(text); err == nil {
		switch to := s.ip(ip); {
		case to == ip.Unmap().WithZone(""):
			return prefix + text
		case s.fixed:
			return prefix + s.name(text)
		default:
			return prefix + to.String()
		}
	}
	low := strings.ToLower(text)
	_, _, query := cutFront(low)
	switch {
	case strings.Contains(text, ":"):
		return prefix + s.words(text)
	case s.hosts[low], !s.own && likeHost(text), query && likeHost(text):
		return s.hostOf(text)
	}
	return s.words(text)
}

// likeHost tells a host from a number of dots: its last label is a name, and
// none that files have.
func likeHost(text string) bool {
	last := text[strings.LastIndexByte(text, '.')+1:]
	if len(last) < 2 || !hasLetter(last[:1]) && last[0] < 0x80 {
		return false
	}
	switch strings.ToLower(text) {
	case "main.cf", "master.cf", "sendmail.mc", "sendmail.cf":
		return false
	}
	switch strings.ToLower(last) {
	case "html", "htm", "php", "txt", "pem", "toml", "conf", "cfg", "asp", "aspx", "jsp", "log", "eml", "csv", "pdf", "doc", "docx", "xlsx", "png", "jpg", "gif", "zip":
		return false
	}
	return !sentences.MatchString(text)
}

// sentences are two of them without a blank in between, as in rejected.Please.
var sentences = regexp.MustCompile(`^\pL\p{Ll}+\.\p{Lu}\p{Ll}*$`)

// words replaces the words that are known to be somebody's.
func (s scan) words(text string) string {
	var b strings.Builder
	for at := 0; at < len(text); {
		n := partEnd(text[at:])
		part := text[at : at+n]
		switch {
		case !isWord(part):
		case s.Anonymizer.words[fold(part)]:
			part = s.word(part)
		case s.phraseAt(part, text[at:]) > 0:
			n = s.phraseAt(part, text[at:])
			part = s.name(text[at : at+n])
		case s.strict:
			part = s.word(part)
		case s.rest != nil:
			part = s.rest(part)
		}
		b.WriteString(part)
		at += n
	}
	return b.String()
}
