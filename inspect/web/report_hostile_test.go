package web_test

import (
	"crypto/sha256"
	"encoding/base64"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/web"
)

// permitted are the elements of a report, each with its attributes; what is
// not here would have come from a peer.
var permitted = map[string][]string{
	"html": {"lang"}, "head": nil, "meta": {"charset", "http-equiv", "content", "name"}, "title": nil, "style": nil, "body": nil,
	"header": {"class"}, "main": nil, "footer": nil, "section": {"aria-labelledby", "class"}, "article": {"class", "id"}, "div": {"class", "aria-hidden"},
	"h1": nil, "h2": {"id"}, "h3": nil, "h4": nil, "p": {"class"}, "code": nil, "strong": nil, "b": nil, "q": nil, "br": nil,
	"span": {"class", "aria-hidden", "title", "role", "aria-label"}, "i": {"class"}, "a": {"class", "href", "rel"},
	"ul": {"class"}, "ol": {"class"}, "li": {"class", "id"}, "dl": {"class"}, "dt": nil, "dd": {"class"},
	"details": {"class"}, "summary": nil, "svg": {"viewBox", "preserveAspectRatio", "aria-hidden"}, "rect": {"class", "x", "y", "width", "height"}, "table": nil, "thead": nil, "tbody": nil, "tr": nil, "th": {"scope"}, "td": {"class"},
}

// nasty is what a peer would write into a page.
var nasty = []string{
	`<script>alert(1)</script>`, `"><img src=http://evil.test/x onerror=alert(1)>`, `'--><!--</title></style><svg/onload=alert(1)>`,
	`javascript:alert(1)`, `{{.Style}}`, `</details></main><iframe src=//evil.test>`, `url(http://evil.test/)`, "\x00\x1b[2J\u202e\ufeff\xff<b>",
}

// TestReportHostile plants markup in each text of a session. What comes out
// has no element, attribute or address that the report does not have of its
// own, and loads nothing.
func TestReportHostile(t *testing.T) {
	for _, word := range nasty {
		s := sessions()["refused"]
		plant(reflect.ValueOf(s).Elem(), word)
		text, root := reportOf(t, s, web.ReportOptions{Anonymized: true})
		checkHarmless(t, word, root)
		if strings.Contains(word, "<") && strings.Contains(text, word) {
			t.Errorf("%q stands in the report as it was", word)
		}
	}
}

// plant puts a word behind each text below a value.
func plant(v reflect.Value, word string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			plant(v.Elem(), word)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				plant(v.Field(i), word)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			plant(v.Index(i), word)
		}
	case reflect.String:
		// The kinds are the recorder's own words; all others may be a peer's.
		if v.Type().Name() != "Kind" {
			v.SetString(v.String() + word)
		}
	}
}

func checkHarmless(t *testing.T, what string, root *html.Node) {
	t.Helper()
	for n := range root.Descendants() {
		if n.Type == html.CommentNode {
			t.Errorf("%s: a comment: %q", what, n.Data)
		}
		if n.Type != html.ElementNode {
			continue
		}
		attributes, ok := permitted[n.Data]
		if !ok {
			t.Errorf("%s: got the element %s", what, n.Data)
		}
		for _, a := range n.Attr {
			if !contains(attributes, a.Key) {
				t.Errorf("%s: got <%s %s=%q>", what, n.Data, a.Key, a.Val)
			}
		}
		if n.DataAtom == atom.A {
			checkLink(t, what, n)
		}
	}
}

var anchor = regexp.MustCompile(`^#(line|finding)-\d+$`)

// checkLink lets a link lead within the page, or to a reference of a finding.
func checkLink(t *testing.T, what string, n *html.Node) {
	t.Helper()
	to := attribute(n, "href")
	if anchor.MatchString(to) {
		return
	}
	if !strings.HasPrefix(to, "https://support.example.com/") || !strings.Contains(attribute(n, "rel"), "noreferrer") {
		t.Errorf("%s: got a link to %q with rel %q", what, to, attribute(n, "rel"))
	}
}

