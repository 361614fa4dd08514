package rules

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"smtp-proxy/policy"

	"github.com/BurntSushi/toml"
)

// Rule is one file: conditions on a reply, and what it means when they hold.
type Rule struct {
	ID    string `toml:"-"` // the file's path without its ending: family/name
	Cause string `toml:"cause"`
	Title string `toml:"title"` // instead of the cause's own
	When  When   `toml:"when"`

	MustMatch    []Example `toml:"must_match"`
	MustNotMatch []Example `toml:"must_not_match"`

	explain       func() Explain
	any, all, not []*pattern
}

// Explain returns what the finding says. It is read when it is first wanted:
// of hundreds of rules, few ever speak.
func (r *Rule) Explain() Explain { return r.explain() }

// When lists conditions; all that are stated must hold. Within a list one
// member is enough, but for All (each) and Not (none).
//
// Text conditions are regular expressions in lower case. They are held
// against the reply's words in lower case, without codes, the lines joined
// by single blanks.
type When struct {
	Provider  []string `toml:"provider"`  // ids of providers.toml
	Phase     []string `toml:"phase"`     // connect, greeting, helo, tls, auth, mail, rcpt, data, dot
	Verb      []string `toml:"verb"`      // of the command answered, upper case; "." is the end of data
	Code      []string `toml:"code"`      // "550", or a class: "5xx"
	Enhanced  []string `toml:"enhanced"`  // "5.1.1", "x.1.1", "5.7.*"
	Text      []string `toml:"text"`      // any of these
	All       []string `toml:"all"`       // each of these
	Not       []string `toml:"not"`       // none of these
	Auth      []string `toml:"auth"`      // none, accepted, refused: AUTH in the session so far
	Mechanism []string `toml:"mechanism"` // of the AUTH exchange
	TLS       []string `toml:"tls"`       // on, off: of the leg to the upstream
	Event     []string `toml:"event"`     // reply (the default), error (words of a client or library)
	Broad     bool     `toml:"broad"`     // the words often stand beside the reason proper: a rule that names it is better
	Vague     bool     `toml:"vague"`     // the conditions name a symptom, not a reason: any rule that names one is better
}

// Family returns the directory that a rule stands in: a provider's or a
// program's id, or generic.
func (r *Rule) Family() string {
	family, _, _ := strings.Cut(r.ID, "/")
	return family
}

// Explain is what the finding says, where it differs from the cause's own
// words in the catalogue.
type Explain struct {
	What       string       `toml:"what"`
	Fix        []string     `toml:"fix"`
	Retry      policy.Class `toml:"retry"`     // instead of the cause's class
	Certainty  string       `toml:"certainty"` // certain, likely, possible; instead of what the conditions suggest
	Or         []string     `toml:"or"`        // causes that the same reply may have, most likely first
	References []string     `toml:"references"`
	Seen       time.Time    `toml:"seen"` // the day on which somebody last saw the reply, or its documentation
}

// parseRule reads one rule. id is its path without ending. Unless whole, only
// what matching needs is read, and mistakes elsewhere go unseen: explanation
// and examples are most of a file. Tests read whole files.
func parseRule(id string, text []byte, whole bool) (*Rule, error) {
	head, rest := text, []byte(nil)
	if !whole {
		head, rest = cutRule(text)
	}
	var file struct {
		Rule
		Explain Explain `toml:"explain"`
	}
	meta, err := toml.Decode(string(head), &file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", id, err)
	}
	r := &file.Rule
	r.ID, r.explain = id, func() Explain { return file.Explain }
	if rest != nil {
		r.explain = sync.OnceValue(func() Explain { return readExplain(rest) })
	}
	errs := append(unknownKeys(id, meta), r.compile()...)
	if whole {
		errs = append(errs, r.check()...)
	}
	return r, errors.Join(errs...)
}

// cutRule takes the explanation out of a file and drops the examples. A file
// in another order than usual stays whole.
func cutRule(text []byte) (head, explain []byte) {
	text, _, _ = bytes.Cut(text, []byte("\n[[must_"))
	when, at := bytes.Index(text, []byte("\n[when]")), bytes.Index(text, []byte("\n[explain]"))
	if when < 0 || at < when {
		return text, nil
	}
	return text[:at], text[at:]
}

// readExplain decodes an explanation that was cut out. Mistakes in it are
// found by the tests, which read whole files.
func readExplain(text []byte) Explain {
	var file struct {
		Explain Explain `toml:"explain"`
	}
	_, _ = toml.Decode(string(text), &file)
	return file.Explain
}

// compile makes patterns of the text conditions.
func (r *Rule) compile() (errs []error) {
	for _, list := range []struct {
		sources []string
		into    *[]*pattern
	}{{r.When.Text, &r.any}, {r.When.All, &r.all}, {r.When.Not, &r.not}} {
		for _, source := range list.sources {
			p, err := newPattern(source)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %q: %w", r.ID, source, err))
				continue
			}
			*list.into = append(*list.into, p)
		}
	}
	return errs
}

// check returns the mistakes of a rule that can be told without the others.
func (r *Rule) check() (errs []error) {
	wrong := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf(r.ID+": "+format, args...))
	}
	w, x := r.When, r.Explain()
	if len(w.Text)+len(w.All)+len(w.Enhanced)+len(w.Code) == 0 {
		wrong("no condition on text or code: it would match every reply")
	}
	for _, e := range w.Enhanced {
		if strings.Count(e, ".") != 2 {
			wrong("enhanced %q: want three parts such as 5.1.1, x.1.1 or 5.7.*", e)
		}
	}
	for _, c := range w.Code {
		if len(c) != 3 {
			wrong("code %q: want three digits, or a class such as 5xx", c)
		}
	}
	for _, tls := range w.TLS {
		if tls != "on" && tls != "off" {
			wrong("tls %q: want on or off", tls)
		}
	}
	if !slices.Contains([]string{"", "certain", "likely", "possible"}, x.Certainty) {
		wrong("certainty %q: want certain, likely or possible", x.Certainty)
	}
	if x.Retry != "" && !x.Retry.Known() {
		wrong("retry %q is no class", x.Retry)
	}
	return append(errs, checkPlaceholders(r.ID, append([]string{r.Title, x.What}, x.Fix...))...)
}
