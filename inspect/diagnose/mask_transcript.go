package diagnose

import (
	"encoding/base64"
	"regexp"
	"strings"
)

// mechanisms are those of SASL by name: other words behind AUTH are prose.
const mechanisms = `(?:PLAIN|LOGIN|(?:CRAM|DIGEST)-MD5|X?OAUTH[A-Z0-9]*|NTLM|GSSAPI|GS2-[A-Z0-9-]+|EXTERNAL|ANONYMOUS|SCRAM-[A-Z0-9-]+)`

// Where a pasted transcript has secrets that a single line does not show as
// such: behind an AUTH command and behind each 334.
var (
	authCommand  = regexp.MustCompile(`(?i)(?:^|[\s'">~:-])AUTH[ =]+` + mechanisms + `\b`)
	authArgument = regexp.MustCompile(`(?i)((?:^|[\s'">~:-])AUTH +` + mechanisms + `) +[^\s'"\\]+`)
	anyReply     = regexp.MustCompile(`(?:^|[\s:'"<*~=-])([2345]\d\d)(?:[ -]|$)`)
	lastWord     = regexp.MustCompile(`[^\s'"\\]+((?:\\r|\\n|['"\s])*)$`)
	base64Word   = regexp.MustCompile(`[A-Za-z0-9+/]{6,}={0,2}`)
	secretFlags  = regexp.MustCompile(`(?i)((?:^|\s)(?:-ap|--?auth-pass(?:word)?|--?pass(?:word)?|--?pw)[ =]+)\S+`)
	// The end of a longer name, such as SMTP_PASSWORD or mail.smtp.pass.
	setting  = regexp.MustCompile(`(?i)([a-z0-9][_.-]?(?:pass|passwd|password|secret|token|key)["']?(?: *[=:]| +=>) *["']?)[^\s"',;)]+`)
	userFlag = regexp.MustCompile(`((?:^|\s)(?:-u|--user)[ =]*[^\s:]+:)\S+`)
)

// exchangeLines is how long an AUTH exchange may be that has no end.
const exchangeLines = 8

// maskTranscript hides what the order of its lines, the flags of a mail program
// or the name of a setting show to be a secret.
func maskTranscript(text string) string {
	lines, left := strings.Split(text, "\n"), 0
	for i, line := range lines {
		code := codeIn(line)
		switch {
		case code == "" && authCommand.MatchString(line):
			line, left = authArgument.ReplaceAllString(line, "$1 ***"), exchangeLines
		case code == "334":
			left = exchangeLines
		case code != "":
			left = 0
		case left > 0:
			line, left = lastWord.ReplaceAllString(line, "***$1"), left-1
		}
		line = secretFlags.ReplaceAllString(line, "$1***")
		line = setting.ReplaceAllString(line, "$1***")
		line = userFlag.ReplaceAllString(line, "$1***")
		lines[i] = base64Word.ReplaceAllStringFunc(line, maskEncoded)
	}
	return strings.Join(lines, "\n")
}

func codeIn(line string) string {
	if m := anyReply.FindStringSubmatch(line); m != nil {
		return m[1]
	}
	return ""
}

// maskEncoded hides base64 of text that can be read, which no word of a log is
// by chance. The prompts of AUTH LOGIN end in a colon and are no secret.
func maskEncoded(word string) string {
	if len(word) < 12 && !strings.HasSuffix(word, "=") {
		return word
	}
	text, err := base64.StdEncoding.DecodeString(word)
	if err != nil || strings.HasSuffix(string(text), ":") {
		return word
	}
	for _, b := range text {
		if b != 0 && b != 1 && (b < ' ' || b > '~') {
			return word
		}
	}
	return "***"
}
