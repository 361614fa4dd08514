package main

import (
	"fmt"
	"strings"

	"smtp-proxy/inspect"
)

// about is the comment on the whole file.
func about(s *inspect.Session) string {
	var b strings.Builder
	fmt.Fprintf(&b, "smtp-proxy %s\nsession %s of %s, to %s: %s\n", version(), visible(s.ID), s.Started.UTC().Format("2006-01-02 15:04:05.000 MST"), visible(s.Upstream.Name), s.Outcome)
	b.WriteString("This is no capture: it was made of the record. Words, times and addresses are the record's, with secrets masked; " +
		"sequence numbers, acknowledgements and the bounds of packets are not. What was under TLS stands in clear.\n")
	for i := range s.Findings {
		b.WriteString(findingText(&s.Findings[i]) + "\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// remarksOf returns the findings as comments, by the entry that shows them.
// The first entry of a finding's evidence gets all of it.
func remarksOf(s *inspect.Session) map[int][]string {
	all := map[int][]string{}
	for i := range s.Findings {
		f := &s.Findings[i]
		text := findingText(f)
		for _, e := range f.Evidence {
			if e.Event != 0 {
				all[e.Event] = append(all[e.Event], text)
				text = "finding " + visible(f.Cause) + ": this shows it, too"
			}
		}
	}
	return all
}

func findingText(f *inspect.Finding) string {
	var b strings.Builder
	fmt.Fprintf(&b, "finding %s (%s): %s", visible(f.Cause), f.Certainty, visible(f.Title))
	if f.Explanation != "" {
		b.WriteString("\nwhy: " + visible(f.Explanation))
	}
	for i, step := range f.Fix {
		fmt.Fprintf(&b, "\nfix %d: %s", i+1, visible(step))
	}
	if f.Retry.Text != "" {
		b.WriteString("\nretry: " + visible(f.Retry.Text))
	}
	return b.String()
}
