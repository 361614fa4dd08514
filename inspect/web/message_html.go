package web

import (
	"io"
	"regexp"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// mostImages is how many octets of a message's own images go into its HTML, as
// data addresses: one that is shown twice counts twice.
const mostImages = 4 << 20

// framed prepares the HTML of a message for its frame: images of the message
// are put in, and what would be fetched from elsewhere is taken out and
// counted. It is no guard; that is the policy which the frame is served with.
type framed struct {
	images map[string]string // data addresses by Content-ID
	budget int
	out    strings.Builder
	remote int
	inside string // an element whose content is left out
	style  bool   // the text under way is a style sheet
}

func framedHTML(text string, images map[string]string) (string, int) {
	f := &framed{images: images, budget: mostImages}
	z := html.NewTokenizer(strings.NewReader(text))
	for z.Next() != html.ErrorToken {
		raw := string(z.Raw())
		f.token(z.Token(), raw)
	}
	if z.Err() != io.EOF {
		return "", f.remote
	}
	return f.out.String(), f.remote
}

func (f *framed) token(t html.Token, raw string) {
	switch {
	case f.inside != "":
		if t.Type == html.EndTagToken && t.Data == f.inside {
			f.inside = ""
		}
	case t.Type == html.CommentToken:
	case t.Type == html.TextToken && f.style:
		css, n := localStyle(raw)
		f.remote += n
		f.out.WriteString(css)
	case t.Type == html.StartTagToken || t.Type == html.SelfClosingTagToken:
		f.style = t.DataAtom == atom.Style
		f.element(t)
	case t.Type == html.EndTagToken:
		f.style = false
		fallthrough
	default:
		f.out.WriteString(raw)
	}
}

// element writes a tag, unless it is one that runs or fetches.
func (f *framed) element(t html.Token) {
	switch t.DataAtom {
	case atom.Script, atom.Iframe, atom.Object, atom.Noscript:
		f.inside = t.Data
		if t.Type == html.SelfClosingTagToken && t.DataAtom == atom.Object {
			f.inside = ""
		}
	case atom.Link, atom.Meta, atom.Base, atom.Embed, atom.Frame, atom.Applet:
	default:
		var kept []html.Attribute
		for _, a := range t.Attr {
			if f.attribute(t.DataAtom, &a) {
				kept = append(kept, a)
			}
		}
		t.Attr = kept
		f.out.WriteString(t.String())
		return
	}
	for _, a := range t.Attr {
		if remote(a.Val) {
			f.remote++
		}
	}
}

// attribute reports whether an attribute stays.
func (f *framed) attribute(of atom.Atom, a *html.Attribute) bool {
	switch key := strings.ToLower(a.Key); {
	case strings.HasPrefix(key, "on"):
		return false
	case key == "style":
		css, n := localStyle(a.Val)
		a.Val, f.remote = css, f.remote+n
		return true
	case key == "href" && (of == atom.A || of == atom.Area):
		return true // nothing is fetched until it is followed
	case key != "src" && key != "srcset" && key != "background" && key != "poster" && key != "data" && !strings.HasSuffix(key, "href") && key != "ping":
		return true
	}
	if id, ok := cutPrefixFold(strings.TrimSpace(a.Val), "cid:"); ok {
		a.Val = f.image(id)
		return a.Val != ""
	}
	if remote(a.Val) {
		f.remote++
	}
	inside, _ := cutPrefixFold(strings.TrimSpace(a.Val), "data:")
	return inside != strings.TrimSpace(a.Val) || strings.HasPrefix(inside, "#")
}

// image is the address of an image of the message, as long as there is room.
func (f *framed) image(id string) string {
	address := f.images[id]
	if f.budget -= len(address); f.budget < 0 {
		return ""
	}
	return address
}

func cutPrefixFold(text, prefix string) (string, bool) {
	if len(text) < len(prefix) || !strings.EqualFold(text[:len(prefix)], prefix) {
		return text, false
	}
	return text[len(prefix):], true
}

// remote reports an address outside the message.
func remote(address string) bool {
	address = strings.ToLower(strings.TrimSpace(address))
	return strings.Contains(address, "//") && !strings.HasPrefix(address, "data:")
}

// fetching finds what a style sheet would fetch.
var fetching = regexp.MustCompile(`(?i)@import|url\(\s*['"]?\s*(?:[a-z][a-z0-9+.-]*:)?//`)

// localStyle makes what a style would fetch into something that no browser
// knows, and counts it.
func localStyle(css string) (string, int) {
	n := 0
	return fetching.ReplaceAllStringFunc(css, func(found string) string {
		n++
		return "no-" + strings.Map(func(r rune) rune {
			if r == '@' {
				return -1
			}
			return r
		}, found)
	}), n
}
