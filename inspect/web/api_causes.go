package web

import (
	"net/http"

	"smtp-proxy/inspect/rules"
	"smtp-proxy/policy"
)

// CausesAPI is the catalogue.
func (s *Site) CausesAPI() []endpoint {
	return []endpoint{{"GET /api/v1/causes", s.apiCauses}, {"GET /api/v1/causes/{id}", s.apiCause}}
}

// causeObject is one cause. What a session fills in stands in it by its name:
// "valid until <not_after>".
type causeObject struct {
	ID          string   `json:"id"`
	Title       string   `json:"title"`
	What        string   `json:"what"`
	Side        string   `json:"side"`
	Retry       string   `json:"retry"`
	Explanation string   `json:"explanation"`
	Fix         []string `json:"fix"`
	Example     string   `json:"example"`
	Refs        []string `json:"refs"`
}

func causeObjectOf(c rules.Cause) causeObject {
	o := causeObject{
		ID: c.ID, Title: named(c.Title), What: named(c.What), Side: c.Side, Retry: c.Retry(),
		Explanation: named(c.Explanation), Fix: make([]string, len(c.Fix)), Example: c.Example, Refs: some(c.Refs),
	}
	for i, step := range c.Fix {
		o.Fix[i] = named(step)
	}
	return o
}

// named writes the names of the places that a session fills.
func named(text string) string {
	return rules.Fill(text, func(name string) string { return "<" + name + ">" })
}

func (s *Site) apiCauses(w http.ResponseWriter, r *http.Request) error {
	if err := plainly(r, typeJSON); err != nil {
		return err
	}
	all, err := s.catalogue()
	if err != nil {
		return err
	}
	list := struct {
		Causes []causeObject `json:"causes"`
	}{make([]causeObject, len(all))}
	for i, c := range all {
		list.Causes[i] = causeObjectOf(c)
	}
	return answerJSON(w, http.StatusOK, list)
}

func (s *Site) apiCause(w http.ResponseWriter, r *http.Request) error {
	if err := plainly(r, typeJSON); err != nil {
		return err
	}
	all, err := s.catalogue()
	if err != nil {
		return err
	}
	id, ids := r.PathValue("id"), []string{}
	for _, c := range all {
		if c.ID == id {
			return answerJSON(w, http.StatusOK, causeObjectOf(c))
		}
		ids = append(ids, c.ID)
	}
	advice := "/api/v1/causes lists them all"
	if near := policy.Nearest(id, ids); near != "" {
		advice = "did you mean " + near + "?"
	}
	return problem{http.StatusNotFound, "there is no cause " + visible(id), advice}
}

func (s *Site) catalogue() ([]rules.Cause, error) {
	if s.Rules == nil {
		return nil, lacking("there is no catalogue here", "use smtp-proxy causes on the command line")
	}
	return s.Rules.Causes(), nil
}
