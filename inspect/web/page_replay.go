package web

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"smtp-proxy/inspect"
)

// ReplayPage plays a session again: first what would be sent, then, once that
// is asked for, what was answered beside what is answered now.
func (s *Site) ReplayPage() []endpoint {
	return []endpoint{{"GET /sessions/{id}/replay", s.replayForm}, {"POST /sessions/{id}/replay", s.replayRun}}
}

// What becomes of messages, as the form has it.
const (
	deliverNothing = ""         // a dry run
	deliverTo      = "to"       // to addresses that were typed
	deliverAgain   = "recorded" // to the recorded recipients
)

// replayBody is what page_replay.html shows.
type replayBody struct {
	Session  string
	Plan     ReplayPlan
	Places   []replayPlace
	Upstream string
	To       string
	Delivery string
	Wrong    string // with what was asked
	Sure     bool   // only the confirmation is wanted
	Result   *replayShown
	Messages string
}

// replayPlace is one smarthost that a session may be played to.
type replayPlace struct{ Value, Text string }

// replayAsked is what the form says.
type replayAsked struct {
	ReplayRequest
	delivery string
	sure     bool
}

func (s *Site) replayForm(w http.ResponseWriter, r *http.Request) error {
	asked, err := s.replayAsked(r, r.URL.Query())
	if err != nil {
		return err
	}
	body, err := s.replayBody(r, asked)
	if err != nil {
		return err
	}
	return s.showReplay(w, r, http.StatusOK, body)
}

func (s *Site) showReplay(w http.ResponseWriter, r *http.Request, status int, body replayBody) error {
	return s.show(w, r, status, "replay", view{Title: "Replay " + body.Session, Nav: "sessions", Body: body})
}

// replayAsked reads the form. The session is named by its whole id from here
// on.
func (s *Site) replayAsked(r *http.Request, f map[string][]string) (replayAsked, error) {
	first := func(name string) string {
		if len(f[name]) == 0 {
			return ""
		}
		return strings.TrimSpace(f[name][0])
	}
	out := replayAsked{delivery: first("delivery"), sure: first("sure") == "yes"}
	request, err := s.replayRequest(r, replayOptions{Upstream: first("upstream")})
	if err != nil {
		return out, err
	}
	out.ReplayRequest = request
	switch out.delivery {
	case deliverTo:
		out.To = listed(first("to"))
	case deliverAgain:
		out.Deliver = true
	}
	return out, nil
}

// replayBody says what would be sent. Where delivery is asked for and cannot be,
// the plan is that of a dry run.
func (s *Site) replayBody(r *http.Request, asked replayAsked) (replayBody, error) {
	body := replayBody{Session: asked.Session, Upstream: asked.Upstream, To: strings.Join(asked.To, ", "), Delivery: asked.delivery}
	plan, err := s.Replayer.Plan(r.Context(), asked.ReplayRequest)
	if err != nil && (asked.Deliver || len(asked.To) > 0) {
		body.Wrong = err.Error()
		dry := asked.ReplayRequest
		dry.Deliver, dry.To = false, nil
		plan, err = s.Replayer.Plan(r.Context(), dry)
	}
	if err != nil {
		return body, unplayable(err)
	}
	if asked.delivery == deliverTo && len(asked.To) == 0 {
		body.Wrong = "no address is named: type whom the messages go to, such as you@example.com"
	}
	body.Plan, body.Places, body.Messages = plan, s.replayPlaces(), inspect.Count(plan.Messages, "message")
	return body, nil
}

// replayPlaces are the smarthosts beside the recorded one.
func (s *Site) replayPlaces() (list []replayPlace) {
	for _, k := range s.knownSmarthosts() {
		if k.Target != "sandbox" {
			list = append(list, replayPlace{k.Target, k.Target + ", route " + k.Route})
		}
	}
	return append(list, replayPlace{"sandbox", "the sandbox, which delivers to nobody"})
}

