package web

import (
	"context"
	"slices"
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
	Strip              []stripped // the session in a line
	Mail               string     // what became of its mail
	Waits              string     // for whom a running session waits
	Open, Fresh        bool       // still running; may still change
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
		Strip: s.strip(v), Mail: mail(v), Waits: s.waits(v), Open: v.Ended.IsZero(), Tab: name, Replays: s.Replayer != nil,
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

// stripped is a fact of the strip. On a narrow screen there is room for the
// first of them only; the others stand further below, too.
type stripped struct {
	fact
	Else bool
}

// strip is what an operator asks first.
func (s *Site) strip(v *inspect.Session) []stripped {
	took := "still running"
	if !v.Ended.IsZero() {
		took = inspect.Took(v.Ended.Sub(v.Started))
	}
	all := []stripped{
		{fact: fact{Name: "Began", Text: stamp(v.Started, s.Zone)}},
		{fact: fact{Name: "Took", Text: took}},
		{fact: fact{Name: "Got as far as", Text: reached(v.Phase)}},
		{fact: fact{Name: "TLS with the app", Text: inBrief(v, v.App)}, Else: true},
		{fact: fact{Name: "TLS with the upstream", Text: upstreamBrief(v)}},
		{fact: fact{Name: "Route", Text: v.Route}, Else: true},
	}
	return slices.DeleteFunc(all, func(f stripped) bool { return f.Text == "" })
}

// waits says for whom a running session waits, and since when.
func (s *Site) waits(v *inspect.Session) string {
	last, side := turn(v.Events)
	if last == nil || !v.Ended.IsZero() {
		return ""
	}
	return "it waits for the " + side.String() + " since " + last.At.In(s.Zone).Format("15:04:05 MST")
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
