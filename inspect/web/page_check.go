package web

import (
	"bytes"
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"smtp-proxy/inspect"
)

// CheckPage examines a smarthost and shows each step as it is taken, without a
// script too: the answer to the form grows while the browser draws it.
func (s *Site) CheckPage() []endpoint {
	return []endpoint{{"GET /check", s.checkForm}, {"POST /check", s.checkRun}}
}

// mostForm bounds what a form sends, in octets.
const mostForm = 64 << 10

// checkBody is what page_check.html shows.
type checkBody struct {
	CheckRequest // what was asked; never with the password
	Steps        string
	Modes        []checkMode
	Known        []checkKnown
	More         bool   // the folded fields are of use
	Wrong        string // with what was asked
	Able         bool

	Running bool          // behind the form stand the steps
	Cut     template.HTML // where the steps go, and where what they mean
}

// checkMode is one way of TLS.
type checkMode struct{ Value, Text string }

// checkKnown is the smarthost of a route.
type checkKnown struct{ Target, Text, Route string }

func (s *Site) checkForm(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	asked := CheckRequest{Target: q.Get("target"), TLS: q.Get("tls"), User: q.Get("user"), From: q.Get("from"), To: q.Get("to"), Steps: listed(q.Get("steps"))}
	return s.showCheck(w, r, http.StatusOK, s.checkBody(asked))
}

func (s *Site) showCheck(w http.ResponseWriter, r *http.Request, status int, body checkBody) error {
	return s.show(w, r, status, "check", view{Title: "Check", Nav: "check", Narrow: true, Body: body})
}

func (s *Site) checkBody(asked CheckRequest) checkBody {
	asked.Password, asked.Target = "", bare(asked.Target)
	body := checkBody{
		CheckRequest: asked, Steps: strings.Join(asked.Steps, ", "), Able: s.Checker != nil, Known: s.knownSmarthosts(),
		Modes: []checkMode{
			{"", "as configured, else found out"}, {"auto", "auto: found out"}, {"starttls", "starttls: demanded"}, {"implicit", "implicit: from the start (465)"}, {"none", "none: in clear"},
		},
		More: asked.User != "" || asked.From != "" || asked.To != "" || len(asked.Steps) > 0 || asked.Insecure,
	}
	return body
}

// knownSmarthosts are those that routes lead to, each once.
func (s *Site) knownSmarthosts() (list []checkKnown) {
	if s.Setup == nil {
		return nil
	}
	for _, route := range s.Setup().Routes {
		k := checkKnown{Target: route.Upstream, Text: route.Upstream, Route: route.Name}
		if route.Sandbox {
			k.Target, k.Text = "sandbox", "the sandbox"
		}
		if k.Target != "" && !slices.ContainsFunc(list, func(o checkKnown) bool { return o.Target == k.Target }) {
			list = append(list, k)
		}
	}
	return list
}

func (s *Site) checkRun(w http.ResponseWriter, r *http.Request) error {
	if s.Checker == nil {
		return problem{http.StatusNotFound, "nothing can be checked here", "use the command line: smtp-proxy check"}
	}
	r.Body = http.MaxBytesReader(w, r.Body, mostForm)
	if err := r.ParseForm(); err != nil {
		return problem{http.StatusBadRequest, "the form cannot be read", "go back and send it again"}
	}
	f := r.PostForm
	asked := CheckRequest{
		Target: strings.TrimSpace(f.Get("target")), TLS: f.Get("tls"), Insecure: f.Get("insecure") != "", User: strings.TrimSpace(f.Get("user")),
		Password: f.Get("password"), From: f.Get("from"), To: f.Get("to"), Steps: listed(f.Get("steps")),
	}
	out := &checkStream{site: s, w: w, r: r, body: s.checkBody(asked)}
	out.body.More = out.body.More || asked.Password != ""
	result, err := CheckResult{}, error(nil)
	switch {
	case asked.Target == "":
		err = errors.New("no smarthost is named: type its host and port, such as smtp.example.com:587")
	case asked.Target != bare(asked.Target):
		err = errors.New("the smarthost must not hold a user name or password: type them into their own fields")
	default:
		result, err = s.Checker.Check(r.Context(), asked, out.step)
	}
	if err != nil {
		return out.refused(err)
	}
	return out.finish(result)
}

// listed takes a list of words apart.
func listed(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(", ;\t\r\n", r) })
}

// checkStream writes the page as the check goes on. The page is made whole, cut
// where the steps go, and sent piece by piece.
type checkStream struct {
	site *Site
	w    http.ResponseWriter
	r    *http.Request
	body checkBody
	rest []string // of the page, behind what was sent; nil before the beginning
	err  error    // nobody reads on
}

