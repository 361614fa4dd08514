package web

import (
	"net"
	"time"
	"unicode/utf8"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// mostInCell is how many characters of what a peer said stand in a row.
const mostInCell = 40

// clipped is how many characters of a cell a narrow window still shows.
const clipped = 20

// sessionRow is one session in a line.
type sessionRow struct {
	ID         string
	At         string // of the beginning, for programs; the rows are ordered by it
	Day, Clock string // Day is empty today
	Stamp      string
	App, Addr  string
	From, To   string
	More       string // recipients and messages beyond the first
	Reached    string
	Outcome    badge
	Cause      string // of the first finding
	Title      string // of it
	Others     int    // further findings
	AppLeg     tlsMark
	Through    bool // TLS was made by app and upstream: AppLeg is of both
	Upstream   tlsMark
	Took       string
	Open       bool
}

// tlsMark is the TLS of one leg in a word: never by its colour alone.
type tlsMark struct {
	Word   string // 1.3, clear, failed, –
	Closed bool   // the lock
	Tone   string
	Title  string
}

func (s *Site) rowOf(v *inspect.Session) sessionRow {
	at := v.Started.In(s.Zone)
	r := sessionRow{
		ID: v.ID, At: v.Started.UTC().Format("2006-01-02T15:04:05.000000Z"), Clock: at.Format(time.TimeOnly), Stamp: stamp(v.Started, s.Zone),
		Reached: reached(v.Phase), Outcome: badgeOf(v.Outcome), Open: v.Ended.IsZero(),
		AppLeg: appMark(v), Upstream: upstreamMark(v), Through: through(v) != nil,
	}
	if s.Now().In(s.Zone).Format(time.DateOnly) != at.Format(time.DateOnly) {
		r.Day = at.Format("Jan 2")
	}
	if !r.Open {
		r.Took = inspect.Took(v.Ended.Sub(v.Started))
	}
	r.app(v.App)
	r.mail(v)
	if n := len(v.Findings); n > 0 {
		r.Cause, r.Title, r.Others = short(v.Findings[0].Cause), short(v.Findings[0].Title), n-1
	}
	return r
}

func (r *sessionRow) app(a inspect.AppLeg) {
	host, _, err := net.SplitHostPort(a.Addr)
	if err != nil {
		host = a.Addr
	}
	r.App, r.Addr = short(a.Helo), short(host)
	if r.App == "" {
		r.App = r.Addr
	}
}

func (r *sessionRow) mail(v *inspect.Session) {
	if len(v.Messages) == 0 {
		return
	}
	m := &v.Messages[0]
	r.From = "<>"
	if m.From != "" {
		r.From = short(m.From)
	}
	others := -1
	for i := range v.Messages {
		others += len(v.Messages[i].To) + v.Messages[i].Omitted
	}
	if len(m.To) > 0 {
		r.To = short(m.To[0].Addr)
	}
	if others > 0 {
		r.More = "and " + grouped(others) + " more"
	}
	if n := len(v.Messages) + v.Omitted; n > 1 {
		r.More += " in " + grouped(n) + " messages"
	}
}

// short is the beginning of what a peer said, with its control characters
// visible.
func short(text string) string { return shortTo(text, mostInCell) }

func shortTo(text string, most int) string {
	if len(text) > (most+1)*utf8.UTFMax { // of what comes next nothing is shown
		text = text[:(most+1)*utf8.UTFMax]
	}
	text = visible(text)
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}

// reached names the furthest phase as a person would.
func reached(p session.Phase) string {
	if p == session.PhaseDot {
		return "end of data"
	}
	return shortTo(string(p), 12)
}

func appMark(v *inspect.Session) tlsMark {
	if h := through(v); h != nil {
		m := markOf("end to end", h)
		m.Title = "app and upstream made TLS with each other: " + m.Word
		return m
	}
	return markOf("app", v.App.TLS)
}

func upstreamMark(v *inspect.Session) tlsMark {
	if v.Upstream.Addr == "" && v.Upstream.TLS == nil {
		return tlsMark{Word: "–", Tone: "quiet", Title: "no address of the upstream answered"}
	}
	return markOf("upstream", v.Upstream.TLS)
}

func markOf(side string, h *session.TLS) tlsMark {
	switch {
	case h == nil:
		return tlsMark{Word: "clear", Tone: "quiet", Title: side + ": in clear"}
	case h.Version == "" || h.Error != "" && h.Verify == session.VerifyOK:
		return tlsMark{Word: "✕ failed", Tone: "bad", Title: side + ": the handshake failed"}
	}
	m := tlsMark{Word: version(h.Version), Closed: true, Tone: "good", Title: side + ": " + short(tlsBrief(h))}
	if h.Verify != session.VerifyOK {
		m.Word, m.Tone = "! "+m.Word, "warn"
	}
	return m
}

// version leaves the name of the protocol out, which all have in common.
func version(v string) string {
	if len(v) > 4 && v[:4] == "TLS " {
		v = v[4:]
	}
	return shortTo(v, 12)
}

// Hint is what stands in a cell, for when the window is too narrow for it.
func (r sessionRow) Hint(text string) string {
	if utf8.RuneCountInString(text) <= clipped {
		return ""
	}
	return text
}
