package web

import (
	"net/http"
	"slices"
	"strings"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/rules"
	"smtp-proxy/policy"
)

// CausesPage is the catalogue: every cause by family, and each by itself.
func (s *Site) CausesPage() []endpoint {
	return []endpoint{{"GET /causes", s.causes}, {"GET /causes/{id}", s.cause}}
}

// causesBody is what page_causes.html shows.
type causesBody struct {
	Query    string
	Missing  string // a cause that was asked for and is none
	Near     []string
	Families []causeFamily
	Shown    string // how many there are
}

// causeFamily is the causes with one word before the dot.
type causeFamily struct {
	Name, About string
	Causes      []causeLine
}

// causeLine is one cause in the list.
type causeLine struct {
	ID    string
	Title []bit
	What  string
	Side  string
	Retry string
	Words string // what a search looks at, in lower case
	Seen  string
	Link  string // to the sessions with it
}

// aboutFamily says what a family has in common.
func aboutFamily(name string) string {
	return map[string]string{
		"connect":      "reaching the smarthost",
		"tls":          "negotiation, on either leg",
		"auth":         "who is sending",
		"sender":       "in whose name",
		"relay":        "for whom it relays",
		"rate":         "how much, how fast",
		"reputation":   "what others think of the sender",
		"recipient":    "to whom",
		"message":      "what is sent",
		"upstream":     "the smarthost itself",
		"protocol":     "the conversation",
		"app":          "the program that sends",
		"proxy":        "this proxy",
		"unclassified": "refusals that no rule knows",
	}[name]
}

func (s *Site) causes(w http.ResponseWriter, r *http.Request) error {
	if s.Rules == nil {
		return noRules()
	}
	body := causesBody{Query: strings.TrimSpace(r.URL.Query().Get("q"))}
	if err := s.listCauses(r, &body); err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, "causes", view{Title: "Causes", Nav: "causes", Body: &body})
}

// noRules is the answer where there is no catalogue.
func noRules() problem {
	return problem{http.StatusNotFound, "there is no catalogue here", "smtp-proxy causes prints it"}
}

// noCause answers for an id that is not in the catalogue, with the whole of it.
func (s *Site) noCause(w http.ResponseWriter, r *http.Request, id string) error {
	body := causesBody{Missing: id, Near: nearCauses(s.Rules, id)}
	if err := s.listCauses(r, &body); err != nil {
		return err
	}
	return s.show(w, r, http.StatusNotFound, "causes", view{Title: "No such cause", Nav: "causes", Body: &body})
}

// nearCauses are ids that may have been meant: the same name in another
// family, the nearest by its letters.
func nearCauses(set *rules.Set, id string) []string {
	var ids, near []string
	_, name, _ := strings.Cut(id, ".")
	for _, c := range set.Causes() {
		ids = append(ids, c.ID)
		if _, other, _ := strings.Cut(c.ID, "."); name != "" && other == name {
			near = append(near, c.ID)
		}
	}
	if len(id) > 100 { // what is so long was no slip of the fingers
		return near
	}
	if n := policy.Nearest(strings.ToLower(id), ids); n != "" && !slices.Contains(near, n) {
		near = append(near, n)
	}
	return near
}

func (s *Site) listCauses(r *http.Request, body *causesBody) error {
	seen, err := s.seenCauses(r)
	if err != nil {
		return err
	}
	known := s.ruleNames()
	wanted, shown := strings.Fields(strings.ToLower(body.Query)), 0
	for _, c := range s.Rules.Causes() {
		line := causeLineOf(c, known[c.ID])
		if !hasAll(line.Words, wanted) {
			continue
		}
		if n := seen[c.ID]; n > 0 {
			line.Seen, line.Link = sessionsText(n), sessionsLink(filterWord("cause", c.ID))
		}
		shown++
		body.add(c.Family(), line)
	}
	body.Shown = inspect.Count(shown, "cause")
	return nil
}

// seenCauses counts the sessions on record by cause.
func (s *Site) seenCauses(r *http.Request) (map[string]int, error) {
	seen := map[string]int{}
	if s.Store == nil {
		return seen, nil
	}
	t, err := s.Store.Totals(r.Context())
	for _, c := range t.Causes {
		seen[c.Cause] = c.N
	}
	return seen, err
}

func (b *causesBody) add(name string, line causeLine) {
	at := slices.IndexFunc(b.Families, func(f causeFamily) bool { return f.Name == name })
	if at < 0 {
		at = len(b.Families)
		b.Families = append(b.Families, causeFamily{Name: name, About: aboutFamily(name)})
	}
	b.Families[at].Causes = append(b.Families[at].Causes, line)
}

// sessionsText is a number of sessions with its digits in groups.
func sessionsText(n int) string { return grouped(n) + verbFor(n, " session", " sessions") }

func hasAll(text string, words []string) bool {
	return !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(text, word) })
}

func causeLineOf(c rules.Cause, knownTo string) causeLine {
	words := strings.Join([]string{c.ID, neutral(c.Title), c.What, c.Side, c.Retry(), c.Example, knownTo}, " ")
	return causeLine{ID: c.ID, Title: bits(c.Title), What: c.What, Side: c.Side, Retry: c.Retry(), Words: strings.ToLower(words)}
}

// ruleNames lists by cause whose replies the rules know.
func (s *Site) ruleNames() map[string]string {
	names := map[string]string{}
	last := map[string]string{} // rules are ordered by family
	for _, r := range s.Rules.Rules() {
		if last[r.Cause] != r.Family() {
			last[r.Cause] = r.Family()
			names[r.Cause] += " " + r.Family()
		}
	}
	return names
}

// bit is text of the catalogue, or the name of what a session fills in there.
type bit struct {
	Text string
	Name bool
}

// bits takes a text of the catalogue apart: "the host {host} is down".
func bits(text string) []bit {
	const mark = "\x00" // no text of the catalogue has one
	var all []bit
	for i, piece := range strings.Split(rules.Fill(text, func(name string) string { return mark + name + mark }), mark) {
		switch {
		case piece == "":
		case i%2 == 1:
			all = append(all, bit{spoken(piece), true})
		default:
			all = append(all, bit{piece, false})
		}
	}
	return all
}

// spoken names what a session fills in as a person would.
func spoken(name string) string {
	switch name {
	case "rcpt":
		return "recipient"
	case "rcpt_domain":
		return "recipient's domain"
	case "from":
		return "sender"
	case "from_domain":
		return "sender's domain"
	case "egress":
		return "your address"
	case "addr":
		return "address"
	case "not_after", "not_before", "now":
		return "date"
	}
	return strings.ReplaceAll(name, "_", " ")
}

// neutral is bits as one text.
func neutral(text string) string {
	return rules.Fill(text, func(name string) string { return "<" + name + ">" })
}
