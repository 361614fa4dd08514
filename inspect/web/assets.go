package web

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net/http"
	"strings"
)

// assets are the style sheet and the script, each put together from the files
// of static/ in the order of their names, style.css first.
type assets struct {
	style, script, icon []byte
	// with the hash of the content in them, so that they may be kept for ever
	StylePath, ScriptPath, IconPath string
}

func bundle() (a assets, err error) {
	if a.style, err = joined("static/style.css", "static/site*.css"); err != nil {
		return a, err
	}
	if a.script, err = joined("static/*.js"); err != nil {
		return a, err
	}
	if a.icon, err = files.ReadFile("static/icon.svg"); err != nil {
		return a, err
	}
	a.StylePath = "/static/style-" + shortHash(a.style) + ".css"
	a.ScriptPath = "/static/script-" + shortHash(a.script) + ".js"
	a.IconPath = "/static/icon-" + shortHash(a.icon) + ".svg"
	return a, nil
}

func joined(patterns ...string) ([]byte, error) {
	var all []byte
	for _, pattern := range patterns {
		names, err := fs.Glob(files, pattern)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			text, err := files.ReadFile(name)
			if err != nil {
				return nil, err
			}
			all = append(append(all, text...), '\n')
		}
	}
	return all, nil
}

func shortHash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:6])
}

// StaticPage serves the style sheet, the script and the icon.
func (s *Site) StaticPage() []endpoint {
	return []endpoint{{"GET /static/{name}", s.static}}
}

func (s *Site) static(w http.ResponseWriter, r *http.Request) error {
	content, kind := []byte(nil), ""
	switch r.URL.Path {
	case s.assets.StylePath:
		content, kind = s.assets.style, "text/css; charset=utf-8"
	case s.assets.ScriptPath:
		content, kind = s.assets.script, "text/javascript; charset=utf-8"
	case s.assets.IconPath:
		content, kind = s.assets.icon, "image/svg+xml"
	default:
		return problem{http.StatusNotFound, "there is no " + visible(strings.TrimPrefix(r.URL.Path, "/static/")), "load the page again: it is from another version"}
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, err := w.Write(content)
	return err
}
