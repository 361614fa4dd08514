package web

import (
	"encoding/hex"
	"io"
	"mime"
	"path"
	"strconv"
	"strings"

	gomessage "github.com/emersion/go-message"
	"github.com/emersion/go-message/charset"

	"smtp-proxy/inspect"
)

// part is a part of a message that holds no further ones.
type part struct {
	Number  int    // 1 for the first
	Type    string // media type in lower case
	Charset string
	Name    string // of the file, as the sender gave it
	CID     string // what the HTML of the message calls it
	File    bool   // meant to be saved rather than shown
	Size    int64  // octets, decoded
	Trouble string // what is wrong with it
}

func partOf(number int, h gomessage.Header) *part {
	kind, params, _ := h.ContentType()
	p := &part{Number: number, Type: strings.ToLower(kind), Charset: params["charset"], Name: params["name"]}
	disposition, more, _ := h.ContentDisposition()
	if name := more["filename"]; name != "" {
		p.Name = name
	}
	p.CID = strings.Trim(strings.TrimSpace(h.Get("Content-Id")), "<>")
	p.File = strings.EqualFold(disposition, "attachment") || p.Type != "text/plain" && p.Type != "text/html"
	return p
}

// About is the size of a part, or what is wrong with it.
func (p *part) About() string {
	if p.Trouble != "" {
		return inspect.Octets(p.Size) + "; " + p.Trouble
	}
	return inspect.Octets(p.Size)
}

// read reads a text as UTF-8, at most so many octets of it; octets of a charset
// that is not known stay as they are. It reports whether there is more.
func (p *part) read(in io.Reader, most int) (text string, more bool) {
	if p.Charset != "" {
		decoded, err := charset.Reader(p.Charset, in)
		if err != nil {
			p.Trouble = "its charset is not known: what is not UTF-8 is written out"
		} else {
			in = decoded
		}
	}
	all, err := io.ReadAll(io.LimitReader(in, int64(most)+1))
	if err != nil {
		p.Trouble = unread(err, int64(len(all)))
	}
	if len(all) > most {
		return string(all[:most]), true
	}
	return string(all), false
}

// raster reports a type that a browser draws and never runs.
func raster(kind string) bool {
	switch kind {
	case "image/png", "image/jpeg", "image/gif", "image/webp":
		return true
	}
	return false
}

// mostName is how many characters of a file's name are kept.
const mostName = 100

// fileName is a name under which a part may be saved: the last element of what
// the sender called it, without what a file system or a header would obey.
func (p *part) fileName() string {
	name := path.Base(strings.ReplaceAll(p.Name, `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if hides(r) || r == '\uFFFD' || strings.ContainsRune(`/\:*?"<>|%;`, r) {
			return '_'
		}
		return r
	}, name)
	if runes := []rune(name); len(runes) > mostName {
		name = string(runes[len(runes)-mostName:])
	}
	if name = strings.Trim(name, ". "); strings.Trim(name, "_") == "" {
		return "part-" + strconv.Itoa(p.Number) + ".bin"
	}
	return name
}

// disposition is the header that says how a part is to be saved, or shown.
func disposition(how, name string) string {
	if header := mime.FormatMediaType(how, map[string]string{"filename": name}); header != "" {
		return header
	}
	return how + "; filename=file-" + hex.EncodeToString([]byte(name[:min(len(name), 8)])) + ".bin"
}
