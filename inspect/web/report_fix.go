package web

import (
	"regexp"
	"strconv"
	"strings"
)

// fixStep is one step of a fix: words, and what stands between them for a
// shell or a settings file.
type fixStep []fixPart

// fixPart is some text of a step. One with an id can be copied.
type fixPart struct {
	Text string
	Code bool
	ID   string // of the element
}

// typed finds what a person would type: a flag with its value, the address of
// a smarthost, a command line behind a colon, a semicolon or a word that calls
// for one. Commands end where the sentence goes on.
var typed = regexp.MustCompile(`--[a-z][a-z-]*[a-z](?: (?:auto|starttls|implicit|none|off|offer|require|terminate|passthrough|full|FILE|ip:port)\b)?` +
	`|\b(?:smtps?|starttls)://[^\s,;()]*[^\s,;().]` +
	`|(?:[:;,(]|\b[Rr]un|\b[Aa]sk|\bor) (?:dig|nc|ip|ping|host|getent|openssl|swaks|curl|postmap|systemctl|timedatectl|chronyc|smtp-proxy) [^\s;,()]*[^\s;,().](?: [^\s;,()]*[^\s;,().])*`)

// sentence is where a command line ends and its sentence goes on.
var sentence = regexp.MustCompile(` (?:and|or|if|in|on|to|for|where|with|shows?|lists?|tells?|says?)\b|[:.] `)

// harmless is what may be copied into a shell: a step has words of peers in
// it, and none of them may add a command.
var harmless = regexp.MustCompile(`^[A-Za-z0-9 ._:@/=+%\[\]-]+$`)

// fixStepOf takes a step apart. n and i are the numbers of the finding and of
// the step; without copies the parts have no ids.
func fixStepOf(text string, copies bool, n, i int) fixStep {
	var all fixStep
	add := func(part fixPart) {
		if part.Text != "" {
			all = append(all, part)
		}
	}
	from := 0
	for _, at := range typed.FindAllStringIndex(text, -1) {
		start, end := commandIn(text, at[0], at[1])
		add(fixPart{Text: text[from:start]})
		part := fixPart{Text: text[start:end], Code: true}
		if copies && harmless.MatchString(part.Text) {
			part.ID = "fix-" + strconv.Itoa(n) + "-" + strconv.Itoa(i) + "-" + strconv.Itoa(len(all))
		}
		add(part)
		from = end
	}
	add(fixPart{Text: text[from:]})
	return all
}

// commandIn narrows a match to what is typed.
func commandIn(text string, start, end int) (int, int) {
	match := text[start:end]
	if strings.HasPrefix(match, "--") || strings.Contains(match, "://") && !strings.Contains(match, " ") {
		return start, end
	}
	space := strings.IndexByte(match, ' ')
	start += space + 1
	if stop := sentence.FindStringIndex(text[start:end]); stop != nil {
		end = start + stop[0]
	}
	return start, end
}