func contains(list []string, word string) bool {
	for _, w := range list {
		if w == word {
			return true
		}
	}
	return false
}

// TestReportPolicy wants the style that is in the page to be the one that its
// policy lets in, and no address in it.
func TestReportPolicy(t *testing.T) {
	text, root := reportOf(t, sessions()["refused"], web.ReportOptions{})
	for n := range root.Descendants() {
		if n.DataAtom != atom.Style {
			continue
		}
		style := n.FirstChild.Data
		sum := sha256.Sum256([]byte(style))
		want := "style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
		if !strings.Contains(text, `content="default-src 'none'; `+want) {
			t.Errorf("the policy lacks %q", want)
		}
		if regexp.MustCompile(`url\(|@import|//`).MatchString(style) {
			t.Error("the style names an address")
		}
	}
}

// TestReportWellFormed demands that each element is closed where it was
// opened, and each anchor is there once.
func TestReportWellFormed(t *testing.T) {
	for name, s := range sessions() {
		text, root := reportOf(t, s, web.ReportOptions{})
		checkNesting(t, name, text)
		ids, links := map[string]int{}, []string{}
		for n := range root.Descendants() {
			if id := attribute(n, "id"); id != "" {
				ids[id]++
			}
			if to, ok := strings.CutPrefix(attribute(n, "href"), "#"); ok {
				links = append(links, to)
			}
		}
		for id, n := range ids {
			if n != 1 {
				t.Errorf("%s: %d elements have the id %s", name, n, id)
			}
		}
		for _, to := range links {
			if ids[to] == 0 {
				t.Errorf("%s: a link leads to #%s, which is nowhere", name, to)
			}
		}
	}
}

func checkNesting(t *testing.T, name, text string) {
	t.Helper()
	var open []string
	z := html.NewTokenizer(strings.NewReader(text))
	for {
		kind := z.Next()
		tag, _ := z.TagName()
		switch kind {
		case html.ErrorToken:
			if len(open) > 0 {
				t.Errorf("%s: these are not closed: %q", name, open)
			}
			return
		case html.StartTagToken:
			if word := string(tag); word != "meta" && word != "br" {
				open = append(open, word)
			}
		case html.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != string(tag) {
				t.Fatalf("%s: </%s> closes %q", name, tag, open)
			}
			open = open[:len(open)-1]
		}
	}
}

// TestReportFolds keeps what findings point at in view.
func TestReportFolds(t *testing.T) {
	s := long()
	_, root := reportOf(t, s, web.ReportOptions{})
	hidden, rows := 0, 0
	for n := range root.Descendants() {
		if n.DataAtom != atom.Li || !strings.HasPrefix(attribute(n, "id"), "line-") {
			continue
		}
		rows++
		if below(n, "stretch") {
			hidden++
		} else if id := attribute(n, "id"); id == "line-2500" {
			t.Errorf("%s is in view, want it folded", id)
		}
		if strings.HasPrefix(attribute(n, "class"), "proof") && below(n, "stretch") {
			t.Errorf("%s is folded, and a finding points at it", attribute(n, "id"))
		}
	}
	if rows != len(s.Events) || hidden < rows/2 {
		t.Errorf("got %d rows, %d folded; want %d and most of them folded", rows, hidden, len(s.Events))
	}
}

func below(n *html.Node, class string) bool {
	for p := range n.Ancestors() {
		if attribute(p, "class") == class {
			return true
		}
	}
	return false
}

// TestReportOfNothing shows a session of which nothing is known.
func TestReportOfNothing(t *testing.T) {
	text, _ := reportOf(t, &inspect.Session{}, web.ReportOptions{})
	for _, want := range []string{"Nothing was found wrong", "No message was begun in this session", "No handshake was begun", "is not in the record"} {
		if !strings.Contains(text, want) {
			t.Errorf("the report of nothing lacks %q", want)
		}
	}
}
