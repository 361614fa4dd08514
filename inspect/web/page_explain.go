package web

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"smtp-proxy/inspect"
	"smtp-proxy/inspect/diagnose"
)

// ExplainPage reads pasted replies and lines of logs. What is pasted may hold
// a password: it comes in the body of a request, is shown back masked, and is
// kept nowhere.
func (s *Site) ExplainPage() []endpoint {
	return []endpoint{{"GET /explain", s.explainForm}, {"POST /explain", s.explain}}
}

// What may be pasted at once. Each line is held against all rules.
const (
	mostPasted = 64 << 10 // octets
	mostLines  = 200
	mostHost   = 255 // octets of a host name (RFC 1035, section 2.3.4)
)

// explainBody is what page_explain.html shows.
type explainBody struct {
	Text, Upstream string
	Wrong          string // why nothing was explained
	Asked          bool
	Results        []explained
	Readings       string // how much of the text tells of a failure
	More           string // what is not listed
	Examples       []pastedExample
}

// pastedExample can be tried with a click.
type pastedExample struct{ Name, Text string }

// explained is one cause that the text tells of.
type explained struct {
	Card   finding
	Others []finding // further readings, less likely
	Where  string    // which lines tell of it; empty for the only one
	Seen   string    // sessions on record with the cause
	Link   string
}

func (s *Site) explainForm(w http.ResponseWriter, r *http.Request) error {
	return s.showExplain(w, r, http.StatusOK, &explainBody{})
}

func (s *Site) showExplain(w http.ResponseWriter, r *http.Request, status int, b *explainBody) error {
	if s.Explainer == nil {
		return problem{http.StatusNotFound, "nothing is explained here", "use smtp-proxy explain on the command line"}
	}
	b.Examples = []pastedExample{
		{"a reply", "535-5.7.8 Username and Password not accepted. For more information, go to\n535 5.7.8  https://support.google.com/mail/?p=BadCredentials - gsmtp"},
		{"a line of a log", "postfix/smtp[1023]: 4F2A91C0: to=<bob@example.net>, relay=mx.example.net[192.0.2.25]:25, dsn=4.7.1, status=deferred (host mx.example.net[192.0.2.25] said: 451 4.7.1 Greylisted, please try again in 300 seconds (in reply to RCPT TO command))"},
		{"an app's error", "x509: certificate has expired or is not yet valid: current time 2026-11-21T10:00:00Z is after 2026-11-20T23:59:59Z"},
	}
	return s.show(w, r, status, "explain", view{Title: "Explain", Nav: "explain", Narrow: true, Body: b})
}

func (s *Site) explain(w http.ResponseWriter, r *http.Request) error {
	text, upstream, err := pasted(w, r)
	var p problem
	if errors.As(err, &p) {
		return s.showExplain(w, r, p.status, &explainBody{Wrong: p.Error()})
	}
	if err != nil || s.Explainer == nil {
		return s.showExplain(w, r, http.StatusBadRequest, &explainBody{Wrong: "the form did not arrive whole: send it again"})
	}
	b := &explainBody{Asked: true, Text: diagnose.Mask(text), Upstream: upstream}
	readings := s.readPasted(b.Text, upstream)
	if err := s.results(r, b, readings); err != nil {
		return err
	}
	return s.showExplain(w, r, http.StatusOK, b)
}

// pasted reads the form.
func pasted(w http.ResponseWriter, r *http.Request) (text, upstream string, err error) {
	r.Body = http.MaxBytesReader(w, r.Body, 4*mostPasted) // an octet may take three in a form
	var large *http.MaxBytesError
	if err := r.ParseForm(); errors.As(err, &large) {
		return "", "", tooMuch()
	} else if err != nil {
		return "", "", err
	}
	text = strings.Trim(strings.ReplaceAll(r.PostForm.Get("text"), "\r\n", "\n"), "\n")
	upstream = bare(strings.TrimSpace(r.PostForm.Get("upstream")))
	switch {
	case len(text) > mostPasted || strings.Count(text, "\n") >= mostLines:
		return "", "", tooMuch()
	case strings.TrimSpace(text) == "":
		return "", "", problem{http.StatusBadRequest, "there is nothing to explain", "paste a reply or a line of a log"}
	case len(upstream) > mostHost:
		return "", "", problem{http.StatusBadRequest, "the smarthost is no host name", "write it as smtp.example.com or smtp.example.com:587, or leave it out"}
	}
	return text, upstream, nil
}

func tooMuch() problem {
	return problem{http.StatusRequestEntityTooLarge, "this is more than 200 lines or 64 kB", "paste the lines that tell of the failure, or give the whole log to the command line: grep status= mail.log | smtp-proxy explain -"}
}

// reading is what one piece of the text tells.
type reading struct {
	piece    pastedPiece
	findings []inspect.Finding
}

// mostWhole is how many lines are read as one text when none of them tells
// anything alone: an exception is spread over a few.
const mostWhole = 12

// readPasted explains each piece of a text that tells of a failure.
func (s *Site) readPasted(text, upstream string) []reading {
	var all []reading
	pieces := piecesPasted(text)
	for _, p := range pieces {
		if found := s.Explainer.Explain(p.text, upstream); len(found) > 0 {
			all = append(all, reading{p, found})
		}
	}
	if len(all) == 0 && len(pieces) > 1 && strings.Count(text, "\n") < mostWhole {
		if found := s.Explainer.Explain(text, upstream); len(found) > 0 {
			all = append(all, reading{pastedPiece{first: 1, last: strings.Count(text, "\n") + 1, text: text}, found})
		}
	}
	return all
}

// mostExplained is how many causes of one text are shown.
const mostExplained = 20

// results gathers readings by their cause, in the order of the text.
func (s *Site) results(r *http.Request, b *explainBody, readings []reading) error {
	var causes []string
	byCause := map[string][]reading{}
	for _, x := range readings {
		cause := x.findings[0].Cause
		if byCause[cause] == nil {
			causes = append(causes, cause)
		}
		byCause[cause] = append(byCause[cause], x)
	}
	b.Readings = inspect.Count(len(readings), "part") + " of the text " + verbFor(len(readings), "tells", "tell") + " of a failure"
	if len(causes) > mostExplained {
		b.More = inspect.Count(len(causes)-mostExplained, "cause") + " more are not shown: paste less at once"
		causes = causes[:mostExplained]
	}
	seen, err := s.seenCauses(r)
	if err != nil {
		return err
	}
	var every []inspect.Finding // numbered through: they share a page
	for _, cause := range causes {
		every = append(every, byCause[cause][0].findings...)
	}
	cards := s.findings(every)
	for _, cause := range causes {
		n := len(byCause[cause][0].findings)
		x := explained{Card: cards[0], Others: cards[1:n], Link: sessionsLink(filterWord("cause", cause))}
		cards = cards[n:]
		if len(readings) > 1 {
			x.Where = wherePasted(byCause[cause])
		}
		if n := seen[cause]; n > 0 {
			x.Seen = sessionsText(n)
		}
		b.Results = append(b.Results, x)
	}
	return nil
}

func verbFor(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// wherePasted names the lines of readings, the first few of them.
func wherePasted(all []reading) string {
	const most = 5
	var lines []string
	for _, x := range all[:min(most, len(all))] {
		lines = append(lines, x.piece.where())
	}
	if len(all) > most {
		lines = slices.Concat(lines, []string{grouped(len(all)-most) + " more"})
	}
	word := "line "
	if len(lines) > 1 || strings.Contains(lines[0], "–") {
		word = "lines "
	}
	return word + strings.Join(lines, ", ")
}
