package anonymize

import (
	"encoding/base64"
	"io"
	"mime"
	"regexp"
	"strings"
)

// fieldName returns the name of the field that a line begins; empty when it
// begins none (RFC 5322, section 2.2).
func fieldName(line string) string {
	name, _, ok := strings.Cut(line, ":")
	name = strings.TrimRight(name, " \t")
	if !ok || name == "" || len(name) > 100 {
		return ""
	}
	for i := range len(name) {
		if name[i] <= ' ' || name[i] > '~' {
			return ""
		}
	}
	return name
}

// fieldOf replaces a field of a header, its folded lines included.
func (p *parser) fieldOf(field string) string {
	name := fieldName(field)
	if name == "" {
		return p.value(field)
	}
	head, value := field[:strings.IndexByte(field, ':')+1], field[strings.IndexByte(field, ':')+1:]
	switch strings.ToLower(name) {
	case "mime-version", "content-length", "lines", "precedence", "auto-submitted", "importance", "priority", "x-priority":
		return head + p.technical(value)
	case "content-transfer-encoding":
		p.part.encoding = strings.ToLower(strings.TrimSpace(value))
		return head + p.technical(value)
	case "content-type":
		p.contentType(value)
		return head + p.described(value)
	case "content-disposition":
		return head + p.described(value)
	}
	if usual.MatchString(strings.ToLower(name)) {
		return head + p.value(value)
	}
	return p.fieldHead(head) + p.value(value)
}

// fieldHead replaces the name of a field that somebody invented.
func (p *parser) fieldHead(head string) string {
	private := ""
	if len(head) > 2 && strings.EqualFold(head[:2], "X-") {
		private, head = head[:2], head[2:]
	}
	return private + scan{Anonymizer: p.a, fixed: true, strict: true}.words(head)
}

// usual are the names of fields that everybody uses.
var usual = regexp.MustCompile(`^(date|from|to|cc|bcc|reply-to|sender|return-path|delivered-to|received|subject|message-id|in-reply-to|references|comments|keywords|resent-[a-z-]+|list-[a-z-]+|content-[a-z-]+|dkim-signature|domainkey-signature|arc-[a-z-]+|authentication-results|received-spf|x-mailer|user-agent|x-original-to|envelope-to|x-spam-[a-z-]+|errors-to|disposition-notification-to|organization|thread-(topic|index)|x-originating-ip|x-sender|x-received|feedback-id|reporting-mta|final-recipient|original-recipient|action|status|diagnostic-code|remote-mta|arrival-date|x-postfix-[a-z-]+)$`)

// word2047 is an encoded word (RFC 2047, section 2).
var word2047 = regexp.MustCompile(`=\?([^?\s]+)\?([QqBb])\?([^?\s]*)\?=`)

// value replaces the words of a field. Those of a header have stand-ins of
// their own, so that who writes is told from who reads.
func (p *parser) value(text string) string {
	var b strings.Builder
	for {
		at := word2047.FindStringSubmatchIndex(text)
		if at == nil {
			return b.String() + p.named(text)
		}
		b.WriteString(p.named(text[:at[0]]) + text[at[0]:at[6]])
		b.WriteString(p.encoded(text[at[4]:at[5]], text[at[6]:at[7]]))
		b.WriteString(text[at[7]:at[1]])
		text = text[at[1]:]
	}
}

func (p *parser) named(text string) string {
	s := scan{Anonymizer: p.a, fixed: true, rest: p.headerWord}
	var b strings.Builder
	for {
		at := moment.FindStringIndex(text)
		if at == nil {
			return b.String() + p.octets(s, text)
		}
		b.WriteString(p.octets(s, text[:at[0]]) + text[at[0]:at[1]])
		text = text[at[1]:]
	}
}

// moment is a date (RFC 5322, section 3.3): when is no secret of a session.
var moment = regexp.MustCompile(`\b(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),\s+)?\d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d(?::\d\d)?(?: [+-]\d{4})?`)

// headerWord leaves the words of a Received field (RFC 5321, section 4.4).
func (p *parser) headerWord(word string) string {
	switch word {
	case "from", "by", "with", "for", "id", "via", "SMTP", "ESMTP", "ESMTPS", "ESMTPA", "ESMTPSA", "UTF8SMTP", "UTF8SMTPS", "LMTP", "HELO", "EHLO", "UTC", "GMT":
		return word
	}
	return p.a.word(word)
}

// encoded replaces what is written in an encoded word, octet for octet.
func (p *parser) encoded(how, text string) string {
	if strings.EqualFold(how, "Q") {
		return quoted(text, '=', p.named)
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return p.noise64(text)
	}
	out := p.named(string(raw))
	if len(out) != len(raw) {
		return p.noise64(text)
	}
	return base64.StdEncoding.EncodeToString([]byte(out))
}

// contentType takes what a part is, and the border that will separate those
// in it.
func (p *parser) contentType(value string) {
	kind, _, _ := strings.Cut(value, ";")
	p.part.kind = strings.ToLower(strings.TrimSpace(kind))
	m := boundary.FindStringSubmatch(value)
	if m == nil || !strings.HasPrefix(p.part.kind, "multipart/") || len(p.borders) >= mostBorders {
		return
	}
	p.borders = append(p.borders, strings.TrimRight(m[1]+m[2], " \t"))
}

// described replaces what somebody chose in a field that has parameters.
func (p *parser) described(value string) string {
	kind, _, _ := strings.Cut(value, ";")
	return p.technical(kind) + p.parameters(value[len(kind):])
}

// technical leaves a value that is one of the words which software knows. Anybody
// may have written anything in its place, or a comment behind it.
func (p *parser) technical(value string) string {
	if known.MatchString(value) {
		return value
	}
	return p.value(value)
}

