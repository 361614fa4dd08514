package web_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/web"
)

var update = flag.Bool("update", false, "write testdata anew")

func reportOf(t *testing.T, s *inspect.Session, o web.ReportOptions) (string, *html.Node) {
	t.Helper()
	var out bytes.Buffer
	if err := web.Report(&out, s, o); err != nil {
		t.Fatal(err)
	}
	root, err := html.Parse(bytes.NewReader(out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	return out.String(), root
}

// TestReport compares what a reader gets with what is in testdata: the words
// of the page in their order, with the elements that give them their place.
func TestReport(t *testing.T) {
	for name, s := range sessions() {
		_, root := reportOf(t, s, web.ReportOptions{By: "smtp-proxy 1.0", Made: noon.Add(time.Hour)})
		got := outline(root)
		file := filepath.Join("testdata", "report_"+name+".txt")
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
	}
}

// outline is the visible part of a page as text: a line for each block.
func outline(root *html.Node) string {
	var b strings.Builder
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		switch {
		case n.Type == html.TextNode:
			b.WriteString(strings.Join(strings.Fields(" "+n.Data+" "), " ") + " ")
			return
		case n.DataAtom == atom.Style:
			return
		}
		mark := blockMark(n)
		if mark != "" {
			b.WriteString("\n" + mark)
		}
		for c := range n.ChildNodes() {
			walk(c)
		}
	}
	walk(root)
	var lines []string
	for line := range strings.SplitSeq(b.String(), "\n") {
		if line = strings.TrimRight(strings.Join(strings.Fields(line), " "), " "); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

func blockMark(n *html.Node) string {
	switch n.DataAtom {
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.Article, atom.Dt, atom.P, atom.Td, atom.Details, atom.Title, atom.Footer:
		return "<" + n.Data + "> "
	case atom.Li:
		if id := attribute(n, "id"); id != "" {
			return "<" + n.Data + " " + id + "> "
		}
		return "<" + n.Data + "> "
	case atom.Span:
		if label := attribute(n, "aria-label"); label != "" {
			return "  [" + label + "] "
		}
	}
	return ""
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}
