package diagnose

import (
	"regexp"
	"strconv"
	"strings"

	"smtp-proxy/inspect/rules"
	"smtp-proxy/proxy/wire"
)

// excerpt is a pasted text, and the reply in it.
type excerpt struct {
	whole    string
	reply    string // the reply, its codes included; the whole text when there is none
	text     string // the reply without its codes
	code     int    // 0 when the text has no reply
	enhanced string
	logged   bool   // the code is one that the log's own program gave, no reply's
	speaker  string // the host whose words these are, when the text names one
	address  string // the recipient, when the text names one
}

// What stands before a reply that a log, a bounce or an exception quotes.
var quoted = []*regexp.Regexp{
	regexp.MustCompile(`(?is)\bsaid: *(\d{3}[ -].*)`),
	regexp.MustCompile(`(?is)Diagnostic-Code: *\S+; *(\d{3}[ -].*)`),
	regexp.MustCompile(`(?is)<<< *(\d{3}[ -].*)`),
	regexp.MustCompile(`(?is)\((\d{3}), *b?['"](.*?)['"]\)?(?:\)|,|$)`),            // Python: (535, b'5.7.8 …')
	regexp.MustCompile(`(?is)SMTP code: *(\d{3})\b.*?Additional SMTP info: *(.*)`), // PHPMailer
	regexp.MustCompile(`(?is)\(code: (\d{3}), response: (.*?)\)`),                  // PEAR Mail
	regexp.MustCompile(`(?is)(?:permanent|transient) error \((\d{3})\): *(.*)`),    // lettre
	regexp.MustCompile(`(?is)(?:server response was|server (?:said|responded|replied|response)|response(?: was)?|respon(?:se|ded with))[:=]? *["']?(\d\.\d\.\d.*|\d{3}[ -].*)`), // .NET and others
	regexp.MustCompile(`(?is)(?:after|in response to|error from remote mail server)[^:]*(?::[^:]*)?: *(\d{3}[ -].*)`),                                                           // Exim
}

// anywhere finds a refusal's code at the start of a word, followed by text.
var anywhere = regexp.MustCompile(`(?s)(?:^|[\s:;("'=>\[#])((?:4[2-7]|5[0-7])\d)(?:[ -](?:\D|[245]\.\d|$)|$).*`)

// head is a reply line's code, or an enhanced code alone.
var (
	headCode     = regexp.MustCompile(`^\s*([2-5]\d{2})(?:[ -]|$)`)
	headEnhanced = regexp.MustCompile(`^\s*([245])\.\d{1,3}\.\d{1,3}\b`)
	dsnField     = regexp.MustCompile(`(?i)\bdsn=([245]\.\d{1,3}\.\d{1,3})`)
	speakerHost  = regexp.MustCompile(`(?i)\bhost ([a-z0-9-]+(?:\.[a-z0-9-]+)+)(?: ?\[[0-9a-f.:]+\])?(?::\d+)? ?(?:\([^)]*\) )?(?:said|refused)|remote mail server.*?host ([a-z0-9-]+(?:\.[a-z0-9-]+)+)|while talking to ([a-z0-9-]+(?:\.[a-z0-9-]+)+)|relay=([a-z0-9-]+(?:\.[a-z0-9-]+)+)\[`)
	mailAddress  = regexp.MustCompile(`<([^<>\s@]+@[^<>\s@]+)>|\bto=<?([^<>\s@,]+@[^<>\s@,]+)`)
)

// refusals are the codes that SMTP servers refuse with; other numbers of three
// digits in a text (ports, sizes) are none.
func refusal(code int) bool {
	switch code {
	case 421, 422, 431, 432, 435, 441, 442, 446, 447, 449, 450, 451, 452, 453, 454, 455, 458, 459, 471,
		500, 501, 502, 503, 504, 505, 510, 511, 512, 513, 515, 517, 521, 522, 523, 524, 525, 526, 530, 531, 533, 534, 535, 538,
		540, 541, 542, 543, 546, 547, 550, 551, 552, 553, 554, 555, 556, 557, 570, 571, 572, 573, 574, 575, 576, 577, 578, 579:
		return true
	}
	return false
}

// readExcerpt finds the reply in a text.
func readExcerpt(text string) excerpt {
	text = strings.TrimSpace(strings.ReplaceAll(strings.ReplaceAll(text, `\r`, ""), `\n`, "\n"))
	x := excerpt{whole: text, reply: text, text: text}
	if m := speakerHost.FindStringSubmatch(text); m != nil {
		x.speaker = m[1] + m[2] + m[3] + m[4]
	}
	if m := mailAddress.FindStringSubmatch(text); m != nil {
		x.address = m[1] + m[2]
	}
	x.take(findReply(text))
	if x.enhanced == "" {
		if m := dsnField.FindStringSubmatch(text); m != nil {
			x.enhanced = m[1]
			if x.code == 0 {
				x.code, x.logged = pseudoCode(m[1]), true
			}
		}
	}
	return x
}

// findReply returns the part of a text that is a reply, or an empty string.
func findReply(text string) string {
	if m := headCode.FindStringSubmatch(text); m != nil && plausible(m[1]) {
		return text
	}
	if headEnhanced.MatchString(text) {
		return text
	}
	for _, q := range quoted {
		if m := q.FindStringSubmatch(text); m != nil {
			return strings.TrimSpace(strings.Join(m[1:], " "))
		}
	}
	if m := anywhere.FindStringSubmatchIndex(text); m != nil && plausible(text[m[2]:m[3]]) {
		return text[m[2]:]
	}
	return ""
}

func plausible(digits string) bool {
	code, err := strconv.Atoi(digits)
	return err == nil && (code < 400 || refusal(code))
}

// take reads codes and text of a reply that was found.
func (x *excerpt) take(reply string) {
	if reply == "" {
		return
	}
	x.reply = reply
	var lines []string
	for _, line := range strings.Split(reply, "\n") {
		code, _, body, ok := wire.ReplyLine([]byte(strings.TrimSpace(line)))
		if !ok {
			lines = append(lines, line)
			continue
		}
		if x.code == 0 {
			x.code = code
		}
		lines = append(lines, string(body))
	}
	x.text = strings.Join(lines, "\n")
	if m := headEnhanced.FindString(x.text); m != "" {
		x.enhanced = strings.TrimSpace(m)
		if x.code == 0 {
			x.code = pseudoCode(x.enhanced)
		}
	}
}

// pseudoCode stands in for a code that a text leaves out: its class is that of
// the enhanced code.
func pseudoCode(enhanced string) int {
	switch enhanced[0] {
	case '5':
		return 550
	case '4':
		return 450
	}
	return 250
}

// symptoms are the readings to try, the better one first: the reply, and the
// whole text as words of an error. A text without a reply may still have a
// reply's words.
func (x *excerpt) symptoms() []rules.Symptom {
	reply := rules.FromReply(wire.Reply{Code: x.code, Enhanced: x.enhanced, Lines: strings.Split(x.text, "\n")})
	reply.Phase = x.phase()
	failure := rules.Symptom{Event: rules.EventError, Code: x.code, Enhanced: x.enhanced, Text: x.whole}
	switch {
	case x.code == 0 || x.logged:
		return []rules.Symptom{failure, reply}
	case x.code < 400:
		return []rules.Symptom{failure}
	case x.reply == x.whole:
		return []rules.Symptom{reply}
	}
	return []rules.Symptom{reply, failure}
}
