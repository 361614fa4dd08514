package diagnose

import (
	"fmt"
	"slices"
	"strings"
)

// mailboxDomains are where people have mailboxes in great numbers; an address
// one slip beside them is a slip more often than a domain of its own.
func mailboxDomains() []string {
	return []string{
		"gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "hotmail.co.uk", "hotmail.fr", "live.com", "msn.com",
		"yahoo.com", "yahoo.co.uk", "yahoo.co.jp", "ymail.com", "aol.com", "icloud.com", "comcast.net", "verizon.net",
		"gmx.de", "gmx.net", "web.de", "t-online.de", "freenet.de", "orange.fr", "wanadoo.fr", "laposte.net", "libero.it",
		"yandex.ru", "mail.ru", "protonmail.com", "proton.me", "fastmail.com", "zoho.com", "naver.com",
	}
}

// typo returns a step that names the domain an address was probably meant to
// have; nil when the cause is another or no domain is near.
func typo(cause string, value func(string) string) []string {
	if !slices.Contains([]string{"recipient.domain-not-found", "recipient.domain-accepts-no-mail", "recipient.unknown"}, cause) {
		return nil
	}
	rcpt, at := value("rcpt"), strings.ToLower(value("rcpt_domain"))
	meant := nearDomain(at)
	if meant == "" {
		return nil
	}
	local, _, _ := strings.Cut(rcpt, "@")
	return []string{fmt.Sprintf("Look at the spelling: %s is one slip away from %s. If that was meant, send to %s@%s.", at, meant, local, meant)}
}

// nearDomain returns the domain of many mailboxes that is one slip away from
// another one. Short names are near each other by chance.
func nearDomain(domain string) string {
	if slices.Contains(mailboxDomains(), domain) {
		return ""
	}
	for _, known := range mailboxDomains() {
		if len(known) >= 8 && slips(domain, known) == 1 {
			return known
		}
	}
	return ""
}