// cutHere stands in a page where it is cut. What users and peers say cannot
// have it: there it would be written as text.
const cutHere = "<!-- the steps of the check -->"

// begin sends the page up to its steps.
func (c *checkStream) begin() {
	if c.rest != nil || c.err != nil {
		return
	}
	c.body.Running, c.body.Cut = true, template.HTML(cutHere)
	whole := &heldAnswer{header: c.w.Header()}
	if c.err = c.site.showCheck(whole, c.r, http.StatusOK, c.body); c.err != nil {
		return
	}
	parts := strings.SplitN(whole.String(), cutHere, 3)
	c.w.WriteHeader(http.StatusOK)
	c.rest = parts[1:]
	c.write(parts[0])
}

// write sends text at once. A reader who takes nothing for long is given up:
// others wait for the turn.
func (c *checkStream) write(text string) {
	if c.err != nil {
		return
	}
	control := http.NewResponseController(c.w)
	if c.err = allow(control); c.err != nil {
		return
	}
	if _, c.err = c.w.Write([]byte(text)); c.err == nil {
		// A writer that cannot flush sends all at the end.
		_ = control.Flush()
	}
}

// step shows one rung. What is left out stands at the end.
func (c *checkStream) step(step CheckStep) {
	c.begin()
	if step.Status == "skip" {
		return
	}
	c.part("check_rung", rungOf(step))
}

func (c *checkStream) part(name string, data any) {
	var b bytes.Buffer
	if c.err == nil {
		c.err = c.site.templates["check"].ExecuteTemplate(&b, name, data)
	}
	c.write(b.String())
}

// finish shows what the steps mean, and ends the page.
func (c *checkStream) finish(result CheckResult) error {
	c.begin()
	c.flushRest()
	end := c.site.checkEnd(result)
	end.SignedIn = c.body.User != ""
	c.part("check_end", end)
	c.flushRest()
	return c.err
}

func (c *checkStream) flushRest() {
	if len(c.rest) > 0 {
		c.write(c.rest[0])
		c.rest = c.rest[1:]
	}
}

// refused says in the form what is wrong with it. Behind the first step there
// is only the reader who has left.
func (c *checkStream) refused(err error) error {
	if c.rest != nil {
		return err
	}
	status := http.StatusBadRequest
	if c.body.Wrong = err.Error(); errors.Is(err, ErrBusy) {
		status = http.StatusServiceUnavailable
		c.w.Header().Set("Retry-After", "20")
		c.body.Wrong = "as many checks are under way as may be at a time: try again in 20 seconds"
	}
	return c.site.showCheck(c.w, c.r, status, c.body)
}

// heldAnswer is a page that is not sent yet.
type heldAnswer struct {
	bytes.Buffer
	header http.Header
}

func (h *heldAnswer) Header() http.Header { return h.header }
func (h *heldAnswer) WriteHeader(int)     {}

// rung is one step as the page shows it: never by its colour alone.
type rung struct{ Name, Text, Took, Word, Glyph, Tone string }

func rungOf(s CheckStep) rung {
	out := rung{Name: s.Name, Text: s.Text, Word: s.Status, Glyph: "–", Tone: "quiet"}
	if s.MS > 0 {
		out.Took = inspect.Took(time.Duration(s.MS * float64(time.Millisecond)))
	}
	switch s.Status {
	case "ok":
		out.Glyph, out.Tone = "✓", "good"
	case "warn":
		out.Glyph, out.Tone = "!", "warn"
	case "fail":
		out.Glyph, out.Tone, out.Word = "✕", "bad", "fails"
	}
	return out
}

// checkEnd is what stands behind the steps.
type checkEnd struct {
	CheckResult
	Tone, Glyph string
	Skipped     []skippedSteps
	LeftOut     string
	SignedIn    bool
	Cards       []finding
}

// skippedSteps were left out for one reason.
type skippedSteps struct{ Names, Why string }

func (s *Site) checkEnd(result CheckResult) checkEnd {
	out := checkEnd{CheckResult: result, Tone: "good", Glyph: "✓", Cards: s.findings(result.Findings)}
	if result.Exit != 0 {
		out.Tone, out.Glyph = "bad", "✕"
	}
	n := 0
	for _, step := range result.Steps {
		if step.Status != "skip" {
			continue
		}
		n++
		i := slices.IndexFunc(out.Skipped, func(o skippedSteps) bool { return o.Why == step.Text })
		switch {
		case i < 0:
			out.Skipped = append(out.Skipped, skippedSteps{step.Name, step.Text})
		case !slices.Contains(strings.Split(out.Skipped[i].Names, ", "), step.Name):
			out.Skipped[i].Names += ", " + step.Name
		}
	}
	if n > 0 {
		out.LeftOut = inspect.Count(n, "step") + " left out"
	}
	return out
}
