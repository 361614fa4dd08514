package web

import (
	"slices"
	"strconv"
	"strings"

	"smtp-proxy/inspect"
)

// message is one mail transaction.
type message struct {
	Number  int
	Facts   []fact
	Verdict answer
	To      []recipient // the first of them
	More    []recipient // folded
	Omitted string
}

type recipient struct {
	Addr string
	answer
}

// answer is a reply to something: its code, what kind that is, its words.
type answer struct {
	Code, Tone, Glyph, Text string
}

// mostRecipients is how many are shown before the rest is folded.
const mostRecipients = 30

func messagesOf(s *inspect.Session) []message {
	var all []message
	for i := range s.Messages {
		all = append(all, messageOf(i+1, &s.Messages[i]))
	}
	return all
}

func messageOf(n int, m *inspect.Message) message {
	g := group{}
	from := m.From
	if from == "" {
		from = "<> (no return address)"
	}
	g.add("From", from, true)
	g.add("Subject", m.Subject, true)
	g.add("Message-ID", m.MessageID, true)
	if m.Size > 0 {
		g.add("Size", inspect.Octets(m.Size), false)
	}
	out := message{Number: n, Facts: g.Facts, Verdict: answerOf(m.Code, m.Enhanced, m.Text)}
	if m.Code == 0 {
		out.Verdict = answer{Code: "no verdict", Tone: "quiet", Glyph: "○"}
	}
	for _, r := range m.To {
		out.To = append(out.To, recipient{r.Addr, answerOf(r.Code, r.Enhanced, r.Text)})
	}
	slices.SortStableFunc(out.To, refusedFirst)
	if len(out.To) > mostRecipients {
		out.To, out.More = out.To[:mostRecipients], out.To[mostRecipients:]
	}
	if m.Omitted > 0 {
		out.Omitted = inspect.Count(m.Omitted, "recipient") + " more than are listed"
	}
	return out
}

// refusedFirst lets nobody look for the few that were refused among the many
// that were not, least of all in a fold.
func refusedFirst(a, b recipient) int {
	taken := func(r recipient) int { return strings.Count(r.Glyph, "✓") }
	return taken(a) - taken(b)
}

func answerOf(code int, enhanced, text string) answer {
	if code == 0 {
		return answer{Code: "–", Tone: "quiet", Glyph: "○", Text: "no answer"}
	}
	text = strings.ReplaceAll(text, "\n", " ")
	a := answer{Code: strings.TrimSpace(strconv.Itoa(code) + " " + enhanced), Text: strings.TrimPrefix(text, enhanced+" ")}
	a.Tone, a.Glyph = tone(code)
	return a
}

// tone is the kind of a reply: as a colour and, for who does not see it, as a
// sign.
func tone(code int) (tone, glyph string) {
	switch code / 100 {
	case 2:
		return "good", "✓"
	case 3:
		return "note", "→"
	case 4:
		return "warn", "!"
	case 5:
		return "bad", "✕"
	}
	return "quiet", "○"
}
