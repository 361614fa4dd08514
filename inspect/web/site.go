package web

import (
	"html/template"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/rules"
	"smtp-proxy/inspect/store"
)

// Explainer reads pasted text: a reply, a line of a log.
type Explainer interface {
	Explain(text, upstreamHost string) []inspect.Finding
}

// Options are what a site shows and may have done. The zero value of each
// leaves its part out.
type Options struct {
	Store     *store.Store // nil: no record is kept, and the pages say so
	Rules     *rules.Set
	Explainer Explainer
	Checker   Checker
	Replayer  Replayer
	Exporter  Exporter
	Setup     func() Setup      // what to put into the app's settings
	Troubles  func() []string   // what does not work just now
	Metrics   http.Handler      // what /metrics answers
	Users     map[string][]byte // bcrypt of the password by user; empty asks for none
	Listen    string            // host:port that the site is served at
	Version   string
	Zone      *time.Location   // of the times shown; nil is the local one
	Now       func() time.Time // nil is [time.Now]
	Log       zerolog.Logger
}

// Site is the web page, the API and the health checks.
type Site struct {
	Options
	hub       *hub
	tallies   tallies
	places    places
	assets    assets
	templates map[string]*template.Template
	handler   http.Handler
}

// New makes a site. An error is a mistake in this package.
func New(o Options) (*Site, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Zone == nil {
		o.Zone = time.Local
	}
	s := &Site{Options: o, hub: newHub(o), places: newPlaces()}
	var err error
	if s.assets, err = bundle(); err != nil {
		return nil, err
	}
	if s.templates, err = pageTemplates(); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	for _, e := range s.endpoints() {
		mux.Handle(e.pattern, s.serve(e))
	}
	s.handler = s.guard(s.known(mux))
	return s, nil
}

// ServeHTTP answers one request.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// endpoint is one address of the site. The pattern is that of [http.ServeMux].
type endpoint struct {
	pattern string
	answer  func(http.ResponseWriter, *http.Request) error
}

// endpoints calls each method of Site whose name ends in Page or API. They are
// found by name so that a page is a file and no list names them all.
func (s *Site) endpoints() []endpoint {
	var all []endpoint
	methods := reflect.ValueOf(s)
	for i := range methods.NumMethod() {
		name := methods.Type().Method(i).Name
		if !strings.HasSuffix(name, "Page") && !strings.HasSuffix(name, "API") {
			continue
		}
		if list, ok := methods.Method(i).Interface().(func() []endpoint); ok {
			all = append(all, list()...)
		}
	}
	return all
}
