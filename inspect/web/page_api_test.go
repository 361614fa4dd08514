package web_test

import (
	"encoding/json"
	"html"
	"strings"
	"testing"
)

func TestAPIPage(t *testing.T) {
	srv := served(t, engaged(t, nil))
	code, _, page := ask(t, "GET", srv.URL+"/api", nil)
	if code != 200 {
		t.Fatalf("got %d %s", code, page)
	}
	_, _, text := ask(t, "GET", srv.URL+v1+"/openapi.json", nil)
	var doc struct {
		Paths      map[string]map[string]struct{ Summary, OperationID string }
		Components struct{ Schemas map[string]any }
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	for path, methods := range doc.Paths {
		for method, o := range methods {
			want := `<span class="api-method ` + strings.ToUpper(method) + `">` + strings.ToUpper(method) + `</span> <code>` + path + `</code>`
			if !strings.Contains(page, want) || !strings.Contains(page, `id="`+o.OperationID+`"`) || !strings.Contains(page, html.EscapeString(o.Summary)) {
				t.Errorf("%s %s is not on the page", method, path)
			}
		}
	}
	for name := range doc.Components.Schemas {
		if !strings.Contains(page, `id="object-`+name+`"`) {
			t.Errorf("the object %s is not on the page", name)
		}
	}
	for link := range strings.SplitSeq(page, `href="#`) {
		if id, _, ok := strings.Cut(link, `"`); ok && !strings.HasPrefix(link, "<!doctype") && !strings.Contains(page, `id="`+id+`"`) {
			t.Errorf("the link to %s leads nowhere", id)
		}
	}
	if strings.Contains(page, "`") || strings.Contains(page, "style=") {
		t.Error("got backticks or a style attribute on the page")
	}
}
