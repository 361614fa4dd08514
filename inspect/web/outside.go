package web

import (
	"context"
	"errors"
	"io"
	"net/netip"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// ErrBusy says that as much of a kind is under way as may be at a time.
var ErrBusy = errors.New("another one is under way")

// Checker examines a smarthost step by step.
type Checker interface {
	// Check tells of each step as it is taken. It ends when ctx does. An error
	// says that the request makes no sense, or is [ErrBusy]; what is wrong with
	// the smarthost is in the steps and the findings.
	Check(ctx context.Context, r CheckRequest, told func(CheckStep)) (CheckResult, error)
}

// CheckRequest says what is checked. Empty fields are what check on the
// command line does without the flag.
type CheckRequest struct {
	Target   string   `json:"target"` // host, host:port or URL
	TLS      string   `json:"tls,omitempty"`
	Insecure bool     `json:"insecure,omitempty"`
	User     string   `json:"user,omitempty"`
	Password string   `json:"password,omitempty"` // never stored, logged or sent back
	From     string   `json:"from,omitempty"`
	To       string   `json:"to,omitempty"`
	Steps    []string `json:"steps,omitempty"`
}

// CheckStep is one rung of the ladder.
type CheckStep struct {
	Name   string  `json:"name"`
	Status string  `json:"status"` // ok, warn, fail, skip
	Text   string  `json:"text"`
	MS     float64 `json:"ms"`
}

// CheckResult is a whole check, as the contract words it.
type CheckResult struct {
	Target   string            `json:"target"`
	Steps    []CheckStep       `json:"steps"`
	Findings []inspect.Finding `json:"findings"`
	Fix      *CheckFix         `json:"fix,omitempty"`     // where a change of the settings was looked for
	Verdict  string            `json:"verdict,omitempty"` // this and what follows are for the page and the API
	Exit     int               `json:"exit,omitempty"`    // what the command line ends with
	Command  string            `json:"command,omitempty"` // that does the same, without the password
}

// CheckFix is the outcome of a search for a change that helps.
type CheckFix struct {
	Change  string       `json:"change"` // empty when nothing helps
	Flags   []string     `json:"flags"`  // of run
	Reached string       `json:"reached"`
	Text    string       `json:"text"`
	Tried   []CheckTried `json:"tried"`
}

// CheckTried is one change that was tried.
type CheckTried struct {
	Change  string `json:"change"`
	Reached string `json:"reached"`
	Text    string `json:"text"`
}

// Replayer sends a recorded session again.
type Replayer interface {
	// Plan says what would be sent, and where to. Nothing is sent.
	Plan(ctx context.Context, r ReplayRequest) (ReplayPlan, error)
	// Replay plays a session. An error says why it could not begin, [ErrBusy]
	// that another one is being played; a session that is not on record is
	// [store.ErrNotFound].
	Replay(ctx context.Context, r ReplayRequest) (ReplayResult, error)
}

// ReplayPlan is what a replay would do.
type ReplayPlan struct {
	Session    string     `json:"session"`
	Target     string     `json:"target"`
	Sends      [][]string `json:"sends"`    // lines that leave together; "." is a message, "(TLS)" a handshake
	NotSent    []string   `json:"not_sent"` // what is left out from the start, each with its reason
	Recipients []string   `json:"recipients"`
	Messages   int        `json:"messages"`          // that could be delivered
	SignIn     string     `json:"sign_in,omitempty"` // what is missing to sign in as was done then
	Command    string     `json:"command"`           // that does the same
}

// ReplayRequest says what is played and where to. Without To and Deliver no
// message is delivered.
type ReplayRequest struct {
	Session  string   `json:"session"`
	Upstream string   `json:"upstream,omitempty"` // empty: the recorded one; else that of a route, or "sandbox"
	To       []string `json:"to,omitempty"`
	Deliver  bool     `json:"deliver,omitempty"`
}

// ReplayResult is a replay as the contract words it.
type ReplayResult struct {
	Session   string            `json:"session"`
	Target    string            `json:"target"`
	Identical bool              `json:"identical"`
	Steps     []ReplayStep      `json:"steps"`
	Added     []ReplayAdded     `json:"added,omitempty"`
	NotSent   []string          `json:"not_sent"`
	Recorded  session.Phase     `json:"recorded"`  // how far it came then
	Reached   session.Phase     `json:"reached"`   // and now
	Delivered int               `json:"delivered"` // messages that were accepted now
	Error     string            `json:"error,omitempty"`
	Replay    string            `json:"replay,omitempty"` // id of the record of it
	Verdict   string            `json:"verdict"`
	Findings  []inspect.Finding `json:"findings"`          // of the replay
	Notes     []string          `json:"notes,omitempty"`   // what was left out because it was not given
	Command   string            `json:"command,omitempty"` // that does the same
}

// ReplayStep is one command with both replies.
type ReplayStep struct {
	Command    string  `json:"command"` // empty for the greeting
	Recorded   string  `json:"recorded"`
	Now        string  `json:"now"`
	Same       bool    `json:"same"`
	Why        string  `json:"why,omitempty"`
	RecordedMS float64 `json:"recorded_ms"`
	MS         float64 `json:"ms"`
}

// ReplayAdded is what the recording does not have: the RSET of a dry run, and
// further recipients.
type ReplayAdded struct {
	Command string  `json:"command"`
	Now     string  `json:"now"`
	MS      float64 `json:"ms"`
}

// Exporter writes a session for other programs.
type Exporter interface {
	// Formats are the names of the formats, each with what it is in a line.
	Formats() []Format
	// Export writes a session in a format. An error says why that cannot be; by
	// then nothing has been written.
	Export(ctx context.Context, w io.Writer, r ExportRequest) error
}

// Format is one way to export a session.
type Format struct {
	Name, About string
	File        string // what its file's name ends in: ".html"
	Type        string // its media type
	Shown       bool   // a browser shows it, where others are saved
	Message     bool   // it is of one message, by its number
}

// ExportRequest says what is exported.
type ExportRequest struct {
	Session   string
	Format    string
	Message   int  // number of the message for formats that take one; 0 is the first
	Anonymize bool // stand-ins for addresses, names, subjects and bodies
}

// Setup is what the owner puts into the app's settings.
type Setup struct {
	Routes []SetupRoute
	Keeps  bool   // a record is kept
	Data   string // flag that other commands need to find it: " --data DIR"; empty for the usual place
}

// SetupRoute is one route as it listens.
type SetupRoute struct {
	Name      string
	Hosts     []string // what the app may write as its host
	Addrs     []netip.AddrPort
	Port      string
	TLS       string // what the app sets for TLS, in words
	Upstream  string // where its mail goes, in words
	Container string // what to write from within a container, in words
	Sandbox   bool   // mail is delivered to nobody
}
