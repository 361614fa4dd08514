package web_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/store"
)

// mailed is a site with one session that carried a message; it returns the
// address of the message.
func mailed(t testing.TB, text string) string {
	t.Helper()
	v := carried("BDAT")
	dir := filepath.Join(t.TempDir(), "data")
	guest, err := store.OpenGuest(dir, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer guest.Close()
	err = guest.Import(context.Background(), v, func(context.Context, int) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(text)), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return served2(t, opened(t, dir)) + "/sessions/" + v.ID + "/messages"
}

// crlf ends lines as SMTP does.
func crlf(text string) string { return strings.ReplaceAll(text, "\n", "\r\n") }

const rich = `From: =?utf-8?q?J=C3=BCrgen?= <j@example.com>
Subject: =?utf-8?q?<script>alert(1)</script>?=
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=out

--out
Content-Type: multipart/alternative; boundary=in

--in
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

Gr=FC=DFe <b>
--in
Content-Type: text/html

<html><head><meta http-equiv=refresh content="0;url=http://evil.test/"><link rel=stylesheet href=http://evil.test/a.css><base href=http://evil.test/>
<style>@import "http://evil.test/b.css"; p { background: url(http://evil.test/c.png) }</style></head>
<body background=http://evil.test/d.png onload=alert(1)><script>alert(1)</script><svg onload=alert(1)><image href="//evil.test/e.svg"/></svg>
<img src=http://evil.test/f.gif><img src="cid:logo"><iframe src=http://evil.test/g></iframe><form action=http://evil.test/><input name=x></form>
<a href="http://evil.test/h">follow</a></body></html>
--in--
--out
Content-Type: image/png; name=logo.png
Content-ID: <logo>
Content-Transfer-Encoding: base64

iVBORw0KGgo=
--out
Content-Type: text/html; name="evil.html"
Content-Disposition: attachment; filename="../../<b>evil.html"

<script>alert(1)</script>
--out
Content-Type: image/svg+xml
Content-Disposition: inline; filename="a.svg"

<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>
--out--
`

func TestMessageView(t *testing.T) {
	at := mailed(t, crlf(rich))
	text, root := page(t, at)
	checkPage(t, "a rich message", root)
	for _, want := range []string{"Jürgen", "Grüße &lt;b&gt;", "&lt;script&gt;alert(1)&lt;/script&gt;", "9 remote resources not loaded", "logo.png", "../../&lt;b&gt;evil.html", "image/svg&#43;xml", "=?utf-8?q?J=C3=BCrgen?="} {
		if !strings.Contains(text, want) {
			t.Errorf("the page has no %q", want)
		}
	}
}

// TestMessageFrame wants the HTML to come with a policy under which nothing
// runs, loads or leads away, and besides with nothing that would.
func TestMessageFrame(t *testing.T) {
	code, h, text := fetched(t, mailed(t, crlf(rich))+"/1/html")
	if code != 200 || h.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("got %d %v", code, h)
	}
	checkContained(t, "the HTML", h.Get("Content-Security-Policy"), h.Get("X-Frame-Options"))
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		switch n.DataAtom {
		case atom.Script, atom.Meta, atom.Link, atom.Base, atom.Iframe, atom.Object:
			t.Errorf("got <%s>", n.Data)
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || strings.Contains(a.Val, "evil.test") && n.DataAtom != atom.A && n.DataAtom != atom.Form {
				t.Errorf("got <%s %s=%q>", n.Data, a.Key, a.Val)
			}
		}
	}
	for _, gone := range []string{"@import", " url(http", "alert(1)"} {
		if strings.Contains(text, gone) {
			t.Errorf("got %q in the HTML", gone)
		}
	}
	if !strings.Contains(text, `src="data:image/png;base64,iVBORw0KGgo="`) {
		t.Errorf("the image of the message is not in it:\n%s", text)
	}
}

func checkContained(t *testing.T, what, policy, frame string) {
	t.Helper()
	for _, want := range []string{"default-src 'none'", "img-src data:;", "form-action 'none'", "base-uri 'none'", "frame-ancestors 'self'", "; sandbox"} {
		if !strings.Contains(policy, want) {
			t.Errorf("%s: the policy %q lacks %q", what, policy, want)
		}
	}
	if strings.Contains(policy, "allow-") || strings.Contains(policy, "script-src") || frame != "SAMEORIGIN" {
		t.Errorf("%s: got policy %q and X-Frame-Options %q", what, policy, frame)
	}
}

