package inspect

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"smtp-proxy/policy"
)

// ParseFilter reads a filter. Its errors name what would have been right.
func ParseFilter(text string) (Filter, error) {
	var f Filter
	rest := strings.TrimSpace(text)
	for rest != "" {
		word, after, err := cutWord(rest)
		if err != nil {
			return Filter{}, err
		}
		t, err := parseTerm(word)
		if err != nil {
			return Filter{}, err
		}
		f.terms = append(f.terms, t)
		rest = strings.TrimSpace(after)
	}
	return f, nil
}

// word is a term before it is understood.
type word struct {
	key    string
	value  string
	keyed  bool
	not    bool
	quoted bool
}

// cutWord takes the first word off: [-|!][key:]value, the value quoted or not.
func cutWord(s string) (w word, rest string, err error) {
	if s[0] == '-' || s[0] == '!' {
		w.not, s = true, s[1:]
	}
	if i := strings.IndexAny(s, ": \t\n\r\""); i > 0 && s[i] == ':' {
		w.key, w.keyed, s = strings.ToLower(s[:i]), true, s[i+1:]
	}
	if strings.HasPrefix(s, `"`) {
		w.quoted = true
		w.value, rest, err = cutQuoted(s)
		return w, rest, err
	}
	end := strings.IndexAny(s, " \t\n\r")
	if end < 0 {
		end = len(s)
	}
	w.value = s[:end]
	return w, s[end:], nil
}

// cutQuoted reads "…", in which a backslash takes the next character as it is.
func cutQuoted(s string) (value, rest string, err error) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:], nil
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		b.WriteByte(s[i])
	}
	return "", "", fmt.Errorf("filter: the quotation %s has no end: put a \" behind it", s)
}

func parseTerm(w word) (Term, error) {
	if w.keyed && !slices.Contains(FilterKeys(), w.key) {
		return Term{}, fmt.Errorf("filter: unknown key %q: use one of %s, or put the word into quotes", w.key, strings.Join(FilterKeys(), ", "))
	}
	t := Term{Key: w.key, Value: strings.ToLower(w.value), Not: w.not}
	switch {
	case t.Value == "" && w.keyed:
		return Term{}, fmt.Errorf("filter: %s: has no value", w.key)
	case t.Value == "":
		return Term{}, fmt.Errorf("filter: a word is empty")
	case t.Key == "outcome":
		return t, checkOutcome(t.Value)
	case t.Key == "since" || t.Key == "before":
		return parseMoment(t, w.value)
	}
	return t, nil
}

func checkOutcome(value string) error {
	known := []string{string(Delivered), string(Partial), string(Rejected), string(Failed), string(Aborted), string(NoMail), string(Open)}
	for _, o := range known {
		if glob(value, o) {
			return nil
		}
	}
	return fmt.Errorf("filter: there is no outcome %q: use one of %s", value, strings.Join(known, ", "))
}

// parseMoment reads a length of time ago (2h, 30m, 7d), a date or a time
// (RFC 3339).
func parseMoment(t Term, value string) (Term, error) {
	if ago, err := policy.ParseSpan(value); err == nil {
		t.ago = ago
		return t, nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04", time.DateOnly} {
		if at, err := time.ParseInLocation(layout, strings.ToUpper(value), time.Local); err == nil {
			t.at = at
			return t, nil
		}
	}
	return Term{}, fmt.Errorf("filter: %s:%s is no time: write it as 2h, 30m or 7d ago, or as 2026-11-20T15:04:05Z", t.Key, value)
}

// String writes the filter so that [ParseFilter] reads it again.
func (f Filter) String() string {
	words := make([]string, len(f.terms))
	for i, t := range f.terms {
		words[i] = t.String()
	}
	return strings.Join(words, " ")
}

// String writes the word as [ParseFilter] reads it.
func (t Term) String() string {
	var b strings.Builder
	if t.Not {
		b.WriteByte('-')
	}
	if t.Key != "" {
		b.WriteString(t.Key + ":")
	}
	if plain(t.Value) {
		b.WriteString(t.Value)
		return b.String()
	}
	b.WriteByte('"')
	b.WriteString(strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(t.Value))
	b.WriteByte('"')
	return b.String()
}

// plain reports whether a value needs no quotes.
func plain(v string) bool {
	return v != "" && v[0] != '-' && v[0] != '!' && !strings.ContainsAny(v, ": \"\\") &&
		strings.IndexFunc(v, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}
