package main

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"smtp-proxy/inspect"
)

// summary writes the last line of a block: what became of the session.
func (t transcript) summary(b *bytes.Buffer, s *inspect.Session) {
	facts := []string{mailFacts(s)}
	if len(s.Edits) > 0 {
		facts = append(facts, inspect.Count(len(s.Edits), "edit"))
	}
	if s.Dropped > 0 {
		facts = append(facts, inspect.Count(s.Dropped, "line")+" missing from the record")
	}
	if causes := causesOf(s); causes != "" {
		facts = append(facts, causes)
	}
	head := string(s.Outcome)
	if d := lasted(s); d > 0 {
		head += " after " + inspect.Took(d)
	}
	text := strings.Join(facts, "; ")
	for i, piece := range wrap(text, t.width-2-columns(head)-2) {
		if i > 0 {
			b.WriteString(strings.Repeat(" ", 2+columns(head)+2) + piece + "\n")
			continue
		}
		b.WriteString("  " + t.paint(outcomeStyle(s.Outcome), head) + ": " + piece + "\n")
	}
	t.direct(b, s.Direct)
}

func lasted(s *inspect.Session) time.Duration {
	if s.Ended.IsZero() {
		return 0
	}
	return s.Ended.Sub(s.Started)
}

// mailFacts counts messages, recipients and octets.
func mailFacts(s *inspect.Session) string {
	if len(s.Messages) == 0 {
		return or(tunnelFacts(s), "no message")
	}
	accepted, all, size := 0, 0, int64(0)
	for _, m := range s.Messages {
		size += m.Size
		all += len(m.To) + m.Omitted
		accepted += acceptedOf(&m)
	}
	text := fmt.Sprintf("%s, accepted for %d of %s", inspect.Count(len(s.Messages)+s.Omitted, "message"), accepted, inspect.Count(all, "recipient"))
	if size > 0 {
		text += ", " + inspect.Octets(size)
	}
	return text
}

// acceptedOf counts the recipients for whom a message was taken, those that are
// not listed included.
func acceptedOf(m *inspect.Message) int {
	if m.Code/100 != 2 {
		return 0
	}
	accepted, refused := 0, 0
	for _, r := range m.To {
		switch {
		case r.Code/100 == 2:
			accepted++
		case r.Code >= 400:
			refused++
		}
	}
	return accepted + max(0, m.Omitted-max(0, m.Refused-refused))
}

// causesOf lists the causes found, each once.
func causesOf(s *inspect.Session) string {
	var causes []string
	seen := map[string]bool{}
	for _, f := range s.Findings {
		if !seen[f.Cause] {
			causes = append(causes, visible(f.Cause))
		}
		seen[f.Cause] = true
	}
	return strings.Join(causes, ", ")
}
