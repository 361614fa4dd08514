package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"

	"smtp-proxy/inspect/store"
)

// view is what layout.html shows.
type view struct {
	Title  string // of the window; visible text
	Nav    string // which entry of the navigation is current
	Body   any    // what the page's own template shows
	Assets assets
	Site   *Site
	Path   string
	Narrow bool // the page is text rather than a table

	Troubles []string // what does not work just now
	Data     string   // directory of the record; empty when none is kept
	Version  string
}

// pageTemplates reads the template of each page, put into the layout.
func pageTemplates() (map[string]*template.Template, error) {
	names, err := fs.Glob(files, "templates/page_*.html")
	if err != nil {
		return nil, err
	}
	all := map[string]*template.Template{}
	for _, name := range names {
		t := template.New("layout.html").Funcs(words())
		if t, err = t.ParseFS(files, "templates/layout.html", "templates/words.html", "templates/part_*.html", name); err != nil {
			return nil, err
		}
		all[strings.TrimSuffix(strings.TrimPrefix(path.Base(name), "page_"), ".html")] = t
	}
	return all, nil
}

// show writes a page. A mistake of its template shows before anything is sent.
func (s *Site) show(w http.ResponseWriter, r *http.Request, status int, page string, v view) error {
	t := s.templates[page]
	if t == nil {
		return fmt.Errorf("there is no template page_%s.html", page)
	}
	s.frame(&v, r)
	var b bytes.Buffer
	if err := t.Execute(&b, v); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	return sendAll(w, b.Bytes())
}

// sendAll writes an answer piece by piece: its reader may take what time it
// needs, as long as it takes something.
func sendAll(w http.ResponseWriter, text []byte) error {
	out := passedTo(w)
	for piece := range slices.Chunk(text, 64<<10) {
		if _, err := out.Write(piece); err != nil {
			return err
		}
	}
	return nil
}

// answerJSON writes an object of the API.
func answerJSON(w http.ResponseWriter, status int, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	return sendAll(w, append(text, '\n'))
}

// problem is an error that the reader can do something about.
type problem struct {
	status int
	title  string // what happened
	advice string // what to do
}

func (p problem) Error() string {
	if p.advice == "" {
		return p.title
	}
	return p.title + ": " + p.advice
}

// problemOf words an error for the reader.
func problemOf(err error) problem {
	var p problem
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, store.ErrNotFound):
		return problem{http.StatusNotFound, err.Error(), "it may have been removed by age or size (--keep, --keep-size); look for it in the list of sessions"}
	case errors.Is(err, store.ErrAmbiguous):
		return problem{http.StatusConflict, err.Error(), "give more of the id"}
	}
	return problem{http.StatusInternalServerError, err.Error(), "the log of smtp-proxy may say more"}
}

// serve answers with what an endpoint has, or with its error: an object for
// the API, a page for people.
func (s *Site) serve(e endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := e.answer(w, r)
		if err == nil || r.Context().Err() != nil {
			return
		}
		p := problemOf(err)
		if p.status >= 500 {
			s.Log.Warn().Err(err).Str("path", r.URL.Path).Msg("a page could not be shown")
		}
		if strings.HasPrefix(r.URL.Path, "/api/") {
			err = answerJSON(w, p.status, map[string]string{"error": p.title, "advice": p.advice})
		} else {
			err = s.show(w, r, p.status, "problem", view{Title: p.title, Narrow: true, Body: map[string]string{"Title": p.title, "Advice": p.advice}})
		}
		if err != nil {
			s.Log.Debug().Err(err).Msg("nobody read the error")
		}
	})
}
