package web

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"io"
	"time"

	"smtp-proxy/inspect"
)

// files are the templates and the style, as they stand in the source.
//
//go:embed templates static
var files embed.FS

// ReportOptions say how a report is written; the zero value is of use.
type ReportOptions struct {
	Zone       *time.Location // of the times in it; nil is UTC
	Made       time.Time      // when it is written; the zero time is left out
	By         string         // the program and its version
	Anonymized bool           // the session holds stand-ins, and the reader should know
}

// Report writes one session as an HTML page that loads nothing and runs
// nothing: the style is in it, and its policy lets the browser use that style
// and no other resource. What a message said is not in it, except the subject
// and the Message-ID of its header.
func Report(w io.Writer, s *inspect.Session, o ReportOptions) error {
	style, err := files.ReadFile("static/style.css")
	if err != nil {
		return err
	}
	t, err := template.New("report.html").Funcs(words()).ParseFS(files, "templates/report.html", "templates/words.html", "templates/part_*.html")
	if err != nil {
		return err
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	page := reportOf(s, o)
	page.Style, page.Policy = template.CSS(style), policyFor(style)
	return t.Execute(w, page)
}

// policyFor lets one style sheet in, by its hash (CSP Level 3, section 2.3.1).
// It is an attribute because html/template has no rule for the text of one.
func policyFor(style []byte) template.HTMLAttr {
	sum := sha256.Sum256(style)
	hash := base64.StdEncoding.EncodeToString(sum[:])
	return template.HTMLAttr(`content="default-src 'none'; style-src 'sha256-` + hash + `'; base-uri 'none'; form-action 'none'"`)
}

// report is what the template shows: words that are ready, in their order.
type report struct {
	Style  template.CSS
	Policy template.HTMLAttr
	ReportOptions

	ID, Title  string
	Outcome    badge
	Upstream   string
	Summary    string
	Began      string
	Findings   []finding
	Facts      []group
	Legs       []leg
	Messages   []message
	Omitted    string
	Dialogue   []stretch
	Dropped    string
	MadeAt     string
	Linked     string
	NoDialogue bool
}

func reportOf(s *inspect.Session, o ReportOptions) *report {
	r := &report{
		ReportOptions: o, ID: s.ID, Outcome: badgeOf(s.Outcome), Summary: summary(s), Linked: s.Linked, Upstream: s.Upstream.Name,
		Began: stamp(s.Started, o.Zone), Findings: findingsOf(s, cards{zone: o.Zone}), Facts: factsOf(s, o.Zone),
		Legs: legsOf(s, o.Zone), Messages: messagesOf(s), Dialogue: dialogueOf(s, o.Zone, false),
	}
	r.Title = string(s.Outcome)
	if len(s.Findings) > 0 {
		r.Title += ": " + visible(s.Findings[0].Title)
	}
	if s.Omitted > 0 {
		r.Omitted = inspect.Count(s.Omitted, "message") + " more than are listed"
	}
	if s.Dropped > 0 {
		r.Dropped = inspect.Count(s.Dropped, "line") + " missing from the record: it could not keep up"
	}
	if !o.Made.IsZero() {
		r.MadeAt = stamp(o.Made, o.Zone)
	}
	r.NoDialogue = len(s.Events) == 0
	return r
}

// badge is an outcome: never by its colour alone.
type badge struct{ Word, Glyph, Tone string }

func badgeOf(o inspect.Outcome) badge {
	b := badge{Word: string(o), Glyph: "○", Tone: "quiet"}
	switch o {
	case inspect.Delivered:
		b.Glyph, b.Tone = "✓", "good"
	case inspect.Partial, inspect.Aborted:
		b.Glyph, b.Tone = "!", "warn"
	case inspect.Rejected, inspect.Failed:
		b.Glyph, b.Tone = "✕", "bad"
	case inspect.Open:
		b.Glyph, b.Tone = "…", "note"
	}
	return b
}