// known are words without a name in them: numbers, and those of RFC 2045, 2046,
// 3834, 5545, 6522 and of the fields for how urgent a message is.
var known = regexp.MustCompile(`(?i)^\s*"?(?:\d{1,10}|\d\.\d|\d \((?:highest|high|normal|low|lowest)\)` +
	`|7bit|8bit|binary|base64|quoted-printable|x-uuencode` +
	`|bulk|list|junk|first-class|normal|high|low|urgent|non-urgent|no|yes|auto-(?:generated|replied|notified)` +
	`|attachment|inline|form-data|flowed|fixed|request|reply|publish|cancel|counter|refresh|(?:sha-?|md)\d{1,3}|pgp-(?:sha|md)\d{1,3}` +
	`|utf-?(?:7|8|16|16le|16be|32)|us-ascii|ascii|iso-8859-\d{1,2}|iso-2022-[a-z0-9-]{2,5}|windows-\d{3,4}|cp\d{3,4}|koi8-[ru]|gb2312|gbk|gb18030|big5|euc-(?:jp|kr|cn|tw)|shift_jis|macintosh` +
	`|multipart/(?:mixed|alternative|related|report|signed|encrypted|digest|parallel|form-data)|message/(?:rfc822|global|partial|delivery-status|disposition-notification|feedback-report|external-body)` +
	`|delivery-status|disposition-notification|feedback-report` +
	`|text/(?:plain|html|enriched|richtext|calendar|csv|css|markdown|xml|vcard|x-vcard|x-amp-html|rfc822-headers|watch-html|x-[a-z]{1,8})|image/(?:png|p?jpe?g|gif|webp|bmp|tiff|svg\+xml|heic|x-icon)` +
	`|audio/(?:mpeg|wav|ogg|mp4)|video/(?:mpeg|mp4|quicktime|webm)|font/woff2?` +
	`|application/(?:octet-stream|pdf|json|xml|zip|gzip|x-gzip|x-zip-compressed|x-tar|rtf|msword|vnd\.ms-[a-z-]{1,30}|vnd\.openxmlformats-[a-z.-]{1,80}|vnd\.oasis\.opendocument\.[a-z]{1,20}|ms-tnef|ics|javascript|postscript|(?:x-)?pkcs7-(?:mime|signature)|pgp-(?:encrypted|signature|keys)))"?\s*$`)

var (
	boundary    = regexp.MustCompile(`(?i);\s*boundary\s*=\s*(?:"([^"]{1,200})"|([^\s;"]{1,200}))`)
	parameterOf = regexp.MustCompile(`(?is)(;\s*)([a-z0-9*_-]+)(\s*=\s*)("(?:[^"\\]|\\.)*"|[^;\r\n]*)`)
)

// parameters replaces the values that somebody chose: of names of files all
// but what kind they are.
func (p *parser) parameters(value string) string {
	return parameterOf.ReplaceAllStringFunc(value, func(param string) string {
		m := parameterOf.FindStringSubmatch(param)
		switch name := strings.ToLower(m[2]); {
		case strings.HasPrefix(name, "name"), strings.HasPrefix(name, "filename"):
			return m[1] + m[2] + m[3] + p.fileName(m[4])
		case name == "boundary": // which may hold the name of a host
			return m[1] + m[2] + m[3] + p.a.name(m[4])
		case strings.HasPrefix(name, "charset"), name == "format", name == "delsp", name == "type", name == "protocol", name == "micalg", name == "size", name == "report-type", name == "method":
			return m[1] + m[2] + m[3] + p.technical(m[4])
		}
		return m[1] + m[2] + m[3] + p.value(m[4])
	})
}

// fileName leaves the ending of a file's name.
func (p *parser) fileName(text string) string {
	kind := ""
	if at := ending.FindStringIndex(text); at != nil {
		text, kind = text[:at[0]], text[at[0]:]
	}
	charset := ""
	if at := strings.LastIndex(text, "''"); at > 0 && strings.Count(text, "'") >= 2 { // RFC 2231, section 4
		charset, text = text[:at+2], text[at+2:]
	}
	if charset != "" || strings.Contains(text, "%") {
		return charset + quoted(text, '%', p.words) + kind
	}
	return p.value(text) + kind
}

func (p *parser) words(text string) string {
	return scan{Anonymizer: p.a, fixed: true, strict: true}.words(text)
}

var ending = regexp.MustCompile(`\.[A-Za-z0-9]{1,5}"?\s*$`)

// Learn reads the header of a message for the names in it, which the session
// and other messages may repeat. It stops at the end of the header.
func (a *Anonymizer) Learn(r io.Reader) error {
	head, err := io.ReadAll(io.LimitReader(r, maxLine))
	if err != nil {
		return err
	}
	text := string(head)
	for _, end := range []string{"\r\n\r\n", "\n\n"} {
		text, _, _ = strings.Cut(text, end)
	}
	text = strings.NewReplacer("\r\n ", " ", "\r\n\t", " ", "\n ", " ", "\n\t", " ").Replace(text)
	for line := range strings.Lines(text) {
		a.learnField(strings.ToLower(fieldName(line)), line)
	}
	return nil
}

func (a *Anonymizer) learnField(name, line string) {
	_, value, _ := strings.Cut(line, ":")
	if decoded, err := new(mime.WordDecoder).DecodeHeader(value); err == nil {
		value = decoded
	}
	switch name {
	case "from", "to", "cc", "bcc", "reply-to", "sender", "organization":
		a.learn(token.ReplaceAllString(value, ""))
		a.text(value)
	case "subject":
		a.learnPhrase(strings.TrimSpace(value))
	}
}
