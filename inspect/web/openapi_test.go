package web

import (
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

func TestOpenAPIValid(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData([]byte(description))
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Errorf("openapi.json: got %v, want a valid document", err)
	}
	for path, item := range doc.Paths.Map() {
		for method, o := range item.Operations() {
			if o.OperationID == "" || o.Summary == "" || len(o.Tags) != 1 {
				t.Errorf("%s %s: got id %q, summary %q, tags %q, want one of each", method, path, o.OperationID, o.Summary, o.Tags)
			}
		}
	}
}

// Every address of the API is described, and nothing else is.
func TestOpenAPIComplete(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData([]byte(description))
	if err != nil {
		t.Fatal(err)
	}
	var described, served []string
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			described = append(described, method+" "+path)
		}
	}
	for _, e := range new(Site).endpoints() {
		if method, path, ok := strings.Cut(e.pattern, " "); ok && strings.HasPrefix(path, "/api/") {
			served = append(served, method+" "+path)
		}
	}
	slices.Sort(described)
	slices.Sort(served)
	if !slices.Equal(described, served) {
		t.Errorf("got described\n%s\nwant what is served\n%s", strings.Join(described, "\n"), strings.Join(served, "\n"))
	}
}
