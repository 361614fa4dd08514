package diagnose

import "regexp"

// What looks like a secret in pasted text: an AUTH command's argument, a key
// or token by its maker's public prefix, a password behind its name or in a
// URL.
var secrets = []struct {
	pattern *regexp.Regexp
	shown   string
}{
	{regexp.MustCompile(`(?i)\b(AUTH[ =]+(?:PLAIN|LOGIN|CRAM-MD5|XOAUTH2|OAUTHBEARER|NTLM|SCRAM-\S+)) +[A-Za-z0-9+/=]{6,}`), "$1 ***"},
	{regexp.MustCompile(`(?i)\b((?:pass(?:word|wd|phrase)?|secret|api[_-]?key|token)["']? *[=:] *["']?)[^\s"',;)]{4,}`), "$1***"},
	{regexp.MustCompile(`(://[^\s/:@]+:)[^\s/@]+@`), "$1***@"},
	{regexp.MustCompile(`\b(?:SG\.|xkeysib-|xsmtpsib-|ya29\.|re_|key-|md-)[A-Za-z0-9_.-]{16,}`), "***"},
	{regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}(?:\.[A-Za-z0-9_-]*)?`), "***"},
	{regexp.MustCompile(`\b(?:AKIA|ASIA)[A-Z0-9]{16}\b`), "***"},
	{regexp.MustCompile(`(?:^|[\s:>])(?:[A-Za-z0-9+/]{4}){6,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)(?:$|\s)`), " *** "},
}

// Mask hides what looks like a secret in text that somebody pasted.
func Mask(text string) string {
	text = maskTranscript(text)
	for _, s := range secrets {
		text = s.pattern.ReplaceAllString(text, s.shown)
	}
	return text
}
