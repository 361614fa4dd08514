package web

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// apiDescription is as much of openapi.json as its page shows.
type apiDescription struct {
	Info struct {
		Description string
	}
	Tags []struct {
		Name, Description string
	}
	Paths      ordered[ordered[apiOperation]]
	Components struct {
		Parameters map[string]apiParameter
		Responses  map[string]apiAnswer
		Schemas    ordered[apiSchema]
	}
}

// apiOperation is one method of one address.
type apiOperation struct {
	OperationID, Summary, Description string
	Tags                              []string
	Parameters                        []apiParameter
	RequestBody                       struct {
		Description string
		Content     ordered[apiContent]
	}
	Responses ordered[apiAnswer]
}

type apiParameter struct {
	Ref                   string `json:"$ref"`
	Name, In, Description string
	Required              bool
	Schema                apiSchema
}

type apiAnswer struct {
	Ref         string `json:"$ref"`
	Description string
	Content     ordered[apiContent]
}

type apiContent struct {
	Schema  apiSchema
	Example json.RawMessage
}

type apiSchema struct {
	Ref         string          `json:"$ref"`
	Type        json.RawMessage // a name, or a list of names
	Description string
	Format      string
	Enum        []string
	Required    []string
	Properties  ordered[apiSchema]
	Items       *apiSchema
	OneOf       []apiSchema
}

// readDescription reads the description of the API.
func readDescription() (d apiDescription, err error) {
	err = json.Unmarshal([]byte(description), &d)
	return d, err
}

// ordered is an object whose fields keep the order in which they stand.
type ordered[T any] []field[T]

type field[T any] struct {
	Name  string
	Value T
}

func (o *ordered[T]) UnmarshalJSON(text []byte) error {
	in := json.NewDecoder(bytes.NewReader(text))
	if _, err := in.Token(); err != nil {
		return err
	}
	for in.More() {
		name, err := in.Token()
		if err != nil {
			return err
		}
		f := field[T]{}
		f.Name, _ = name.(string)
		if err := in.Decode(&f.Value); err != nil {
			return err
		}
		*o = append(*o, f)
	}
	return nil
}

// refName is the last part of a reference.
func refName(ref string) string { return ref[strings.LastIndexByte(ref, '/')+1:] }

// apiKind is what a value is, in words, with the object that it leads to.
type apiKind struct{ Before, Object, After string }

// kind words a schema.
func (s *apiSchema) kind() apiKind {
	switch {
	case s.Ref != "":
		return apiKind{Object: refName(s.Ref)}
	case len(s.OneOf) > 0:
		k := s.OneOf[0].kind()
		k.After += " or null"
		return k
	case s.Items != nil:
		k := s.Items.kind()
		k.Before = "list of " + k.Before
		return k
	}
	var one string
	var several []string
	if json.Unmarshal(s.Type, &one) != nil && json.Unmarshal(s.Type, &several) == nil {
		one = strings.Join(several, " or ")
	}
	if s.Format == "date-time" {
		one = strings.Replace(one, "string", "time", 1)
	}
	return apiKind{Before: one}
}

// fields are those of an object, of a list of objects, or none.
func (s *apiSchema) fields() []apiField {
	if s.Items != nil {
		return s.Items.fields()
	}
	var list []apiField
	for i := range s.Properties {
		p := &s.Properties[i]
		list = append(list, apiField{
			Name: p.Name, Kind: p.Value.kind(), About: ticked(p.Value.Description), Values: p.Value.Enum,
			Always: slices.Contains(s.Required, p.Name), Fields: p.Value.fields(),
		})
	}
	return list
}

// apiField is one field of an object.
type apiField struct {
	Name   string
	Kind   apiKind
	About  []ticks
	Values []string
	Always bool // it is there in each
	Fields []apiField
}

// ticks is a piece of text, or what stands between backticks.
type ticks struct {
	Text string
	Code bool
}

func ticked(text string) []ticks {
	var list []ticks
	for i, piece := range strings.Split(text, "`") {
		if piece != "" {
			list = append(list, ticks{piece, i%2 == 1})
		}
	}
	return list
}