func TestMessageParts(t *testing.T) {
	at := mailed(t, crlf(rich))
	for k, want := range map[string]struct{ kind, how, body string }{
		"3": {"image/png", `inline; filename=logo.png`, "\x89PNG\r\n\x1a\n"},
		"4": {"application/octet-stream", `attachment; filename=_b_evil.html`, "<script>alert(1)</script>"},
		"5": {"application/octet-stream", `attachment; filename=a.svg`, `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`},
	} {
		code, h, body := fetched(t, at+"/1/parts/"+k)
		if code != 200 || h.Get("Content-Type") != want.kind || h.Get("Content-Disposition") != want.how || body != want.body {
			t.Errorf("part %s: got %d %q %q %q, want %+v", k, code, h.Get("Content-Type"), h.Get("Content-Disposition"), body, want)
		}
		checkContained(t, "part "+k, h.Get("Content-Security-Policy"), h.Get("X-Frame-Options"))
		if h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("part %s: it may be sniffed", k)
		}
	}
	for _, k := range []string{"0", "6", "-1", "x"} {
		if code, _, _ := fetched(t, at+"/1/parts/"+k); code != 404 {
			t.Errorf("part %s: got %d, want 404", k, code)
		}
	}
}

func TestMessageSource(t *testing.T) {
	at := mailed(t, crlf(rich))
	for query, want := range map[string]string{"": "text/plain; charset=utf-8", "?download": "message/rfc822"} {
		code, h, body := fetched(t, at+"/1/source"+query)
		if code != 200 || h.Get("Content-Type") != want || body != crlf(rich) {
			t.Errorf("source%s: got %d %q and %d octets, want the %d of the message as %s", query, code, h.Get("Content-Type"), len(body), len(crlf(rich)), want)
		}
		checkContained(t, "the source", h.Get("Content-Security-Policy"), h.Get("X-Frame-Options"))
	}
}

// TestMessageBroken wants what cannot be read to be said, and the rest shown.
func TestMessageBroken(t *testing.T) {
	for text, want := range map[string]string{
		"":                                       "is not in the record",
		"\n":                                     "Source",
		"no colon":                               "the header cannot be read further",
		"Subject: x\nbroken line\n\nbody\n":      "the header cannot be read further",
		"Content-Type: multipart/mixed\n\n--x\n": "names no boundary",
		"Content-Type: multipart/mixed; boundary=x\n\n--x\nA: b\n\ntext":                    "it ends before its last boundary",
		"Content-Type: multipart/mixed; boundary=x\n\n--x\nno header\n\ntext\n--x--\n":      "a multipart cannot be read further",
		"Content-Type: text/plain; charset=\"<script>\"\n\nna\xefve\n":                      "its charset is not known",
		"Content-Type: text/plain; charset=utf-16\n\n\xff\xfeh\x00i\x00":                    ">hi<",
		"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\naGVsbG8h*broken*\n": "it cannot be decoded behind",
		"Content-Type: text/plain\nContent-Transfer-Encoding: x-uuencode\n\nbegin 644\n":    "its transfer encoding is not known",
		"Content-Type: ;;;\n\ntext\n":                                                       "a Content-Type cannot be read",
		"Subject: =?x?q?=ff?=\n\n\x00":                                                      `\x00`,
	} {
		got, root := page(t, mailed(t, crlf(text)))
		checkPage(t, text, root)
		if !strings.Contains(got, want) {
			t.Errorf("%q: the page has no %q", text, want)
		}
	}
}

// TestMessageBounds wants a page to stay small whatever a message is.
func TestMessageBounds(t *testing.T) {
	var parts, deep bytes.Buffer
	parts.WriteString("Content-Type: multipart/mixed; boundary=b\n\n")
	for range 1000 {
		parts.WriteString("--b\nContent-Type: application/x\n\nx\n")
	}
	for i := range 100 {
		fmt.Fprintf(&deep, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i)
	}
	for text, want := range map[string]string{
		parts.String():                        "it has more than 200 parts",
		deep.String():                         "more than 20 levels deep",
		"\n" + strings.Repeat("a\x00", 3<<20): "Only the beginning is shown",
		"Content-Type: text/html\n\n" + strings.Repeat("<b>\x01", 1<<20): "only its beginning is shown",
		strings.Repeat("A: b\n", 100_000) + "\n":                         "the header is longer than",
		strings.Repeat("A: b\n", 1000) + "\n":                            "700 fields more",
		"Subject: " + strings.Repeat("x", 1<<20) + "\n\n":                "the header is longer than",
	} {
		got, root := page(t, mailed(t, crlf(text)))
		checkPage(t, "a message of "+inspect.Octets(int64(len(text))), root)
		if !strings.Contains(got, want) || len(got) > 8<<20 {
			t.Errorf("%.40q of %d octets: the page has %d octets, and %q in it: %v", text, len(text), len(got), want, strings.Contains(got, want))
		}
	}
}
