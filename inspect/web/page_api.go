package web

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
)

// ApiPage shows the description of the API for people.
func (s *Site) ApiPage() []endpoint {
	return []endpoint{{"GET /api", s.apiDescribed}}
}

// apiBody is what page_api.html shows.
type apiBody struct {
	About   [][]ticks
	Try     []apiTry
	Groups  []apiGroup
	Objects []apiObject
}

// apiTry is a command to begin with.
type apiTry struct{ ID, What, Command string }

type apiGroup struct {
	Name, About string
	Calls       []apiCall
}

// apiCall is one method of one address.
type apiCall struct {
	ID, Method, Path, Summary string
	About                     []ticks
	Parameters                []apiParameterRow
	Takes                     []ticks
	Bodies, Answers           []apiExample
	Errors                    []apiError
}

type apiParameterRow struct {
	Name, In string
	Kind     apiKind
	Required bool
	About    []ticks
}

// apiExample is one media type of a body or an answer.
type apiExample struct {
	Type  string
	Kind  apiKind
	About []ticks
	Text  string
}

type apiError struct{ Code, About string }

type apiObject struct {
	Name   string
	About  []ticks
	Fields []apiField
}

func (s *Site) apiDescribed(w http.ResponseWriter, r *http.Request) error {
	d, err := readDescription()
	if err != nil {
		return err
	}
	body := apiBody{Try: s.tries(), Groups: d.groups()}
	for text := range strings.SplitSeq(d.Info.Description, "\n\n") {
		body.About = append(body.About, ticked(text))
	}
	for i := range d.Components.Schemas {
		o := &d.Components.Schemas[i]
		body.Objects = append(body.Objects, apiObject{o.Name, ticked(o.Value.Description), o.Value.fields()})
	}
	return s.show(w, r, http.StatusOK, "api", view{Title: "API", Nav: "api", Body: body})
}

// tries are commands for a shell, with the address that the site has.
func (s *Site) tries() []apiTry {
	base, user := "http://"+s.Listen+"/api/v1", ""
	if s.Listen == "" {
		base = "http://127.0.0.1:8025/api/v1"
	}
	if len(s.Users) > 0 {
		user = "-u USER "
	}
	return []apiTry{
		{"try-latest", "The latest failure, whole", "curl -s " + user + base + "/sessions/latest-failed"},
		{"try-lines", "Every refusal of the last day, one a line", "curl -s " + user + "'" + base + "/sessions?format=ndjson&q=outcome:rejected+since:1d'"},
		{"try-events", "Sessions as they happen", "curl -N " + user + base + "/events"},
		{"try-explain", "What a reply means", "curl -s " + user + "-H 'Content-Type: text/plain' -d '550 5.7.1 relaying denied' " + base + "/explain"},
	}
}

// groups are the operations by their tag, in the order of the document.
func (d *apiDescription) groups() []apiGroup {
	var list []apiGroup
	for _, tag := range d.Tags {
		g := apiGroup{Name: tag.Name, About: tag.Description}
		for i := range d.Paths {
			for j := range d.Paths[i].Value {
				o := &d.Paths[i].Value[j]
				if len(o.Value.Tags) > 0 && o.Value.Tags[0] == tag.Name {
					g.Calls = append(g.Calls, d.call(d.Paths[i].Name, o.Name, &o.Value))
				}
			}
		}
		list = append(list, g)
	}
	return list
}

func (d *apiDescription) call(path, method string, o *apiOperation) apiCall {
	c := apiCall{
		ID: o.OperationID, Method: strings.ToUpper(method), Path: path, Summary: o.Summary, About: ticked(o.Description),
		Takes: ticked(o.RequestBody.Description), Bodies: examplesOf(o.RequestBody.Content),
	}
	for _, p := range o.Parameters {
		if p.Ref != "" {
			p = d.Components.Parameters[refName(p.Ref)]
		}
		c.Parameters = append(c.Parameters, apiParameterRow{p.Name, p.In, p.Schema.kind(), p.Required, ticked(p.Description)})
	}
	for _, a := range o.Responses {
		if a.Value.Ref == "" {
			c.Answers = append(c.Answers, examplesOf(a.Value.Content)...)
			continue
		}
		if a.Name != "default" {
			c.Errors = append(c.Errors, apiError{a.Name, d.Components.Responses[refName(a.Value.Ref)].Description})
		}
	}
	return c
}

func examplesOf(content ordered[apiContent]) []apiExample {
	var list []apiExample
	for i := range content {
		v := &content[i].Value
		list = append(list, apiExample{content[i].Name, v.Schema.kind(), ticked(v.Schema.Description), exampleText(v.Example)})
	}
	return list
}

// exampleText lays an example out; a text stands for itself.
func exampleText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var b bytes.Buffer
	if json.Indent(&b, raw, "", "  ") != nil {
		return ""
	}
	return b.String()
}
