package web

import (
	"bytes"
	"html/template"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// FuzzMessage shows any octets as a message. The page stays within bounds, has
// no element or address but its own, and loses nothing of a short source.
func FuzzMessage(f *testing.F) {
	f.Add([]byte("Subject: =?utf-8?q?<b>?=\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/html\r\n\r\n<img src=http://a.test/>\r\n--x--\r\n"))
	f.Add([]byte("Content-Type: text/plain; charset=utf-16\r\nContent-Transfer-Encoding: base64\r\n\r\n//5hAGI=\r\n"))
	f.Add([]byte("Content-Type: image/png; name=\"a\\\"<b>.png\"\r\nContent-ID: <\x00>\r\n\r\n\xff"))
	f.Add([]byte("no header\n\x1b[2J"))
	pages, err := pageTemplates()
	if err != nil {
		f.Fatal(err)
	}
	page := pages["session"]
	f.Fuzz(func(t *testing.T, octets []byte) {
		l := letter{There: true, Address: "/sessions/x/messages/1"}
		left := mostPage
		if err := l.take(bytes.NewReader(octets), &left); err != nil {
			t.Fatal(err)
		}
		text := shownLetter(t, page, l)
		if most := 200_000 + 40*len(octets); len(text) > most {
			t.Errorf("%d octets make %d, want %d at most", len(octets), len(text), most)
		}
		checkLetter(t, text)
		if len(l.Texts)+len(l.Pages)+len(l.Files) > mostParts {
			t.Errorf("got %d parts", len(l.Files))
		}
	})
}

func shownLetter(t *testing.T, page *template.Template, l letter) string {
	t.Helper()
	var b bytes.Buffer
	if err := page.ExecuteTemplate(&b, "letter", l); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func checkLetter(t *testing.T, text string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		switch n.DataAtom {
		case atom.Script, atom.Style, atom.Img, atom.Object, atom.Link, atom.Meta, atom.Form, atom.Base, atom.Svg:
			t.Errorf("got <%s>", n.Data)
		}
		for _, a := range n.Attr {
			own := strings.HasPrefix(a.Val, "/sessions/x/messages/1") && !strings.ContainsAny(a.Val, "<>\" ")
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" || (a.Key == "href" || a.Key == "src") && !own {
				t.Errorf("got <%s %s=%q>", n.Data, a.Key, a.Val)
			}
		}
	}
}

// FuzzFrame wants nothing that a browser fetches by itself to be left in the
// HTML of a message, as far as a parser of HTML sees it, and the rest to stay
// within bounds.
func FuzzFrame(f *testing.F) {
	f.Add("<img src=http://a.test/><IMG SRC='cid:x'><script>1</script><style>@import 'a'</style>")
	f.Add("<svg><style><img src=//a></style></svg><textarea><script></textarea>")
	f.Add("<object/><iframe><p>x</iframe><!-- x --><a href=//a ping=//b onclick=x>")
	f.Fuzz(func(t *testing.T, text string) {
		out, n := framedHTML(text, map[string]string{"x": "data:image/png;base64,AAAA"})
		if n < 0 || len(out) > 40*len(text)+100 {
			t.Errorf("%d octets make %d", len(text), len(out))
		}
		z := html.NewTokenizer(strings.NewReader(out))
		for z.Next() != html.ErrorToken {
			checkFramed(t, z.Token())
		}
	})
}

func checkFramed(t *testing.T, token html.Token) {
	t.Helper()
	if token.Type != html.StartTagToken && token.Type != html.SelfClosingTagToken {
		return
	}
	switch token.DataAtom {
	case atom.Script, atom.Link, atom.Meta, atom.Base, atom.Iframe:
		t.Errorf("got %s", token)
	}
	for _, a := range token.Attr {
		if strings.HasPrefix(strings.ToLower(a.Key), "on") || a.Key == "src" && remote(a.Val) {
			t.Errorf("got %s", token)
		}
	}
}

func TestFileName(t *testing.T) {
	for name, want := range map[string]string{
		"a.pdf": "a.pdf", "../../etc/passwd": "passwd", `C:\temp\x.doc`: "x.doc", "a\r\nSet-Cookie: x": "a__Set-Cookie_ x", "": "part-7.bin", "..": "part-7.bin", "/": "part-7.bin",
		".bashrc": "bashrc", "\u202egpj.exe": "_gpj.exe", "rechnung ü.pdf": "rechnung ü.pdf", `x";y="z`: "x__y=_z", "\x00\xff": "part-7.bin", strings.Repeat("a", 300) + ".txt": strings.Repeat("a", 96) + ".txt",
	} {
		p := part{Number: 7, Name: name}
		if got := p.fileName(); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
		if header := disposition("attachment", p.fileName()); strings.ContainsAny(header, "\r\n\x00") || !strings.HasPrefix(header, "attachment; filename") {
			t.Errorf("%q: got the header %q", name, header)
		}
	}
}
