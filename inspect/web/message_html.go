package web

import (
	"io"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// mostImages is how many octets of a message's own images go into its HTML, as
// data addresses.
const mostImages = 8 << 20

// framed prepares the HTML of a message for its frame: images of the message
// are put in, and what would be fetched from elsewhere is taken out and
// counted. It is no guard; that is the policy which the frame is served with.
type framed struct {
	images map[string]string // data addresses by Content-ID
	budget int
	out    strings.Builder
	remote int
	inside string // an element whose content is left out
}

func framedHTML(text string, images map[string]string) (string, int) {
	f := &framed{images: images, budget: 2 * mostImages}
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
	case t.Type == html.TextToken:
		f.remote += remoteStyle(raw)
		f.out.WriteString(raw)
	case t.Type == html.StartTagToken || t.Type == html.SelfClosingTagToken:
		f.element(t)
	default:
		f.out.WriteString(raw)
	}
}

// element writes a tag, unless it is one that runs or fetches.
func (f *framed) element(t html.Token) {
	switch t.DataAtom {
	case atom.Script, atom.Iframe, atom.Object:
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
		f.remote += remoteStyle(a.Val)
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
		return false
	}
	return true
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

// remoteStyle counts what a style would fetch.
func remoteStyle(css string) int {
	css = strings.ToLower(css)
	n := strings.Count(css, "@import")
	for rest := css; ; {
		_, after, ok := strings.Cut(rest, "url(")
		if !ok {
			return n
		}
		if address := strings.TrimLeft(after, ` '"`); strings.HasPrefix(address, "http") || strings.HasPrefix(address, "//") {
			n++
		}
		rest = after
	}
}
