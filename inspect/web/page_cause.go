package web

import (
	"net/http"
	"strings"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/rules"
)

// causeBody is what page_cause.html shows.
type causeBody struct {
	ID          string
	Title       []bit
	What        string
	Explanation [][]bit
	Fix         [][]bit
	Who         string
	Advice      string
	Retry       string
	Example     string
	Command     string // that provokes it
	Sandbox     string // what the sandbox does, or why it cannot
	Refs        []string
	Rules       []ruleGroup
	RuleCount   string
	Seen        string // how often; empty for never
	Link        string // to the sessions with it
	Family      []causeLine
}

// ruleGroup is what is known of one peer's words.
type ruleGroup struct {
	Name  string
	Rules []ruleLine
}

// ruleLine is one rule.
type ruleLine struct {
	ID, Title string
	Codes     []string
	Texts     []string // expressions that the words of a reply are held against
}

func (s *Site) cause(w http.ResponseWriter, r *http.Request) error {
	if s.Rules == nil {
		return noRules()
	}
	c, ok := s.Rules.Cause(r.PathValue("id"))
	if !ok {
		return s.noCause(w, r, r.PathValue("id"))
	}
	body, err := s.causeBody(r, c)
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, "cause", view{Title: c.ID, Nav: "causes", Body: body})
}

func (s *Site) causeBody(r *http.Request, c rules.Cause) (*causeBody, error) {
	b := &causeBody{
		ID: c.ID, Title: bits(c.Title), What: c.What, Who: who(c.Side), Advice: c.Retry(), Retry: retryOf(c.Retry()),
		Example: c.Example, Refs: c.Refs, Link: sessionsLink(filterWord("cause", c.ID)),
	}
	for _, p := range paragraphs(c.Explanation) {
		b.Explanation = append(b.Explanation, bits(p))
	}
	for _, f := range c.Fix {
		b.Fix = append(b.Fix, bits(f))
	}
	b.Command, b.Sandbox = provocation(c)
	b.addRules(s.Rules, c.ID)
	for _, other := range s.Rules.Causes() {
		if other.Family() == c.Family() && other.ID != c.ID {
			b.Family = append(b.Family, causeLineOf(other, ""))
		}
	}
	seen, err := s.seenCauses(r)
	if n := seen[c.ID]; n > 0 {
		b.Seen = sessionsText(n)
	}
	return b, err
}

// retryOf is retry for the catalogue, which has cases that the reply decides.
func retryOf(advice string) string {
	if advice == "by code" {
		return "the reply's code decides: later after a 4xx, not again after a 5xx"
	}
	return retry(inspect.Retry{Advice: advice})
}

// provocation says how to meet a cause in the sandbox.
func provocation(c rules.Cause) (command, what string) {
	why, cannot := strings.CutPrefix(c.Sandbox, "no: ")
	switch {
	case cannot:
		return "", "The sandbox cannot show it: " + why + "."
	case c.ID == "connect.port-blocked": // it takes two ports, and a fault opens one
		return "", "Not with the sandbox alone; it takes this: " + c.Sandbox + "."
	}
	return "smtp-proxy sandbox --cause " + c.ID, "The sandbox " + c.Sandbox + ". It prints the command that relays to it, and what the app has to do."
}

func (b *causeBody) addRules(set *rules.Set, cause string) {
	n := 0
	for _, r := range set.Rules() {
		if r.Cause != cause {
			continue
		}
		n++
		name := ruleFamily(set, r.Family())
		if len(b.Rules) == 0 || b.Rules[len(b.Rules)-1].Name != name {
			b.Rules = append(b.Rules, ruleGroup{Name: name})
		}
		g := &b.Rules[len(b.Rules)-1]
		g.Rules = append(g.Rules, ruleLine{
			ID: r.ID, Title: neutral(r.Title), Codes: append(r.When.Code[:len(r.When.Code):len(r.When.Code)], r.When.Enhanced...),
			Texts: append(r.When.Text[:len(r.When.Text):len(r.When.Text)], r.When.All...),
		})
	}
	if n > 0 {
		b.RuleCount = inspect.Count(n, "rule")
	}
}

// ruleFamily names whose words a family of rules knows.
func ruleFamily(set *rules.Set, id string) string {
	if id == "generic" {
		return "any server"
	}
	if p, ok := set.ProviderByID(id); ok {
		return p.Name
	}
	return id
}
