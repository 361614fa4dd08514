package main

import (
	"fmt"
	"slices"
	"strings"

	"smtp-proxy/inspect"
	"smtp-proxy/upstream/replay"
)

// sessionDifferences compares what the entries of two sessions do not hold, or
// hold less well: verdicts, and the messages.
func sessionDifferences(a, b *inspect.Session) (all []replay.Difference) {
	all = differing(all, replay.RankVerdict, "outcome", string(a.Outcome), string(b.Outcome))
	all = append(all, findingDifferences(a.Findings, b.Findings)...)
	all = differing(all, replay.RankReach, "upstream", targetName(a), targetName(b))
	all = differing(all, replay.RankTLS, "mode of TLS", tlsMode(a), tlsMode(b))
	return append(all, messageDifferences(a.Messages, b.Messages)...)
}

// differing adds a difference where two texts are not the same.
func differing(all []replay.Difference, rank replay.Rank, where, a, b string) []replay.Difference {
	if a == b {
		return all
	}
	why := "not the same"
	switch {
	case a == "":
		why = "only in the second"
	case b == "":
		why = "only in the first"
	}
	return append(all, replay.Difference{Rank: rank, Where: where, A: a, B: b, Why: why})
}

// sandboxName is the embedded sandbox, which has another port and another
// certificate each time it is started.
const sandboxName = "sandbox"

// targetName is where a session was to go.
func targetName(s *inspect.Session) string {
	if strings.HasPrefix(s.Upstream.Name, sandboxName+":") {
		return sandboxName
	}
	return s.Upstream.Name
}

// ofSandbox tells the differences between two starts of the embedded sandbox.
func ofSandbox(d replay.Difference) bool {
	return slices.Contains([]string{"address", "certificate, from", "certificate, until", "certificate, serial number"}, d.Where)
}

func tlsMode(s *inspect.Session) string {
	if s.Passthrough {
		return "passthrough"
	}
	return "terminate"
}

// findingDifferences goes by causes: the words of one differ with what it was
// found in.
func findingDifferences(a, b []inspect.Finding) (all []replay.Difference) {
	for _, f := range a {
		if !hasCause(b, f.Cause) {
			all = differing(all, replay.RankVerdict, "finding", f.Cause+": "+f.Title, "")
		}
	}
	for _, f := range b {
		if !hasCause(a, f.Cause) {
			all = differing(all, replay.RankVerdict, "finding", "", f.Cause+": "+f.Title)
		}
	}
	return all
}

func hasCause(findings []inspect.Finding, cause string) bool {
	return slices.ContainsFunc(findings, func(f inspect.Finding) bool { return f.Cause == cause })
}

func messageDifferences(a, b []inspect.Message) (all []replay.Difference) {
	if len(a) != len(b) {
		all = differing(all, replay.RankMessage, "messages", counted(len(a), "message", "messages"), counted(len(b), "message", "messages"))
	}
	for i := range min(len(a), len(b)) {
		x, y := &a[i], &b[i]
		where := ""
		if len(a) > 1 || len(b) > 1 {
			where = fmt.Sprintf(" of message %d", i+1)
		}
		if x.Size == 0 || y.Size == 0 {
			continue // it was never sent: the commands tell
		}
		all = differing(all, replay.RankMessage, "subject"+where, x.Subject, y.Subject)
		if !nearly(x.Size, y.Size) {
			all = differing(all, replay.RankMessage, "size"+where, inspect.Octets(x.Size), inspect.Octets(y.Size))
		}
	}
	return all
}

// nearly reports whether two sizes are those of one message: its date, its id
// and its boundaries are made anew each time it is sent.
func nearly(a, b int64) bool {
	const made = 200 // octets
	return max(a, b)-min(a, b) <= max(made, min(a, b)/50)
}
