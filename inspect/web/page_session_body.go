package web

import (
	"context"
	"strconv"
	"strings"
	"time"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/store"
)

// sessionBody is what page_session.html shows: what all tabs have, and what
// the one has that is asked for.
type sessionBody struct {
	ID, Title, Address string
	Outcome            badge
	App, Upstream      string
	Linked             string
	Strip              []fact // the session in a line
	Mail               string // what became of its mail
	Open, Fresh        bool   // still running; may still change
	Findings           []finding
	Further            string // what is said of those behind the first; empty for none
	Tabs               []tab
	Tab                string
	Older, Newer       string
	Replays            bool
	Formats            []Format
	Swaks, Report      bool
	Dropped            string

	Dialogue   []stretch
	NoDialogue bool
	Facts      []group
	Letters    *letters
	Raw        *raw
	Timing     *timing
}

// tab leads to one view of a session.
type tab struct {
	Name, At, Count string
	Current         bool
}

// settling is how long a session may change after its end: probes are answered
// then, and sharpen its findings.
const settling = 15 * time.Second

func (s *Site) sessionBody(ctx context.Context, v *inspect.Session, name string) *sessionBody {
	at := sessionAddress(v.ID)
	b := &sessionBody{
		ID: v.ID, Address: at, Outcome: badgeOf(v.Outcome), App: appName(v), Upstream: v.Upstream.Name, Linked: v.Linked,
		Strip: s.strip(v), Mail: mail(v), Open: v.Ended.IsZero(), Tab: name, Replays: s.Replayer != nil,
	}
	b.Fresh = b.Open || s.Now().Sub(v.Ended) < settling
	b.Title = string(v.Outcome) + ": " + visible(b.App) + " to " + visible(b.Upstream)
	if len(v.Findings) > 0 {
		b.Title = string(v.Outcome) + ": " + visible(v.Findings[0].Title)
	}
	c := cards{zone: s.Zone, site: true}
	if name != "" {
		c.dialogue = at
	}
	b.Findings, b.Tabs = findingsOf(v, c), tabsOf(v, at, name)
	if n := len(b.Findings); n > 1 {
		b.Further = inspect.Count(n-1, "further finding") + ": " + causesOf(b.Findings[1:])
	}
	b.Older, b.Newer = s.neighbours(ctx, v.ID)
	if v.Dropped > 0 {
		b.Dropped = inspect.Count(v.Dropped, "line") + " missing from the record: it could not keep up"
	}
	b.offers(s.Exporter)
	return b
}

// Here is the address of the view at hand.
func (b *sessionBody) Here() string { return under(b.Address, b.Tab, "") }

// offers sets apart the two formats that have a button of their own.
func (b *sessionBody) offers(x Exporter) {
	if x == nil {
		return
	}
	for _, f := range x.Formats() {
		switch f.Name {
		case "swaks":
			b.Swaks = true
		case "html":
			b.Report = true
		}
		b.Formats = append(b.Formats, f)
	}
}

func tabsOf(v *inspect.Session, at, name string) []tab {
	all := []tab{
		{Name: "Dialogue", At: at, Count: strconv.Itoa(len(v.Events)), Current: name == ""},
		{Name: "Messages", At: at + "/messages", Count: strconv.Itoa(len(v.Messages) + v.Omitted), Current: name == "messages"},
		{Name: "Raw", At: at + "/raw", Current: name == "raw"},
		{Name: "Timing", At: at + "/timing", Current: name == "timing"},
	}
	return all
}

func causesOf(list []finding) string {
	var names []string
	for _, f := range list {
		names = append(names, visible(f.Cause))
	}
	return strings.Join(names, ", ")
}

func appName(v *inspect.Session) string {
	if v.App.Helo != "" {
		return v.App.Helo
	}
	return v.App.Addr
}

// strip is what an operator asks first.
func (s *Site) strip(v *inspect.Session) []fact {
	g := group{}
	g.add("Began", stamp(v.Started, s.Zone), false)
	if v.Ended.IsZero() {
		g.add("Took", "still running", false)
	} else {
		g.add("Took", inspect.Took(v.Ended.Sub(v.Started)), false)
	}
	g.add("Route", v.Route, false)
	g.add("Got as far as", string(v.Phase), false)
	g.add("App's leg", inBrief(v, v.App), false)
	if v.Upstream.TLS != nil {
		g.add("Upstream's leg", tlsBrief(v.Upstream.TLS), false)
	} else {
		g.add("Upstream's leg", "in clear", false)
	}
	return g.Facts
}

func pageBefore(id string) store.PageQuery { return store.PageQuery{Before: id, Limit: 1} }
func pageAfter(id string) store.PageQuery  { return store.PageQuery{After: id, Limit: 1} }

// next is the id of the one session of a page.
func (s *Site) next(ctx context.Context, q store.PageQuery) string {
	q.Within = 200 * time.Millisecond
	page, err := s.Store.Page(ctx, inspect.Filter{}, q)
	if err != nil || len(page.Sessions) == 0 {
		return ""
	}
	return page.Sessions[0].ID
}
