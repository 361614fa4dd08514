package web_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// answerTo sends a request.
func answerTo(t *testing.T, r *http.Request) (int, string) {
	t.Helper()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func pageTree(t testing.TB, page string) *html.Node {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// attributesOf lists the values of an attribute of the elements of a name.
func attributesOf(t testing.TB, page, element, name string) []string {
	var all []string
	for n := range pageTree(t, page).Descendants() {
		if n.Type != html.ElementNode || n.Data != element {
			continue
		}
		for _, a := range n.Attr {
			if a.Key == name {
				all = append(all, a.Val)
			}
		}
	}
	return all
}

// wantTidy looks for what the policy forbids, for ids that stand there twice,
// for fields without a label, and for headings that leave a level out.
func wantTidy(t testing.TB, where, page string) {
	t.Helper()
	ids, labels, fields, level := map[string]bool{}, map[string]bool{}, []string(nil), 0
	for n := range pageTree(t, page).Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		id, kind := "", ""
		for _, a := range n.Attr {
			switch {
			case a.Key == "style" || strings.HasPrefix(a.Key, "on") || strings.HasPrefix(strings.ToLower(a.Val), "javascript:") && a.Key != "value":
				t.Errorf("%s: got <%s %s=%q>, want none", where, n.Data, a.Key, a.Val)
			case a.Key == "id" && ids[a.Val]:
				t.Errorf("%s: id %s stands there twice", where, a.Val)
			case a.Key == "id":
				id, ids[a.Val] = a.Val, true
			case a.Key == "for":
				labels[a.Val] = true
			case a.Key == "type":
				kind = a.Val
			}
		}
		switch n.Data {
		case "style":
			if n.Namespace == "" {
				t.Errorf("%s: got a style element", where)
			}
		case "script":
			if n.FirstChild != nil {
				t.Errorf("%s: got a script with text: %s", where, n.FirstChild.Data)
			}
		case "input", "select", "textarea":
			if kind != "hidden" {
				fields = append(fields, id)
			}
		case "h1", "h2", "h3", "h4":
			next := int(n.Data[1] - '0')
			if next > level+1 {
				t.Errorf("%s: heading %s follows h%d", where, n.Data, level)
			}
			level = next
		}
	}
	for _, id := range fields {
		if !labels[id] {
			t.Errorf("%s: field %q has no label", where, id)
		}
	}
}
