package testenv

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/oklog/ulid/v2"

	"smtp-proxy/inspect"
	"smtp-proxy/proxy/session"
)

// History is what a proxy has seen over a long time, as the records that a
// store keeps: for measuring what reads them. Most sessions deliver one
// message; one in eight is refused in one of several ways, some of them common
// and some rare. Recipients are many, senders few. The same History is the same
// record.
type History struct {
	Sessions int           // how many
	Until    time.Time     // when the last one began
	Span     time.Duration // from the first to the last

	made    int
	random  *rand.Rand
	entropy io.Reader
}

// batchOfHistory is how many sessions one call of Next tells of.
const batchOfHistory = 500

// The numbers of those who take part.
const (
	historySenders    = 7
	historyRecipients = 250_000
)

// setback is one way in which a session of a History fails.
type setback struct {
	one   int // of so many sessions
	verb  string
	phase session.Phase
	code  int
	reply string
	cause string
}

func setbacks() []setback {
	return []setback{
		{12, "RCPT", session.PhaseRcpt, 550, "550 5.1.1 The email account that you tried to reach does not exist", "recipient.unknown"},
		{60, "RCPT", session.PhaseRcpt, 451, "451 4.7.1 Greylisted, please try again in 300 seconds", "recipient.greylisted"},
		{80, "MAIL", session.PhaseMail, 450, "450 4.2.1 Too many messages, slow down", "rate.messages"},
		{300, "RCPT", session.PhaseRcpt, 452, "452 4.2.2 The recipient's inbox is out of storage space", "recipient.mailbox-full"},
		{900, "DATA", session.PhaseData, 554, "554 5.7.1 Message refused: looks like spam", "message.spam"},
		{20000, "MAIL", session.PhaseMail, 553, "553 5.7.1 Sender address not verified", "sender.not-verified"},
	}
}

// Upstreams are the smarthosts of the history, the busiest first.
func (h *History) Upstreams() []string {
	return []string{"smtp.example.com:587", "email-smtp.eu-west-1.example:587", "relay.example.net:25"}
}

// Recipient is the address of one of the recipients; 0 has the most mail.
func (h *History) Recipient(n int) string { return fmt.Sprintf("user%d@example.net", n) }

// Next returns the records of some more sessions, and io.EOF behind the last.
func (h *History) Next(ctx context.Context) ([]session.Record, error) {
	if h.random == nil {
		source := rand.NewChaCha8([32]byte{1})
		h.random, h.entropy = rand.New(source), source
	}
	if h.made >= h.Sessions || ctx.Err() != nil {
		return nil, io.EOF
	}
	var batch []session.Record
	for range min(batchOfHistory, h.Sessions-h.made) {
		batch = h.session(batch)
		h.made++
	}
	return batch, nil
}

// begun is when a session began: they are spread evenly.
func (h *History) begun(n int) time.Time {
	return h.Until.Add(-h.Span + time.Duration(float64(h.Span)*float64(n+1)/float64(h.Sessions)))
}

// session appends the records of one session.
func (h *History) session(batch []session.Record) []session.Record {
	at := h.begun(h.made)
	t := &told{batch: batch, at: at, random: h.random}
	t.info = &session.Info{
		ID: ulid.MustNew(ulid.Timestamp(at), h.entropy).String(), Started: at, Route: "default", AppAddr: fmt.Sprintf("127.0.0.1:%d", 30000+h.made%30000),
		Upstream: h.Upstreams()[h.skewed(3)], Mode: "auto", AppTLS: "none",
	}
	refused := h.setback()
	t.legs()
	t.greeting("220 ready")
	t.turn("EHLO", session.PhaseHelo, "EHLO app.example.com", 250, "250-at your service\n250-PIPELINING\n250 SIZE 35882577", time.Millisecond)
	for _, step := range []struct {
		verb    string
		phase   session.Phase
		command string
		code    int
		reply   string
	}{
		{"MAIL", session.PhaseMail, fmt.Sprintf("MAIL FROM:<app%d@example.com>", h.skewed(historySenders)), 250, "250 2.1.0 OK"},
		{"RCPT", session.PhaseRcpt, "RCPT TO:<" + h.Recipient(h.skewed(historyRecipients)) + ">", 250, "250 2.1.5 OK"},
		{"DATA", session.PhaseData, "DATA", 354, "354 go ahead"},
	} {
		if refused.verb == step.verb {
			t.turn(step.verb, step.phase, step.command, refused.code, refused.reply, 20*time.Millisecond)
			return t.farewell()
		}
		t.turn(step.verb, step.phase, step.command, step.code, step.reply, 4*time.Millisecond)
	}
	t.message()
	return t.farewell()
}

// skewed draws a number below n, the small ones more often.
func (h *History) skewed(n int) int {
	f := h.random.Float64()
	return int(f * f * float64(n))
}

// setback draws how a session fails; the zero value is that it does not.
func (h *History) setback() setback {
	for _, r := range setbacks() {
		if h.random.IntN(r.one) == 0 {
			return r
		}
	}
	return setback{}
}

// Findings are those of a session of the history: what a diagnosis would say,
// without its cost.
func (h *History) Findings(s *inspect.Session) []inspect.Finding {
	if len(s.Codes) == 0 {
		return nil
	}
	for _, r := range setbacks() {
		if s.Codes[0] == r.reply[:9] {
			return []inspect.Finding{{Cause: r.cause, Certainty: inspect.Certain, Title: r.reply[10:], Side: "operator"}}
		}
	}
	return nil
}