func (s *Site) replayRun(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, mostForm)
	if err := r.ParseForm(); err != nil {
		return problem{http.StatusBadRequest, "the form cannot be read", "go back and send it again"}
	}
	asked, err := s.replayAsked(r, r.PostForm)
	if err != nil {
		return err
	}
	body, err := s.replayBody(r, asked)
	if err != nil {
		return err
	}
	if body.Wrong != "" {
		return s.showReplay(w, r, http.StatusBadRequest, body)
	}
	if asked.Deliver && !asked.sure {
		body.Sure = true
		return s.showReplay(w, r, http.StatusOK, body)
	}
	// A delivery may take longer than a request is given.
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	result, err := s.Replayer.Replay(r.Context(), asked.ReplayRequest)
	switch {
	case errors.Is(err, ErrBusy):
		w.Header().Set("Retry-After", "10")
		body.Wrong = "another session is being replayed: wait until that has ended, and send this again"
		return s.showReplay(w, r, http.StatusServiceUnavailable, body)
	case err != nil:
		return unplayable(err)
	}
	body.Result = s.replayShown(result)
	return s.showReplay(w, r, http.StatusOK, body)
}

// replayShown is a replay in words.
type replayShown struct {
	ReplayResult
	Tone, Glyph string
	Rows        []replayRow
	Cards       []finding
	Delivery    string
}

// replayRow is one command with both replies, or several that were answered
// alike.
type replayRow struct {
	Command, Why      string
	Then, Now         replySaid
	Tone, Glyph, Word string
	More              string // as many of the kind went like it
}

// replySaid is a reply, its first line and those behind it.
type replySaid struct {
	First string
	Rest  []string
	Took  string
}

func saidIn(reply string, ms float64) replySaid {
	if reply == "" {
		return replySaid{First: "no reply"}
	}
	lines := strings.Split(reply, "\n")
	return replySaid{First: lines[0], Rest: lines[1:], Took: tookMS(ms)}
}

func (s *Site) replayShown(result ReplayResult) *replayShown {
	out := &replayShown{ReplayResult: result, Tone: "good", Glyph: "✓", Cards: s.findings(result.Findings), Delivery: "Nothing was delivered."}
	if !result.Identical {
		out.Tone, out.Glyph = "bad", "≠"
	}
	if result.Delivered > 0 {
		out.Delivery = inspect.Count(result.Delivered, "message") + " delivered."
	}
	steps := result.Steps
	for len(steps) > 0 {
		n := alikeSteps(steps)
		row := rowOf(steps[0])
		if n >= leastAlike {
			row.More = inspect.Count(n-1, "command") + " more, answered alike"
		} else {
			n = 1
		}
		out.Rows = append(out.Rows, row)
		steps = steps[n:]
	}
	for _, a := range result.Added {
		out.Rows = append(out.Rows, replayRow{Command: commandOf(a.Command), Then: replySaid{First: "not in the recording"}, Now: saidIn(a.Now, a.MS), Tone: "quiet", Glyph: "+", Word: "added"})
	}
	return out
}

// leastAlike is how many commands in a row that were answered alike are put
// together: a message may have thousands of recipients.
const leastAlike = 10

// alikeSteps counts the steps at the beginning that tell nothing beyond the
// first.
func alikeSteps(steps []ReplayStep) int {
	first := steps[0]
	other := func(s ReplayStep) bool {
		return !s.Same || verbOf(s.Command) != verbOf(first.Command) || firstWord(s.Now) != firstWord(first.Now)
	}
	if n := slices.IndexFunc(steps, other); n >= 0 {
		return max(n, 1)
	}
	return len(steps)
}

func verbOf(command string) string { return strings.ToUpper(firstWord(command)) }

func firstWord(text string) string {
	word, _, _ := strings.Cut(text, " ")
	return word
}

func rowOf(s ReplayStep) replayRow {
	row := replayRow{Command: commandOf(s.Command), Then: saidIn(s.Recorded, s.RecordedMS), Now: saidIn(s.Now, s.MS), Why: s.Why, Tone: "good", Glyph: "=", Word: "same"}
	if !s.Same {
		row.Tone, row.Glyph, row.Word = "bad", "≠", "differs"
	}
	return row
}

// commandOf is a command as a person knows it.
func commandOf(text string) string {
	switch text {
	case "":
		return "greeting"
	case ".":
		return "end of the message"
	case "(TLS)":
		return "TLS handshake"
	}
	return text
}

func tookMS(ms float64) string {
	if ms <= 0 {
		return ""
	}
	return inspect.Took(time.Duration(ms * float64(time.Millisecond)))
}
